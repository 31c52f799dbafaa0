"""A fake Slack workspace and a fake X on this machine, to try and to test the app with."""
