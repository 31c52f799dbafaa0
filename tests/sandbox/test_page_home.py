"""The app's Home, charts, tables and files on the page."""

import pytest

from sandbox.page import PageContext
from sandbox.page.renderer import Renderer
from sandbox.page.url_state import UrlState
from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, BEN, CLEO, GUS, SAM
from sandbox.traffic import TrafficLog
from sandbox.x import FakeX
from tests.sandbox.test_page_kit import Json, Shown, html_of_message, shown
from tests.sandbox.test_slack_kit import SCOPES, button, call, manifest, plain, section, text_input

LABELS = ["bad", "good & fine"]
RATINGS = {"name": "Ratings", "data": [{"label": LABELS[0], "value": 1}, {"label": LABELS[1], "value": 1200}]}
TARGET = {"name": "Target", "data": [{"label": LABELS[0], "value": 0.5}, {"label": LABELS[1], "value": 4}]}
PIE = {"type": "pie", "segments": [{"label": "yes", "value": 3}, {"label": "no", "value": 1}]}


def chart(kind: str, *series: Json) -> Json:
    axes = {"categories": LABELS, "x_label": "Rating", "y_label": "Answers"}
    plot = {"type": kind, "series": list(series or [RATINGS]), "axis_config": axes}
    return {"type": "data_visualization", "title": "CSAT", "chart": PIE if kind == "pie" else plot}


def table(rows: int, **more: object) -> Json:
    rich = {"type": "text", "text": "Open", "style": {"bold": True}}
    cells = [
        {"type": "raw_text", "text": "Ada"},
        {"type": "raw_number", "value": 1200},
        {"type": "raw_number", "value": 0.8, "text": "80 %"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [rich]}]},
    ]
    head = [{"type": "raw_text", "text": text} for text in ("Agent", "Sent", "CSAT", "Thread")]
    return {"type": "data_table", "caption": "Agents", "rows": [head, *[cells] * rows], **more}


def without_home() -> Shown:
    told = manifest(home_tab_enabled=False)
    slack = Workspace(told)
    x, traffic = FakeX(pubsub=slack.pubsub), TrafficLog(slack.pubsub)
    return Shown(slack, x, traffic, PageContext(slack, x, slack.pubsub, traffic, told))


async def published(*blocks: Json, page: Shown | None = None) -> str:
    """Let the app publish a Home for Cleo, and return what the page draws for her."""
    page = page or shown()
    view = {"type": "home", "blocks": list(blocks)}
    answer = await call(page.slack, "views.publish", user_id=CLEO, view=view)
    assert answer["ok"], answer
    return page.html("channel", person=CLEO, channel="app", tab="home")


async def test_home_shows_what_was_published_for_this_person_alone() -> None:
    page = shown()

    html = await published(section("*87 %*"), page=page)

    assert "<strong>87 %</strong>" in html
    assert "<textarea" not in html
    other = page.html("channel", person=ADA, channel="app", tab="home")
    assert "Feedback has not published a Home for Ada Okafor yet." in other
    assert "87 %" not in other


async def test_elements_of_a_home_act_in_the_home() -> None:
    people = {"type": "users_select", "action_id": "agent", "initial_user": BEN}
    rooms = {"type": "conversations_select", "action_id": "room"}
    public = {"type": "channels_select", "action_id": "public"}
    when = {"type": "datepicker", "action_id": "since", "initial_date": "2026-03-09"}
    html = await published(
        {"type": "actions", "block_id": "b", "elements": [button("go"), people, rooms, public, when]},
        {**text_input("search"), "dispatch_action": True},
    )

    assert f"/act?person={CLEO}&amp;home=1&amp;block_id=b&amp;action_id=go" in html
    assert f"/enter?person={CLEO}&amp;home=1&amp;block_id=search&amp;action_id=search" in html
    assert 'value="Ben Castillo"' in html
    assert 'value="2026-03-09"' in html
    assert html.count("<span>leads</span>") == 1
    assert html.count("<span>lounge</span>") == 2


async def test_what_is_done_on_the_page_reaches_the_home() -> None:
    page = shown()
    await published(section("Hi", accessory=button("go")), text_input("note"), page=page)
    note = {"person": CLEO, "home": "1", "block_id": "note", "action_id": "note", "text": "bags"}
    async with page.client() as client:
        typed = await client.post("/type", data=note)
        pressed = await client.post("/act", data={**note, "block_id": "", "action_id": "go"})

    home = page.slack.home_view(CLEO)
    assert home
    assert home.values["note"]["note"]["value"] == "bags"
    assert typed.text == ""
    assert "dispatch_failed" in pressed.text
    assert page.slack.deliveries[-1].payload["view"]["type"] == "home"


async def test_the_tabs_are_there_where_the_app_has_a_home_for_this_person() -> None:
    tabs = '<nav class="tabs"'

    assert tabs in shown().html("channel", person=GUS, channel="app")
    assert tabs not in shown().html("channel", person=GUS)
    assert tabs not in shown().html("channel", person=SAM, channel="app", tab="home")
    assert tabs not in without_home().html("channel", person=CLEO, channel="app", tab="home")
    assert "Message Feedback" in without_home().html("channel", person=CLEO, channel="app", tab="home")


async def test_the_side_bar_leads_home_unless_there_are_new_messages() -> None:
    page = shown()
    stage = Renderer(page.sources)
    before = stage.draw(UrlState(person=CLEO), ("sidebar",))
    await call(page.slack, "chat.postMessage", channel=CLEO, text="Refused")
    after = stage.draw(UrlState(person=CLEO), ("sidebar",))
    stage.draw(UrlState(person=CLEO, channel="app", tab="home"), ("channel",))
    at_home = stage.draw(UrlState(person=CLEO, channel="app", tab="home"), ("sidebar",))

    assert f"/?person={CLEO}&amp;channel=app&amp;tab=home" in before
    assert f"/?person={CLEO}&amp;channel=app&amp;tab=home" not in after
    assert '<span class="count">1<' in after
    assert f"/?person={CLEO}&amp;channel=app&amp;tab=home" not in at_home


@pytest.mark.parametrize(
    ("kind", "shapes"), [("bar", "<rect"), ("line", "<polyline"), ("area", "<polygon"), ("pie", "<path")]
)
async def test_a_chart_is_drawn_and_told_in_numbers(kind: str, shapes: str) -> None:
    html = await html_of_message(chart(kind))

    assert shapes in html
    assert f'role="img" aria-label="CSAT: {kind} chart.' in html
    assert "<caption>CSAT</caption>" in html
    assert ("<td>3</td>" if kind == "pie" else "<td>1,200</td>") in html
    assert "style=" not in html


async def test_a_chart_of_several_series_has_a_legend_and_names_its_axes() -> None:
    html = await html_of_message(chart("line", RATINGS, TARGET))

    assert '<ul class="legend"' in html
    assert "line line-1" in html
    assert html.count(">Rating</") == 2
    assert ">Answers</text>" in html
    assert "good &amp; fine" in html


async def test_a_table_has_a_caption_headers_and_cells() -> None:
    html = await html_of_message(table(2, page_size=10))

    assert "<caption>Agents</caption>" in html
    assert html.count('<th scope="col"') == 4
    assert html.count('<th scope="row">Ada') == 2
    assert '<td class="number">1,200' in html
    assert '<td class="number">80 %' in html
    assert "<strong>Open</strong>" in html
    assert 'role="region" tabindex="0" aria-label="Agents"' in html
    assert "at a time" not in html


async def test_a_long_table_says_how_long_it_is() -> None:
    html = await published(table(6, row_header_column_index=3))

    assert 'data-page-size="5"' in html
    assert "6 rows, 5 at a time" in html
    assert html.count('<th scope="row">') == 6


async def test_a_file_can_be_downloaded() -> None:
    told = manifest(*SCOPES, "files:write")
    slack = Workspace(told)
    slack.base_url = "http://slack.test"
    x, traffic = FakeX(pubsub=slack.pubsub), TrafficLog(slack.pubsub)
    page = Shown(slack, x, traffic, PageContext(slack, x, slack.pubsub, traffic, told))
    announced = await call(slack, "files.getUploadURLExternal", filename="näme.csv", length=4)
    file_id = announced["file_id"]
    async with page.client() as client:
        early = await client.get(f"/file/{file_id}")
        slack.files[file_id].content = b"a,b\n"
        await call(slack, "files.completeUploadExternal", files=[{"id": file_id}], channels=CLEO)
        html = page.html("channel", person=CLEO, channel="app")
        loaded = await client.get(f"/file/{file_id}")

    assert early.status_code == 404
    assert f'href="/file/{file_id}" download="näme.csv"' in html
    assert "CSV, 4 Bytes" in html
    assert loaded.content == b"a,b\n"
    assert loaded.headers["content-disposition"] == "attachment; filename*=UTF-8''n%C3%A4me.csv"
    assert loaded.headers["content-type"].startswith("text/csv")


def test_the_hint_leads_to_the_results() -> None:
    assert "Be Cleo Marchetti" in shown().html()
    assert "Be Cleo Marchetti" not in without_home().html()


async def test_what_a_chart_or_table_says_is_never_html() -> None:
    attack = "<script>alert(1)</script>"
    label = attack[:20]
    pie = {"type": "pie", "segments": [{"label": label, "value": 1}]}
    cells = [[{"type": "raw_text", "text": attack}]] * 2

    html = await published(
        {"type": "data_visualization", "title": attack, "chart": pie},
        {"type": "data_table", "caption": attack, "rows": cells},
        {"type": "header", "text": plain(attack)},
    )

    assert "<script" not in html
