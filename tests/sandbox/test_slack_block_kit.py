from typing import Any

import pytest

from sandbox.slack.fixtures import SUPPORT
from tests.sandbox.slack_kit import (
    Json,
    button,
    call,
    modal,
    new_trigger_id,
    options,
    plain_text,
    section,
    text_input,
    workspace,
)


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": options("one", "two"), **more}


def radio(count: int) -> Json:
    values = [f"value {number}" for number in range(count)]
    return {"type": "radio_buttons", "action_id": "pick", "options": options(*values)}


def option(**more: Any) -> Json:
    return {"text": plain_text("One"), "value": "one", **more}


def table(rows: int, columns: int = 2, kind: str = "data_table", text: str = "x") -> Json:
    cells = [{"type": "raw_text", "text": text}] * columns
    caption = {"caption": "Scores"} if kind == "data_table" else {}
    return {"type": kind, "rows": [cells] * rows, **caption}


def chart(series: int = 1, points: int = 2, title: str = "CSAT", label: str = "w") -> Json:
    labels = [f"{label}{point}" for point in range(points)]
    data = [{"label": each, "value": 4.2} for each in labels]
    plotted = [{"name": f"series {number}", "data": data} for number in range(series)]
    plot = {"type": "line", "series": plotted, "axis_config": {"categories": labels}}
    return {"type": "data_visualization", "title": title, "chart": plot}


def rich_text(*elements: Json) -> Json:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(elements)}],
    }


VALID_BLOCKS = {
    "the longest section": [section("x" * 3000)],
    "ten fields": [{"type": "section", "fields": [plain_text("x" * 1000)] * 10}],
    "the longest header": [{"type": "header", "text": plain_text("x" * 150)}],
    "fifty blocks": [{"type": "divider"}] * 50,
    "ten context elements": [{"type": "context", "elements": [plain_text("x")] * 10}],
    "25 buttons": [actions(*(button(f"b{number}") for number in range(25)))],
    "the longest button": [
        actions(button("b", text=plain_text("x" * 75), value="x" * 2000, url="https://" + "x" * 2992))
    ],
    "100 options": [actions(select(options=options(*(f"v{number}" for number in range(100)))))],
    "the longest option": [
        actions(
            select(
                options=[option(text=plain_text("x" * 75), value="x" * 150, description=plain_text("x" * 75))]
            )
        )
    ],
    "option groups": [
        actions(
            {
                "type": "static_select",
                "action_id": "pick",
                "option_groups": [{"label": plain_text("x" * 75), "options": options("one")}] * 100,
                "initial_option": options("one")[0],
            }
        )
    ],
    "ten radio buttons": [actions(radio(10))],
    "an input in a message": [text_input("comment", max_length=3000, initial_value="x" * 3000)],
    "rich text": [
        rich_text(
            {"type": "text", "text": "Hi ", "style": {"bold": True}},
            {"type": "user", "user_id": "U1"},
            {"type": "link", "url": "https://x.com/grace"},
            {"type": "emoji", "name": "tada"},
        )
    ],
    "a table": [table(100, 20, "table")],
    "a data table": [table(101, 20)],
    "two charts": [chart(12, 20), chart(title="x" * 50)],
    "a pie chart": [
        {
            "type": "data_visualization",
            "title": "Ratings",
            "chart": {"type": "pie", "segments": [{"label": "5", "value": 8}]},
        }
    ],
    "a card": [{"type": "card", "title": plain_text("x" * 150), "body": plain_text("x" * 200)}],
    "a carousel": [{"type": "carousel", "elements": [{"type": "card", "title": plain_text("x")}] * 10}],
    "a container": [{"type": "container", "title": plain_text("x"), "child_blocks": [section()]}],
    "markdown": [{"type": "markdown", "text": "x" * 12_000}],
    "an image": [{"type": "image", "image_url": "https://x.test/i.png", "alt_text": "x"}],
}


@pytest.mark.parametrize("blocks", VALID_BLOCKS.values(), ids=VALID_BLOCKS)
async def test_valid_blocks_are_posted(blocks: list[Json]) -> None:
    response = await call(workspace(), "chat.postMessage", channel=SUPPORT, text="Hi", blocks=blocks)

    assert response.get("errors") is None
    assert response["ok"]


INVALID_BLOCKS: dict[str, tuple[list[Json], str]] = {
    "51 blocks": ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "long section": (
        [section("x" * 3001)],
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "empty section": (
        [section("")],
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "section without text and fields": (
        [{"type": "section"}],
        "must define at least one of: text, fields [json-pointer:/blocks/0]",
    ),
    "eleven fields": (
        [{"type": "section", "fields": [plain_text("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "long field": (
        [{"type": "section", "fields": [plain_text("x" * 2001)]}],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "long header": (
        [{"type": "header", "text": plain_text("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "header in mrkdwn": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text]",
    ),
    "eleven context elements": (
        [{"type": "context", "elements": [plain_text("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "26 buttons": (
        [actions(*(button(f"b{number}") for number in range(26)))],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "long button": (
        [actions(button("b", text=plain_text("x" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "long button value": (
        [actions(button("b", value="x" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "long button url": (
        [actions(button("b", url="x" * 3001))],
        "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]",
    ),
    "unknown button style": (
        [actions(button("b", style="loud"))],
        "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    "long action_id": (
        [actions(button("b" * 256, text=plain_text("x")))],
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "long block_id": (
        [section(block_id="b" * 256)],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "block_id twice": (
        [section(block_id="b"), section(block_id="b")],
        "`block_id` must be unique: b [json-pointer:/blocks]",
    ),
    "action_id twice in a block": (
        [actions(button("b"), button("b"))],
        "`action_id` must be unique in its block: b [json-pointer:/blocks]",
    ),
    "long option": (
        [actions(select(options=[option(text=plain_text("x" * 76))]))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]",
    ),
    "long option value": (
        [actions(select(options=[option(value="x" * 151)]))],
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]",
    ),
    "long option description": (
        [actions(select(options=[option(description=plain_text("x" * 76))]))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/description/text]",
    ),
    "101 options": (
        [actions(select(options=options(*(f"v{number}" for number in range(101)))))],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "101 option groups": (
        [
            actions(
                {
                    "type": "static_select",
                    "option_groups": [{"label": plain_text("x"), "options": options("one")}] * 101,
                }
            )
        ],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/option_groups]",
    ),
    "long option group label": (
        [
            actions(
                {
                    "type": "static_select",
                    "option_groups": [{"label": plain_text("x" * 76), "options": options("one")}],
                }
            )
        ],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/option_groups/0/label/text]",
    ),
    "options and option groups": (
        [actions(select(option_groups=[{"label": plain_text("x"), "options": options("one")}]))],
        "must define exactly one of: options, option_groups [json-pointer:/blocks/0/elements/0]",
    ),
    "unknown initial option": (
        [actions(select(initial_option=options("three")[0]))],
        "initial option not found among the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    "initial option with other fields": (
        [actions(select(initial_option={**options("one")[0], "description": plain_text("x")}))],
        "initial option not found among the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    "long placeholder": (
        [actions(select(placeholder=plain_text("x" * 151)))],
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]",
    ),
    "eleven radio buttons": (
        [actions(radio(11))],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "input in an actions block": (
        [actions({"type": "plain_text_input"})],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0]",
    ),
    "long confirmation": (
        [
            actions(
                button(
                    "b",
                    confirm={
                        "title": plain_text("x" * 101),
                        "text": plain_text("x"),
                        "confirm": plain_text("x"),
                        "deny": plain_text("x"),
                    },
                )
            )
        ],
        "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
    ),
    "long label": (
        [{**text_input("b"), "label": plain_text("x" * 2001)}],
        "must be less than 2001 characters [json-pointer:/blocks/0/label/text]",
    ),
    "long hint": (
        [{**text_input("b"), "hint": plain_text("x" * 2001)}],
        "must be less than 2001 characters [json-pointer:/blocks/0/hint/text]",
    ),
    "input without a label": (
        [{"type": "input", "element": {"type": "plain_text_input"}}],
        "missing required field: label [json-pointer:/blocks/0]",
    ),
    "max_length too great": (
        [text_input("b", max_length=3001)],
        "must be between 1 and 3000 [json-pointer:/blocks/0/element/max_length]",
    ),
    "initial value too long": (
        [text_input("b", max_length=3, initial_value="four")],
        "must be between 0 and 3 characters [json-pointer:/blocks/0/element/initial_value]",
    ),
    "min_length above max_length": (
        [text_input("b", min_length=9, max_length=3)],
        "`min_length` must not be greater than `max_length` [json-pointer:/blocks/0/element]",
    ),
    "two focused inputs": (
        [text_input("a", focus_on_load=True), text_input("b", focus_on_load=True)],
        "`focus_on_load` may be true for one element alone [json-pointer:/blocks]",
    ),
    "unknown block": (
        [{"type": "fireworks"}],
        "unsupported type: fireworks [json-pointer:/blocks/0]",
    ),
    "unknown field": (
        [section(colour="red")],
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    "alert in a message": (
        [{"type": "alert", "text": plain_text("x")}],
        "unsupported type: alert [json-pointer:/blocks/0]",
    ),
    "unknown rich text element": (
        [rich_text({"type": "blink", "text": "x"})],
        "unsupported type: blink [json-pointer:/blocks/0/elements/0/elements/0]",
    ),
    "two tables": (
        [table(2), table(2)],
        "no more than 1 of type data_table allowed [json-pointer:/blocks]",
    ),
    "empty pie segment": (
        [
            {
                "type": "data_visualization",
                "title": "Ratings",
                "chart": {
                    "type": "pie",
                    "segments": [{"label": "5", "value": 8}, {"label": "4", "value": 0}],
                },
            }
        ],
        "must be greater than 0 [json-pointer:/blocks/0/chart/segments/1/value]",
    ),
    "unknown cell type": (
        [{**table(2), "rows": [*table(1)["rows"], [{"type": "action"}] * 2]}],
        "unsupported type: action [json-pointer:/blocks/0/rows/1/0]",
    ),
    "table with too much rich text": (
        [
            {
                **table(2, 1),
                "rows": [*table(1, 1)["rows"], [rich_text({"type": "text", "text": "x" * 10_000})]],
            }
        ],
        "must be less than 10001 characters in all cells [json-pointer:/blocks/0/rows]",
    ),
    "102 rows": ([table(102)], "no more than 101 items allowed [json-pointer:/blocks/0/rows]"),
    "one row": ([table(1)], "no fewer than 2 items allowed [json-pointer:/blocks/0/rows]"),
    "21 columns": (
        [table(2, 21)],
        "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]",
    ),
    "uneven rows": (
        [{**table(2), "rows": [*table(1)["rows"], *table(1, 3)["rows"]]}],
        "all rows must have the same number of cells [json-pointer:/blocks/0/rows]",
    ),
    "table with too much text": (
        [table(101, 1, text="x" * 100)],
        "must be less than 10001 characters in all cells [json-pointer:/blocks/0/rows]",
    ),
    "a number without its text": (
        [{**table(2), "rows": [*table(1, 1)["rows"], [{"type": "raw_number", "value": 3}]]}],
        "missing required field: text [json-pointer:/blocks/0/rows/1/0]",
    ),
    "no caption": (
        [{"type": "data_table", "rows": table(2)["rows"]}],
        "missing required field: caption [json-pointer:/blocks/0]",
    ),
    "rich text in a table's header": (
        [{**table(2), "rows": [[rich_text()], *table(1, 1)["rows"]]}],
        "header cells must not be rich_text [json-pointer:/blocks/0/rows/0/0]",
    ),
    "three charts": (
        [chart(), chart(), chart()],
        "no more than 2 of type data_visualization allowed [json-pointer:/blocks]",
    ),
    "long chart title": (
        [chart(title="x" * 51)],
        "must be less than 51 characters [json-pointer:/blocks/0/title]",
    ),
    "13 series": (
        [chart(13)],
        "no more than 12 items allowed [json-pointer:/blocks/0/chart/series]",
    ),
    "21 points": (
        [chart(1, 21)],
        "no more than 20 items allowed [json-pointer:/blocks/0/chart/series/0/data]",
    ),
    "long chart label": (
        [chart(label="x" * 20)],
        "must be less than 21 characters [json-pointer:/blocks/0/chart/series/0/data/0/label]",
    ),
    "long markdown": (
        [{"type": "markdown", "text": "x" * 12_001}],
        "must be less than 12001 characters [json-pointer:/blocks/0/text]",
    ),
    "empty card": (
        [{"type": "card", "subtitle": plain_text("x")}],
        "must define at least one of: hero_image, title, actions, body [json-pointer:/blocks/0]",
    ),
    "text instead of a text object": (
        [{"type": "header", "text": "x"}],
        "unsupported type: None [json-pointer:/blocks/0/text]",
    ),
}


@pytest.mark.parametrize(("blocks", "problem"), INVALID_BLOCKS.values(), ids=INVALID_BLOCKS)
async def test_invalid_blocks_are_rejected_with_a_json_pointer(blocks: list[Json], problem: str) -> None:
    response = await call(workspace(), "chat.postMessage", channel=SUPPORT, text="Hi", blocks=blocks)

    assert response["error"] == "invalid_blocks"
    assert problem in response["errors"]
    assert f"[ERROR] {problem}" in response["response_metadata"]["messages"]


async def test_blocks_in_attachments_are_validated_too() -> None:
    attachments = [{"blocks": [section("")]}]

    response = await call(workspace(), "chat.postMessage", channel=SUPPORT, attachments=attachments)

    problem = "must be more than 0 characters [json-pointer:/attachments/0/blocks/0/text/text]"
    assert response["errors"] == [problem]


INVALID_VIEWS: dict[str, tuple[Json, str]] = {
    "long title": (
        modal(title=plain_text("x" * 25)),
        "must be less than 25 characters [json-pointer:/view/title/text]",
    ),
    "title in mrkdwn": (
        modal(title={"type": "mrkdwn", "text": "x"}),
        "unsupported type: mrkdwn [json-pointer:/view/title]",
    ),
    "long submit": (
        modal(submit=plain_text("x" * 25)),
        "must be less than 25 characters [json-pointer:/view/submit/text]",
    ),
    "long close": (
        modal(close=plain_text("x" * 25)),
        "must be less than 25 characters [json-pointer:/view/close/text]",
    ),
    "long metadata": (
        modal(private_metadata="x" * 3001),
        "must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    "long callback_id": (
        modal(callback_id="x" * 256),
        "must be less than 256 characters [json-pointer:/view/callback_id]",
    ),
    "long external_id": (
        modal(external_id="x" * 256),
        "must be less than 256 characters [json-pointer:/view/external_id]",
    ),
    "101 blocks": (
        modal(*[{"type": "divider"}] * 101),
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    ),
    "inputs without a submit button": (
        {name: value for name, value in modal().items() if name != "submit"},
        "must define `submit` to use an `input` block in modals [json-pointer:/view]",
    ),
    "table in a modal": (
        modal(table(2)),
        "unsupported type: data_table [json-pointer:/view/blocks/0]",
    ),
    "chart in a modal": (
        modal(chart()),
        "unsupported type: data_visualization [json-pointer:/view/blocks/0]",
    ),
    "markdown in a modal": (
        modal({"type": "markdown", "text": "x"}),
        "unsupported type: markdown [json-pointer:/view/blocks/0]",
    ),
    "long alert": (
        modal({"type": "alert", "text": plain_text("x" * 201)}),
        "must be less than 201 characters [json-pointer:/view/blocks/0/text/text]",
    ),
    "home instead of a modal": (
        {"type": "home", "blocks": []},
        "must be a view of type modal [json-pointer:/view]",
    ),
}


@pytest.mark.parametrize(("view", "problem"), INVALID_VIEWS.values(), ids=INVALID_VIEWS)
async def test_an_invalid_view_does_not_open(view: Json, problem: str) -> None:
    slack = workspace()

    response = await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)

    assert response["error"] == "invalid_arguments"
    assert f"[ERROR] {problem}" in response["response_metadata"]["messages"]


async def test_a_view_that_is_too_large_does_not_open() -> None:
    slack = workspace()
    view = modal(*(section("é" * 3000) for _ in range(42)))

    response = await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)

    assert response["error"] == "view_too_large"


async def test_a_modal_can_contain_an_alert() -> None:
    slack = workspace()
    view = modal({"type": "alert", "level": "warning", "text": plain_text("x" * 200)}, text_input("handle"))

    response = await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)

    assert response["ok"]
