"""The secrets of the tokens in the links to the rating page."""

from sqlalchemy import Connection

from csat.db import kept_secrets

RATING_LINKS = "rating links"


def load_rating_link_secrets(connection: Connection) -> tuple[str, ...]:
    """Return the secrets, the one of new links first."""
    return (kept_secrets.load(connection, RATING_LINKS),)


def find_rating_link_secret(connection: Connection) -> str | None:
    """Return the secret of new links, if an instance with the page has been started."""
    return kept_secrets.find(connection, RATING_LINKS)
