"""`python app.py resume`: lets the app ask X at once whether it accepts a paused account again."""

import contextlib

import typer

from csat.db import account_pauses
from csat.db.database import Database
from csat.settings import Settings


async def run(settings: Settings) -> None:
    """Make the next probe of the account due, and print what happens; raises `DatabaseError`."""
    with contextlib.closing(Database(settings.database_url.get_secret_value())) as database:
        is_paused = await database.run(account_pauses.hasten_probe, settings.x_account_id)
    typer.echo(
        "The app asks X within a few seconds. If X accepts surveys again, those that wait are sent."
        if is_paused
        else "X accepts surveys: the account isn't paused."
    )
