"""The sandbox's page: a person's Slack, a customer's phone, and what goes between them, in a browser."""

from sandbox.page.renderer import PageContext
from sandbox.page.routes import CLOSING, page

__all__ = ["CLOSING", "PageContext", "page"]
