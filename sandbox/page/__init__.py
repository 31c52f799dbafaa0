"""The sandbox's page: a person's Slack, a customer's phone, and what goes between them, in a browser."""

from sandbox.page.routes import CLOSING, page
from sandbox.page.stage import Sources

__all__ = ["CLOSING", "Sources", "page"]
