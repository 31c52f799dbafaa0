"""A secret of the links to the rating page."""

from datetime import datetime
from typing import NamedTuple


class RatingLinkSecret(NamedTuple):
    """A secret, and the surveys whose links are made with it."""

    value: str
    since: datetime
    """They were accepted from then on, until the next secret's."""
