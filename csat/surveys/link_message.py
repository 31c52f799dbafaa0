"""The direct message of a survey whose question is on the app's rating page."""

OPT_OUT = "On that page you can also opt out of such questions."


def compose(message: str, url: str) -> str:
    """Return what the customer reads: the agent's message, the link to the page, and how to opt out."""
    return f"{message}\n\n{url}\n\n{OPT_OUT}"
