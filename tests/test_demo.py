"""The app in the sandbox, as `make demo` runs it."""

import re
from typing import Any

from demo.run import run_demo
from sandbox.page.transport_switch import RESTARTED
from sandbox.server import Sandbox
from sandbox.slack import View, fixtures
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import visible_text

TOMAS = "/csat @tomasberg"


async def wait_until(sandbox: Sandbox, predicate: Any) -> Any:
    """Return the predicate's first true result."""
    return await sandbox.workspace.wait_until(predicate, timeout_seconds=WAIT_SECONDS)


async def open_form(sandbox: Sandbox) -> View:
    """Return the form for Tomas, which Ada opens."""
    await wait_until(sandbox, lambda: sandbox.workspace.connection_count)
    await sandbox.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, TOMAS)
    form: View = await wait_until(sandbox, lambda: sandbox.workspace.current_view(fixtures.ADA))
    return form


async def test_the_form_offers_both_transports() -> None:
    async with run_demo(timeouts=GENEROUS) as sandbox:
        form = await open_form(sandbox)

        assert "What the customer will read · X's feedback card" in visible_text(form)


async def test_the_app_restarts_with_other_transports_and_loses_nothing() -> None:
    async with run_demo(timeouts=GENEROUS) as sandbox:
        await open_form(sandbox)
        await sandbox.workspace.submit_view(fixtures.ADA)
        await wait_until(sandbox, lambda: sandbox.x.feedbacks)
        sandbox.page.transports.choose("link")
        await wait_until(sandbox, lambda: sandbox.page.transports.status == RESTARTED)
        form = await open_form(sandbox)

        assert "feedback card" not in visible_text(form)
        assert "/r/…" in visible_text(form)
        assert "Can't be asked until" in visible_text(form)


async def test_the_past_of_a_team_with_slack_alone_was_asked_in_slack() -> None:
    async with run_demo(timeouts=GENEROUS) as sandbox:
        sandbox.page.transports.choose("slack")
        await wait_until(sandbox, lambda: sandbox.page.transports.status == RESTARTED)
        before = len(sandbox.x.requests)
        sandbox.page.sample_data.request()
        await wait_until(sandbox, lambda: sandbox.page.sample_data.is_done)
        await sandbox.workspace.open_home(fixtures.ADA)
        home = await wait_until(sandbox, lambda: sandbox.workspace.home_view(fixtures.ADA))
        people = set(re.findall("<@(U09PAST[0-9]+)>", visible_text(home)))

        assert people
        assert len(sandbox.x.requests) == before
        assert people <= sandbox.workspace.users.keys()
