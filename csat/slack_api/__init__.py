"""Slack's Web API and Socket Mode: client, errors, posting, permissions."""
