"""The HTTP surface: Slack's requests, and how the app is."""
