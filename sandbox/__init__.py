"""A fake Slack workspace and a fake X, to try and to test the app without the real ones."""
