"""A pretend Slack workspace and a pretend X on this machine, to try and to test the app with."""
