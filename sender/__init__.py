"""Takes an accepted survey to X, and tells Slack what became of it."""
