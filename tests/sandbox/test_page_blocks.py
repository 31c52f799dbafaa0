import pytest

from tests.sandbox.page_kit import Json, render_message, render_modal
from tests.sandbox.slack_kit import button, options, plain_text, section, text_input

ATTACK = "<script>alert(1)</script>"
VIDEO = {"type": "video", "alt_text": "a", "title": plain_text("b"), "thumbnail_url": "https://a.b/c"}


def actions(**element: object) -> Json:
    return {"type": "actions", "elements": [{"action_id": "go", **element}]}


def inline(kind: str, **more: object) -> Json:
    return {"type": "rich_text_section", "elements": [{"type": kind, **more}]}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "header", "text": plain_text("Hello")}, '<h3 class="header">Hello</h3>'),
        (section("*Hello*"), "<strong>Hello</strong>"),
        (
            {"type": "section", "fields": [plain_text("One"), plain_text("Two")]},
            '<div class="text">Two</div>',
        ),
        (section(accessory=button("go")), '<div class="accessory">'),
        ({"type": "divider"}, "<hr>"),
        ({"type": "context", "elements": [{"type": "mrkdwn", "text": "_so_"}]}, "<em>so</em>"),
        ({"type": "image", "image_url": "https://a.b/c.png", "alt_text": "A cat"}, 'aria-label="A cat"'),
        ({**VIDEO, "video_url": "https://a.b/d"}, '<p class="unknown">video</p>'),
        (actions(**button("go", style="danger")), 'class="button danger"'),
        (actions(**button("go", url="https://a.b/c")), 'href="https://a.b/c"'),
        (actions(type="overflow", options=options("one")), 'data-value="one"'),
        (actions(type="timepicker"), '<span class="unknown">timepicker</span>'),
        (actions(type="datepicker", initial_date="2026-03-09"), 'value="2026-03-09"'),
    ],
)
async def test_a_message_shows_each_block(block: Json, expected: str) -> None:
    assert expected in await render_message(block)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"initial_value": "x"}, 'type="text" value="x"'),
        ({"multiline": True, "initial_value": "x"}, "\nx</textarea>"),
        ({"type": "url_text_input"}, 'inputmode="url"'),
        ({"type": "email_text_input"}, 'inputmode="email"'),
        ({"type": "number_input", "is_decimal_allowed": False}, 'inputmode="decimal"'),
        (
            {"type": "radio_buttons", "options": options("one"), "initial_option": options("one")[0]},
            " checked",
        ),
        ({"type": "checkboxes", "options": options("one", "two")}, 'type="checkbox"'),
        ({"type": "static_select", "options": options("one")}, 'role="combobox"'),
        (
            {
                "type": "static_select",
                "option_groups": [{"label": plain_text("Group"), "options": options("one")}],
            },
            ">Group</span>",
        ),
        ({"type": "external_select", "min_query_length": 0}, 'data-options-url="/options?'),
        ({"type": "multi_users_select"}, '<span class="unknown">multi_users_select</span>'),
        ({"placeholder": plain_text("Who?")}, 'placeholder="Who?"'),
    ],
)
async def test_a_modal_shows_each_input(element: Json, expected: str) -> None:
    html = await render_modal(text_input("field", **element))

    assert expected in html
    assert ">field</" in html


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (inline("text", text="a", style={"bold": True, "italic": True}), "<strong><em>a</em></strong>"),
        ({**inline("text", text="a\nb"), "type": "rich_text_quote"}, "<blockquote>a<br>b</blockquote>"),
        ({**inline("text", text=ATTACK), "type": "rich_text_preformatted"}, "<pre>&lt;script&gt;"),
        (inline("user", user_id="U07BEN9M3RT"), "@Ben Castillo"),
        (inline("broadcast", range="here"), "@here"),
        (inline("link", url="https://a.b", text="c"), ">c</a>"),
        (inline("emoji", name="tada"), "🎉"),
        ({"type": "rich_text_list", "style": "ordered", "elements": [inline("text", text="a")]}, "<ol class"),
    ],
)
async def test_rich_text_is_rendered(part: Json, expected: str) -> None:
    assert expected in await render_message({"type": "rich_text", "elements": [part]})


async def test_an_input_is_described_by_its_hint_and_marked_as_optional() -> None:
    block = text_input("field", optional=True)

    html = await render_modal({**block, "hint": plain_text("A hint")})

    assert "<small>(optional)</small>" in html
    hint_id = html.partition('aria-describedby="')[2].partition('"')[0]
    assert f'id="{hint_id}">A hint' in html


async def test_a_modal_shows_an_alert() -> None:
    html = await render_modal({"type": "alert", "level": "warning", "text": plain_text("Careful")})

    assert '<div class="alert warning" role="note">' in html


async def test_a_modal_focuses_the_element_with_focus_on_load() -> None:
    html = await render_modal(text_input("one"), text_input("two", focus_on_load=True))

    assert html.partition('data-initial-focus="')[2].partition('"')[0].endswith("-two-two")


async def test_a_button_can_have_a_confirmation_dialog() -> None:
    confirm = {
        "title": plain_text("Sure?"),
        "text": plain_text("Really"),
        "confirm": plain_text("Do it"),
        "deny": plain_text("No"),
    }

    html = await render_message(actions(**button("go", confirm=confirm)))

    assert '<dialog class="card confirm"' in html
    assert html.index("Sure?") < html.index("No</button>") < html.index("Do it</button>")


async def test_user_text_is_escaped() -> None:
    option = {"text": plain_text(ATTACK), "value": ATTACK}
    blocks = [
        section(
            ATTACK,
            accessory={"type": "static_select", "placeholder": plain_text(ATTACK), "options": [option]},
        ),
        {"type": "header", "text": plain_text(ATTACK)},
        {"type": "image", "image_url": "https://a.b/c.png", "alt_text": ATTACK},
    ]

    assert "<script" not in await render_message(*blocks, text=ATTACK)
    assert "<script" not in await render_message(text=ATTACK)
    assert "<script" not in await render_modal(text_input("field", initial_value=ATTACK), *blocks)
