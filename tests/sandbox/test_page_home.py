"""The app's Home tab, charts, tables and files on the page."""

import pytest

from sandbox.page.page_renderer import Renderer
from sandbox.page.url_state import UrlState
from sandbox.slack.fixtures import ADA, BEN, CLEO, GUS, SAM
from tests.sandbox.page_kit import (
    RATINGS,
    TARGET,
    Json,
    UnservedPage,
    chart,
    render_message,
    table,
    unserved_page,
)
from tests.sandbox.slack_kit import SCOPES, button, call, manifest, plain_text, section, text_input


def without_home() -> UnservedPage:
    return unserved_page(manifest(home_tab_enabled=False))


async def published(*blocks: Json, page: UnservedPage | None = None) -> str:
    """Publish a Home tab for Cleo as the app, and return its HTML."""
    page = page or unserved_page()
    view = {"type": "home", "blocks": list(blocks)}
    response = await call(page.slack, "views.publish", user_id=CLEO, view=view)
    assert response["ok"], response
    return page.html("channel", person=CLEO, channel="app", tab="home")


async def test_home_shows_only_the_view_published_for_this_person() -> None:
    page = unserved_page()

    html = await published(section("*87 %*"), page=page)

    assert "<strong>87 %</strong>" in html
    assert "<textarea" not in html
    other = page.html("channel", person=ADA, channel="app", tab="home")
    assert "Feedback hasn't published a Home tab for Ada Okafor yet." in other
    assert "87 %" not in other


async def test_elements_on_the_home_tab_have_its_location() -> None:
    people = {"type": "users_select", "action_id": "agent", "initial_user": BEN}
    rooms = {"type": "conversations_select", "action_id": "room"}
    public = {"type": "channels_select", "action_id": "public"}
    when = {"type": "datepicker", "action_id": "since", "initial_date": "2026-03-09"}
    html = await published(
        {"type": "actions", "block_id": "b", "elements": [button("go"), people, rooms, public, when]},
        {**text_input("search"), "dispatch_action": True},
    )

    assert f"/select?person={CLEO}&amp;home=1&amp;block_id=b&amp;action_id=go" in html
    assert f"/enter?person={CLEO}&amp;home=1&amp;block_id=search&amp;action_id=search" in html
    assert 'value="Ben Castillo"' in html
    assert 'value="2026-03-09"' in html
    assert html.count("<span>leads</span>") == 1
    assert html.count("<span>lounge</span>") == 2


async def test_actions_on_the_page_reach_the_home_view() -> None:
    page = unserved_page()
    await published(section("Hi", accessory=button("go")), text_input("note"), page=page)
    note = {"person": CLEO, "home": "1", "block_id": "note", "action_id": "note", "text": "bags"}
    async with page.client() as client:
        typed = await client.post("/type", data=note)
        pressed = await client.post("/select", data={**note, "block_id": "", "action_id": "go"})

    home = page.slack.home_view(CLEO)
    assert home
    assert home.values["note"]["note"]["value"] == "bags"
    assert typed.text == ""
    assert "dispatch_failed" in pressed.text
    assert page.slack.deliveries[-1].payload["view"]["type"] == "home"


async def test_tabs_are_shown_if_the_app_has_a_home_tab_for_this_person() -> None:
    tabs = '<nav class="tabs"'

    assert tabs in unserved_page().html("channel", person=GUS, channel="app")
    assert tabs not in unserved_page().html("channel", person=GUS)
    assert tabs not in unserved_page().html("channel", person=SAM, channel="app", tab="home")
    assert tabs not in without_home().html("channel", person=CLEO, channel="app", tab="home")
    assert "Message Feedback" in without_home().html("channel", person=CLEO, channel="app", tab="home")


async def test_the_sidebar_links_to_home_unless_there_are_new_messages() -> None:
    page = unserved_page()
    renderer = Renderer(page.context)
    before = renderer.render(UrlState(person=CLEO), ("sidebar",))
    await call(page.slack, "chat.postMessage", channel=CLEO, text="Refused")
    after = renderer.render(UrlState(person=CLEO), ("sidebar",))
    renderer.render(UrlState(person=CLEO, channel="app", tab="home"), ("channel",))
    at_home = renderer.render(UrlState(person=CLEO, channel="app", tab="home"), ("sidebar",))

    assert f"/?person={CLEO}&amp;channel=app&amp;tab=home" in before
    assert f"/?person={CLEO}&amp;channel=app&amp;tab=home" not in after
    assert '<span class="badge">1<' in after
    assert f"/?person={CLEO}&amp;channel=app&amp;tab=home" not in at_home


@pytest.mark.parametrize(
    ("kind", "shape"), [("bar", "<rect"), ("line", "<polyline"), ("area", "<polygon"), ("pie", "<path")]
)
async def test_a_chart_has_shapes_and_a_table_of_its_data(kind: str, shape: str) -> None:
    html = await render_message(chart(kind))

    assert shape in html
    assert f'role="img" aria-label="CSAT: {kind} chart.' in html
    assert "<caption>CSAT</caption>" in html
    assert ("<td>3</td>" if kind == "pie" else "<td>1,200</td>") in html
    assert "style=" not in html


async def test_a_chart_with_several_series_has_a_legend_and_axis_labels() -> None:
    html = await render_message(chart("line", RATINGS, TARGET))

    assert '<ul class="legend"' in html
    assert "line line-1" in html
    assert html.count(">Rating</") == 2
    assert ">Answers</text>" in html
    assert "good &amp; fine" in html


async def test_a_table_has_a_caption_headers_and_cells() -> None:
    html = await render_message(table(2, page_size=10))

    assert "<caption>Agents</caption>" in html
    assert html.count('<th scope="col"') == 4
    assert html.count('<th scope="row">Ada') == 2
    assert '<td class="number">1,200' in html
    assert '<td class="number">80 %' in html
    assert "<strong>Open</strong>" in html
    assert 'role="region" tabindex="0" aria-label="Agents"' in html
    assert "at a time" not in html


async def test_a_long_table_shows_its_number_of_rows() -> None:
    html = await published(table(6, row_header_column_index=3))

    assert 'data-page-size="5"' in html
    assert "6 rows, 5 visible at a time" in html
    assert html.count('<th scope="row">') == 6


async def test_a_file_can_be_downloaded() -> None:
    page = unserved_page(manifest(*SCOPES, "files:write"))
    slack = page.slack
    upload = await call(slack, "files.getUploadURLExternal", filename="näme.csv", length=4)
    file_id = upload["file_id"]
    async with page.client() as client:
        incomplete = await client.get(f"/file/{file_id}")
        slack.files[file_id].content = b"a,b\n"
        await call(slack, "files.completeUploadExternal", files=[{"id": file_id}], channels=CLEO)
        html = page.html("channel", person=CLEO, channel="app")
        complete = await client.get(f"/file/{file_id}")

    assert incomplete.status_code == 404
    assert f'href="/file/{file_id}" download="näme.csv"' in html
    assert "CSV, 4 Bytes" in html
    assert complete.content == b"a,b\n"
    assert complete.headers["content-disposition"] == "attachment; filename*=UTF-8''n%C3%A4me.csv"
    assert complete.headers["content-type"].startswith("text/csv")


def test_getting_started_mentions_the_results() -> None:
    assert "Switch to Cleo Marchetti" in unserved_page().html()
    assert "Switch to Cleo Marchetti" not in without_home().html()


@pytest.mark.parametrize(
    ("choice", "said", "unsaid"),
    [
        ("all", ("a card", "on the phone, or as Sam Adeyemi"), ()),
        ("card", ("Answer as the customer: on the phone.",), ("@sam", "in their Slack", "a link")),
        ("slack", ("@sam", "Answer as Sam Adeyemi in their Slack."), ("phone", "X")),
    ],
)
def test_getting_started_follows_the_transports(
    choice: str, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    page = unserved_page()
    page.context.transports.choose(choice)
    steps = page.html("steps")

    assert [words for words in said if words not in steps] == []
    assert [words for words in unsaid if words in steps] == []


async def test_text_in_charts_and_tables_is_escaped() -> None:
    attack = "<script>alert(1)</script>"
    label = attack[:20]
    pie = {"type": "pie", "segments": [{"label": label, "value": 1}]}
    cells = [[{"type": "raw_text", "text": attack}]] * 2

    html = await published(
        {"type": "data_visualization", "title": attack, "chart": pie},
        {"type": "data_table", "caption": attack, "rows": cells},
        {"type": "header", "text": plain_text(attack)},
    )

    assert "<script" not in html
