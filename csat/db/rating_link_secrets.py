"""The secrets of the tokens in the links to the rating page."""

from sqlalchemy import Connection

from csat.db import kept_secrets

RATING_LINKS = "rating links"


def load_rating_link_secrets(connection: Connection) -> tuple[str, ...]:
    """Return the secrets, the one of new links first."""
    return (kept_secrets.load(connection, RATING_LINKS),)
