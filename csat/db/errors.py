"""Errors of the database.

DatabaseError         it is unavailable, and nothing was written
└── SchemaTooNew      its schema was written by a newer version of the app
"""


class DatabaseError(Exception):
    """The database is unavailable; nothing was written."""


class SchemaTooNew(DatabaseError):
    """The database was written by a newer version of the app."""
