"""The result of one check of `app.py check`."""

from typing import NamedTuple


class Finding(NamedTuple):
    """The result of one check."""

    ok: bool
    message: str
    advice: str = ""
    is_warning: bool = False
    """Whether something may be wrong, although the check has not failed."""

    @property
    def mark(self) -> str:
        """The four characters before the message."""
        if not self.ok:
            return "FAIL"
        return "warn" if self.is_warning else "ok  "


def warning(message: str) -> Finding:
    """Return a finding that may be wrong, or needs a look, but does not fail the check."""
    return Finding(ok=True, message=message, is_warning=True)
