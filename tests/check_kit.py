"""Run `app.py check` against a world."""

from typing import Any

from cli.check import check
from cli.finding import Finding
from tests.world import World


async def run_check(world: World, **changed: Any) -> list[Finding]:
    """Check a world with changed settings."""
    settings = world.settings.model_copy(update=changed)
    return [finding async for finding in check(settings)]


async def check_page(world: World, **changed: Any) -> Finding:
    """Return what the check says of the rating page."""
    findings = await run_check(world, **changed)
    return next(finding for finding in findings if finding.message.startswith("Rating page"))
