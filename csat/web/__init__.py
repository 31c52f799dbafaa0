"""The HTTP surface: requests from Slack and X, and the health check."""
