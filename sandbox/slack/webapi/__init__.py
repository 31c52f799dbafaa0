"""Slack's Web API: the methods that the app may call, with the scopes they need."""

from sandbox.slack.webapi.endpoints import Door

__all__ = ["Door"]
