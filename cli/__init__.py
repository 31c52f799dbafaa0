"""The commands of app.py that have work of their own."""
