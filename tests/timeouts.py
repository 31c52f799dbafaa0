"""How long tests wait, and how long the app waits while they run."""

from dataclasses import fields, replace

from csat.timeouts import Timeouts

WAIT_SECONDS = 60
"""The timeout of every wait; only a failing test waits that long."""

UNCHANGED = {
    "socket_ping",
    "socket_close",
    "sqlite_lock_outage",
    "database_attempts",
    "http_keep_alive",
    "health_write",
}
"""When they expire on a busy machine, no test fails."""

GENEROUS = Timeouts(**{each.name: WAIT_SECONDS for each in fields(Timeouts) if each.name not in UNCHANGED})
"""None of these expires because the machine is busy."""

WITHOUT_LOOK_UP = replace(GENEROUS, x_look_up=0)
"""A form is accepted before X has named the customer."""
SHORT_LOCK = replace(GENEROUS, sqlite_lock=0.05)
"""The app soon gives up to wait for another program that holds SQLite's lock."""
