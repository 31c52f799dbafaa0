"""The URLs of databases."""


def is_ambiguous(url: str) -> bool:
    """Return True if a part of the password may be taken for the host or the database, as it has an @."""
    return url.startswith("postgresql") and url.count("@") > 1
