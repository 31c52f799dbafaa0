"""The error of commands."""


class CommandError(Exception):
    """A command can't do its work; `str()` says why, and what to do."""
