"""How long the app waits for Slack, X, the database and its own clients."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Times in seconds, which no environment variable changes.

    A person in Slack waits three seconds at most: for a `trigger_id` to be used, and for an acknowledgement.
    """

    slack_call: float = 5.0
    """For a whole call: connecting, sending and reading the response."""
    slack_open_view: float = 2.5
    slack_person: float = 1.0
    """For Slack to say who somebody is, or who is in a user group, while a person waits."""
    slack_permalink: float = 0.7

    socket_ping: float = 5.0
    """After four pings without an answer the connection counts as lost."""
    socket_handshake: float = 5.0
    socket_close: float = 1.0
    socket_shutdown: float = 2.5
    """For requests in progress: Slack wants its acknowledgement within three seconds."""

    x_call: float = 8.0
    """For a whole call: connecting, sending and reading the response."""
    x_connect: float = 3.0
    x_free_connection: float = 5.0
    """For one of the connections to X to be free."""
    x_look_up: float = 1.5
    """For X to look up an account while a person waits."""

    form_commit: float = 2.0
    """For the commit to begin: it takes a part of the third second that Slack allows."""
    form_denial: float = 0.8
    """For the form to show a denial, in the rest of that second."""
    form_context: float = 0.3
    """For what a form shows beside what was typed: it must open while its `trigger_id` lives."""
    modal_commit: float = 1.0
    """For the commit to begin: Slack has been asked about the person before."""

    sqlite_lock: float = 1.0
    """For a transaction to get SQLite's lock."""
    sqlite_lock_outage: float = 5.0
    """How long another program may hold SQLite's lock, until that is an outage and no busy writer."""
    postgresql_connect: int = 2
    """The least that libpq allows; whole seconds."""
    postgresql_lock: float = 2.0
    postgresql_start: float = 8.0
    """For PostgreSQL to respond to everything but a migration when the app starts."""
    database_write: float = 5.0
    """For a transaction on PostgreSQL to be committed, the wait for a thread included."""
    database_read: float = 8.0
    """For a query on PostgreSQL: a report over millions of surveys takes some of them."""
    database_check: float = 1.0
    """For the database to show that it works."""
    database_attempts: int = 6
    """How often a transaction that fails is tried: again after 0.1, 0.3, 0.9, 2.7 and 5 seconds."""
    database_commit: float = 0.5
    """For a commit on PostgreSQL that has begun just in time."""

    http_head: float = 10.0
    """For the request line and the headers of a client."""
    http_body: float = 30.0
    http_keep_alive: int = 15
    """How long an idle connection of a client is kept for another request; whole seconds."""

    page_check: float = 8.0
    """For the rating page to answer the command `check`."""
    health_write: float = 1.0
    """How long the outcome of a health check's write to the database counts for those that follow."""

    shutdown: float = 9.0
    """For everything that is in progress when the app stops: a little more than a call to X takes."""
