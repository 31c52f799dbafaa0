"""Slack's Web API: https://docs.slack.dev/apis/web-api."""

from sandbox.slack.routes import Endpoints

__all__ = ["Endpoints"]
