"""Slack's Web API: client, errors, posting, permissions."""
