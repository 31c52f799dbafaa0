"""The sandbox's web page: a person's Slack, a customer's phone, and a log of all requests."""

from sandbox.page.page_renderer import PageContext
from sandbox.page.routes import SHUTDOWN, create_page

__all__ = ["SHUTDOWN", "PageContext", "create_page"]
