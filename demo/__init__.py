"""The demo: the app in the sandbox, with sample data."""
