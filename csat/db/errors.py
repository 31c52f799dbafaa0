"""What keeps the ledger from doing its work.

LedgerError      it can't be used right now, and nothing was written
└── TooNew       a newer version of the app wrote it
"""


class LedgerError(Exception):
    """The ledger can't be used right now; nothing was written."""


class TooNew(LedgerError):
    """The database was written by a newer version of the app."""
