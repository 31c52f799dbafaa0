"""`python app.py rotate-link-secret`: has new links to the rating page made with another secret."""

import typer

from cli.errors import CommandError
from cli.existing_database import open_existing
from csat.db.database_clock import read_time
from csat.db.rating_link_secrets import LIFETIME, rotate_rating_link_secret
from csat.english_dates import format_day, format_moment
from csat.settings import SettingsWithoutXKeys
from csat.surveys.customer_survey import ANSWER_WINDOW


async def run(settings: SettingsWithoutXKeys) -> None:
    """Rotate the secret, and print what that means; raises `CommandError` or `DatabaseError`."""
    with open_existing(settings) as database:
        now = await database.read(read_time)
        secret = await database.run(rotate_rating_link_secret, now)
    if secret is None:
        raise CommandError("the app makes the first secret when it is started with CSAT_PUBLIC_URL.")
    typer.echo(
        f"From {format_moment(secret.since)} on, new surveys get links with a new secret; no instance has to "
        "be restarted. Links to earlier surveys work until they expire, "
        f"{ANSWER_WINDOW.days} days after they were sent. The old secret is deleted after "
        f"{format_day(secret.since + LIFETIME)}, when all of them have expired."
    )
