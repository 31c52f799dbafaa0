"""What an operator types: one module for each command of `app.py` that has work of its own."""
