"""Commands of app.py with work of their own."""
