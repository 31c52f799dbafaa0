"""`app.py check` says which transports are on, and whether customers can open the rating page."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bootstrap.lifespan import lifespan
from cli.finding import Finding, warning
from csat.rating_page.tokens import PROOF_PATH
from csat.surveys.questions import CatalogueError
from sandbox.free_ports import find_free_port
from tests.bad_answers import UNREADABLE, Answer, answering_server
from tests.check_kit import check_page, run_check
from tests.world import World, idle_world, running_world

LINKS: Mapping[str, Any] = {"csat_public_url": "https://feedback.example.com", "csat_transports": ("x_link",)}


@contextlib.asynccontextmanager
async def serving_page(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Run the app with its rating page until the block ends."""
    port = find_free_port()
    page = {"csat_public_url": f"http://127.0.0.1:{port}", "csat_public_port": port}
    async with running_world(folder, **{**page, **settings}) as world:
        yield world


def starting_with(prefix: str, findings: list[Finding]) -> list[str]:
    return [finding.message for finding in findings if finding.ok and finding.message.startswith(prefix)]


async def test_without_links_there_is_a_transport_and_no_page_to_check(tmp_path: Path) -> None:
    async with idle_world(tmp_path) as world:
        findings = await run_check(world)

    assert starting_with("Transports", findings) == [
        "Transports: x_card (X's feedback card), slack (Message in Slack)"
    ]
    assert not [finding for finding in findings if finding.message.startswith(("x_", "Rating page"))]


async def test_the_price_of_links_and_what_their_limit_leaves_to_agents_are_said(tmp_path: Path) -> None:
    async with idle_world(tmp_path, **LINKS, csat_daily_link_limit=400) as world:
        findings = await run_check(world, csat_public_url="")

    assert starting_with("Transports", findings) == ["Transports: x_link (Link in a direct message)"]
    price, limit = starting_with("x_link", findings)
    assert "about 1.5 to 2.5 US cents" in price
    assert "prices as of August 2026, see developer.x.com" in price
    assert limit == (
        "x_link: up to 400 surveys in 24 hours (CSAT_DAILY_LINK_LIMIT). X lets an account write 500 direct "
        "messages a day, which leaves 100 for those that your agents write themselves"
    )


async def test_a_missing_name_of_the_brand_is_told_where_x_does_not_fill_it_in(tmp_path: Path) -> None:
    async with idle_world(tmp_path, **LINKS, csat_display_name="") as world:
        findings = await run_check(world, csat_public_url="")

    assert "CSAT_DISPLAY_NAME is empty" in starting_with("x_link", findings)[-1]


async def test_the_page_of_the_running_app_is_recognized(tmp_path: Path, database_url: str) -> None:
    async with serving_page(tmp_path, database_url=database_url) as world:
        url = world.settings.csat_public_url
        assert await check_page(world) == Finding(
            ok=True, message=f"Rating page: customers reach it at {url}"
        )


async def test_the_page_of_another_installation_is_a_finding(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as world, other_installation(tmp_path) as other:
        finding = await check_page(world, csat_public_url=other)

    assert not finding.ok
    assert "is that of another installation" in finding.message
    assert f"Let your proxy forward {other}/r/ to port {world.settings.csat_public_port}" in finding.advice


@contextlib.asynccontextmanager
async def other_installation(folder: Path) -> AsyncIterator[str]:
    (elsewhere := folder / "elsewhere").mkdir()
    async with serving_page(elsewhere) as world:
        yield world.settings.csat_public_url


async def test_a_page_on_a_database_without_links_is_that_of_another_installation(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world, other_installation(tmp_path) as other:
        assert "is that of another installation" in (await check_page(world, csat_public_url=other)).message


async def test_before_the_database_is_set_up_nobody_can_tell_whose_page_it_is(tmp_path: Path) -> None:
    async with idle_world(tmp_path) as world, other_installation(tmp_path) as other:
        finding = await check_page(
            world, csat_public_url=other, database_url=SecretStr(f"sqlite:///{tmp_path / 'new.db'}")
        )

    assert finding.ok
    assert "only the app's database could tell" in finding.message


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_proxy_without_an_app_behind_it_is_no_fault_before_the_app_runs(
    tmp_path: Path, status: int
) -> None:
    async with idle_world(tmp_path) as world, answering_server({PROOF_PATH: Answer(status=status)}) as proxy:
        finding = await check_page(world, csat_public_url=proxy, csat_public_port=find_free_port())

    assert finding == warning(
        f"Rating page: not checked, as the app doesn't run here and {proxy} responds with {status}. "
        "Start it, then check again"
    )


async def test_nothing_at_the_public_address_is_no_fault_before_the_app_runs(tmp_path: Path) -> None:
    port = find_free_port()
    async with idle_world(tmp_path) as world:
        finding = await check_page(
            world, csat_public_url=f"http://127.0.0.1:{port}", csat_public_port=find_free_port()
        )

    assert finding.ok
    assert "accepts no connection" in finding.message


async def test_a_public_address_without_a_certificate_is_a_finding_before_the_app_runs(
    tmp_path: Path,
) -> None:
    async with idle_world(tmp_path) as world, answering_server({}) as plain:
        url = plain.replace("http:", "https:")
        finding = await check_page(world, csat_public_url=url, csat_public_port=find_free_port())

    assert not finding.ok
    assert finding.message.endswith("doesn't speak https with a valid certificate")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])  # noqa: S104 - that is what is tested
async def test_a_proxy_that_does_not_find_the_running_app_is_a_finding(tmp_path: Path, host: str) -> None:
    answers = {PROOF_PATH: Answer(status=502)}
    async with serving_page(tmp_path, csat_public_host=host) as world, answering_server(answers) as proxy:
        finding = await check_page(world, csat_public_url=proxy)

    assert not finding.ok
    assert finding.message == f"Rating page: it can't be opened, as {proxy} responds with 502"
    assert f"forward {proxy}/r/ to port {world.settings.csat_public_port}" in finding.advice


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
async def test_whatever_else_answers_is_not_taken_for_the_page(tmp_path: Path, answer: Answer) -> None:
    async with idle_world(tmp_path) as world, answering_server({PROOF_PATH: answer}) as elsewhere:
        finding = await check_page(world, csat_public_url=elsewhere, csat_public_port=find_free_port())

    assert "it can't be opened" in finding.message or "not checked" in finding.message


async def test_an_app_whose_links_could_ask_no_question_does_not_start(tmp_path: Path) -> None:
    async with idle_world(tmp_path, **LINKS, csat_questions={"csat": (6,)}) as world:
        findings = await run_check(world, csat_public_url="")
        assert not findings[0].ok
        assert "x_link can ask none of the questions for CSAT" in findings[0].message

        with pytest.raises(CatalogueError, match="x_link can ask none of the questions for CSAT"):
            async with lifespan(world.settings, world.clock):
                pass
