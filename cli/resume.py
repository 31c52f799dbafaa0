"""`python app.py resume`: lets the app ask X at once whether it accepts a paused account again."""

import typer

from cli.existing_database import open_existing
from csat.db import account_pauses
from csat.settings import Settings


async def run(settings: Settings) -> None:
    """Make the next probe of the account due, and print what happens; raises `DatabaseError`."""
    with open_existing(settings) as database:
        is_paused = await database.run(account_pauses.hasten_probe, settings.x_account_id)
    if not settings.x_account_id:
        typer.echo("Nothing to resume: there are no keys of X, and nothing pauses surveys in Slack.")
        return
    typer.echo(
        "The app asks X within seconds, or when it starts. If X accepts the account again, the surveys that "
        "waited go out. If X refuses them again, operators get a new message. If X still refuses the account "
        "itself, nothing changes: python app.py check says why."
        if is_paused
        else "Nothing to resume: the account isn't paused."
    )
