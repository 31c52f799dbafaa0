"""Low ratings in the ledger, on each kind of database."""

from ledger import acceptance, accounts, follow_ups
from ledger.engine import Ledger
from surveys.limits import Limits
from tests.samples import NOON, origin, survey

TEAM = "T012AB3CD"


async def accepted(ledger: Ledger, view_id: str = "V1") -> int:
    """Return the id of a new survey."""
    await ledger.run(accounts.open_account, "A1")
    new = acceptance.Submission(view_id, survey(), origin(), "A1", "one", "customer of " + view_id)
    return (await ledger.run(acceptance.accept, new, Limits(), NOON)).entry.id


async def test_a_low_rating_is_opened_once(ledger: Ledger) -> None:
    survey_id = await accepted(ledger)

    assert await ledger.run(follow_ups.open_for, survey_id, TEAM, NOON)
    assert not await ledger.run(follow_ups.open_for, survey_id, TEAM, NOON)
