"""Slack's Web API: the methods that the app may call, with the scopes they need."""

from sandbox.slack.webapi.door import Door

__all__ = ["Door"]
