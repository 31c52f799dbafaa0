import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from blocks import elements, notifications
from blocks.elements import Message
from blocks.help import Usage, help_message
from blocks.preview import NPS_WARNING, preview
from blocks.survey_form import (
    CALLBACK_ID,
    MAX_OTHER_CUSTOMERS,
    PREVIEW_FIELDS,
    USE_CUSTOMER_ACTION,
    Form,
    SurveyForm,
    field_errors,
    get_block_id,
)
from csat.surveys.questions import PLACEHOLDER, Catalogue, Metric
from csat.surveys.states import State
from csat.surveys.survey import Draft, FormField, Origin, Survey
from csat.x_api.errors import REFUSALS, Uncertain
from csat.x_api.wire import MAX_MESSAGE_LENGTH
from sandbox.slack.blockkit import validate_blocks, validate_view
from sandbox.slack.elements import add_missing_ids, interactive_elements, state_values
from tests.factories import CATALOGUE, LARGEST_ID, LONGEST_HANDLE, NOON, make_draft, make_origin, make_survey
from tests.strategies import TEXT

Json = dict[str, Any]

HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U012AB3CE> <#C012AB3CD> <!subteam^S012AB3CD>",
    "<https://evil.example|good.example>",
    "*bold* _italic_ ~strike~ `code` ```pre``` > quote",
    ":smile: :wave::skin-tone-2: &lt;!channel&gt; &amp;",
    "\u202egnp.exe \u2066isolated\u2069 \u200f עברית",
    "one\ntwo\r\nthree\u2028four\tfive\x07",
    "👩‍👩‍👧 é ﷽ Z̷̢a̸l̶g̵o",
]
MARKS = "\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INPUT = 3_000
"""The longest text that a person can type into an input of Slack."""

FORM = SurveyForm(CATALOGUE)
FAR = make_origin(
    team="T" * 15,
    enterprise="E" * 15,
    channel="C" * 15,
    thread="1700000000.000100",
    requester="U" * 15,
    response_url="https://hooks.slack.com/commands/" + "x" * 500,
)
LONG = {
    "display_name": "W" * INPUT,
    "recipient": "@" + "w" * (INPUT - 1),
    "message": "<!channel>" * (INPUT // 10),
    "privacy_url": "https://northwind.example/" + "p" * 5_000,
    "external_id": "e" * INPUT,
    "test": True,
}


def sent(blocks: list[Json]) -> list[Json]:
    """Return blocks as they go to Slack."""
    rendered: list[Json] = json.loads(json.dumps(blocks))
    return rendered


def shown(view: Json) -> Json:
    """Return a view as it goes to Slack."""
    rendered: Json = json.loads(json.dumps(view))
    return rendered


def check_view(view: Json) -> Json:
    """Return a view that Slack takes."""
    rendered = shown(view)
    assert validate_view(rendered, "modal") == []
    assert shown(View(**rendered).to_dict()) == rendered
    assert len(rendered["private_metadata"]) <= 3000
    assert len(json.dumps(rendered)) < 250_000
    return rendered


def check_message(message: Message) -> Json:
    """Return a message that Slack takes."""
    blocks = sent(message.blocks)
    assert validate_blocks(blocks, "message") == []
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks
    assert message.text.strip()
    assert len(message.text) < 4000
    return {"text": message.text, "blocks": blocks}


def parts(content: object, kinds: set[str]) -> Iterator[Json]:
    """Yield the parts of these types, however deep."""
    if isinstance(content, dict):
        if content.get("type") in kinds:
            yield content
        for inner in content.values():
            yield from parts(inner, kinds)
    elif isinstance(content, list):
        for inner in content:
            yield from parts(inner, kinds)


def check_literal(content: object, requester: str, who: str) -> None:
    """Nothing is a mention but the requester, a link but the customer's profile, or mrkdwn."""
    assert not list(
        parts(content, {"mrkdwn", "markdown", "broadcast", "usergroup", "channel", "emoji", "image"})
    )
    assert {user["user_id"] for user in parts(content, {"user"})} <= {requester}
    for link in parts(content, {"link"}):
        path = who[1:] if who.startswith("@") else f"i/user/{who}"
        assert link == {"type": "link", "url": f"https://x.com/{path}", "text": who}


def check_fallback(text: str, requester: str) -> None:
    """Slack reads a fallback text as mrkdwn: nothing in it is a tag but the requester."""
    assert "<" not in text.replace(f"<@{requester}>", "")
    assert ">" not in text.replace(f"<@{requester}>", "")
    assert "\n" not in text


def returned(form: Form, **typed: str) -> Json:
    """Return the view of a form as Slack sends it back, with other texts typed in."""
    content = shown(FORM.build(form))
    blocks = add_missing_ids(content["blocks"], iter(map(str, range(100))).__next__)
    values = state_values(blocks)
    for inputs in values.values():
        for action_id, element in inputs.items():
            if action_id in typed:
                element["value"] = typed[action_id]
    return {**content, "blocks": blocks, "state": {"values": values}}


def words_of(content: object) -> str:
    """Return all texts of blocks, in a row."""
    texts = (part["text"] for part in parts(content, {"text", "plain_text", "link"}))
    return "\n".join(text for text in texts if isinstance(text, str))


# the form

FORMS = {
    "empty": Form(origin=make_origin()),
    "filled in": Form(draft=make_draft(), origin=make_origin(), fill_count=1),
    "nps": Form(draft=make_draft(metric="nps", variant="5", test=True), origin=make_origin()),
    "with others": Form(
        draft=make_draft(recipient="somebody"),
        origin=FAR,
        other_customers=tuple(f"@{letter * 15}" for letter in "abcdefghij"[: MAX_OTHER_CUSTOMERS + 1]),
        fill_count=99,
        variants={Metric.CSAT: "37", Metric.NPS: "5"},
        warned_about="@" + LONGEST_HANDLE,
    ),
    "with ids": Form(
        draft=make_draft(recipient=LARGEST_ID),
        origin=FAR,
        other_customers=("1", LARGEST_ID),
        warned_about=LARGEST_ID,
    ),
    "the longest": Form(draft=Draft(**LONG), origin=FAR),
    "the longest nps": Form(draft=Draft(**{**LONG, "metric": "nps", "variant": "5"}), origin=FAR),
    "nonsense": Form(draft=Draft(metric="ces", variant="first"), origin=make_origin()),
    **{
        f"hostile: {text[:12]!r}": Form(draft=make_draft(display_name=text, message=text), origin=FAR)
        for text in HOSTILE
    },
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("alert", ["", "Not saved, nothing was sent. Try again in a moment."])
def test_slack_takes_every_form(form: Form, alert: str) -> None:
    check_literal(check_view(FORM.build(form, alert)), "nobody", "nobody")


def test_an_alert_stands_on_top() -> None:
    view = shown(FORM.build(FORMS["filled in"], "Not saved."))

    assert view["blocks"][0]["type"] == "alert"
    assert view["blocks"][0]["text"]["text"] == "Not saved."


def test_slack_takes_the_form_of_the_largest_catalogue() -> None:
    template = PLACEHOLDER + "?" * 74
    many = Catalogue.model_validate({metric: dict.fromkeys(range(100), template) for metric in Metric})

    check_view(SurveyForm(many).build(FORMS["the longest"]))


@given(
    st.builds(
        make_draft,
        **dict.fromkeys(["display_name", "recipient", "message", "privacy_url", "external_id"], TEXT),
    )
)
def test_slack_takes_whatever_was_typed(typed: Draft) -> None:
    check_view(FORM.build(Form(draft=typed, origin=FAR, variants={Metric.NPS: "3"})))


@pytest.mark.parametrize(
    "form", [form for name, form in FORMS.items() if name not in {"the longest", "the longest nps"}]
)
def test_a_form_comes_back_as_it_was_built(form: Form) -> None:
    back = FORM.parse(returned(form))

    fine = form.draft.metric in list(Metric)
    typed = form.draft if fine else form.draft.model_copy(update={"metric": "csat", "variant": "0"})
    assert back.draft == typed
    assert back.shown_metric == typed.metric
    assert back.variants == {**form.variants, Metric(typed.metric): typed.variant}
    assert back.model_copy(update=dict.fromkeys(["draft", "shown_metric", "variants"])) == form.model_copy(
        update=dict.fromkeys(["draft", "shown_metric", "variants"])
    )
    assert FORM.build(back)["blocks"] == FORM.build(form)["blocks"]


def test_an_address_too_long_to_begin_with_comes_back_as_it_was_typed() -> None:
    form = FORMS["the longest"]
    url = form.draft.privacy_url

    assert FORM.parse(returned(form, privacy_url=url)).draft.privacy_url == url


@given(st.fixed_dictionaries(dict.fromkeys(("display_name", "recipient", "message", "external_id"), TEXT)))
def test_what_is_typed_into_the_form_is_read(typed: dict[str, str]) -> None:
    back = FORM.parse(returned(FORMS["empty"], **typed))

    assert back.draft.model_dump(include=set(typed)) == typed


@pytest.mark.parametrize("metric", Metric)
def test_a_form_says_which_questions_it_shows(metric: Metric) -> None:
    other = next(each for each in Metric if each is not metric)
    view = returned(Form(draft=make_draft(metric=metric, variant="3"), origin=make_origin()))
    chosen = {"value": other.value, "text": {"type": "plain_text", "text": other.upper()}}
    view["state"]["values"]["metric"]["metric"]["selected_option"] = chosen

    back = FORM.parse(view)

    assert (back.draft.metric, back.draft.variant, back.shown_metric) == (other, "0", metric)
    assert back.variants == {metric: "3"}
    again = FORM.parse(returned(back.model_copy(update={"draft": make_draft(metric=metric, variant="3")})))
    assert again.draft.variant == "3"


def test_what_slack_leaves_empty_is_empty() -> None:
    view = returned(FORMS["empty"])
    for inputs in view["state"]["values"].values():
        for element in inputs.values():
            element.update(dict.fromkeys(element.keys() - {"type"}))

    back = FORM.parse(view)

    assert back.draft == Draft(metric="", variant="")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_problem_is_told_under_a_field_that_is_shown(form: Form) -> None:
    view = returned(form)
    shown_fields = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}

    told = field_errors(dict.fromkeys(FormField, "Do something."), FORM.parse(view))

    assert told.keys() <= shown_fields
    assert len(told) == len(FormField)


def test_filling_in_another_customer_changes_the_field_s_block() -> None:
    before = Form(draft=make_draft(), origin=make_origin(), fill_count=1)
    after = before.model_copy(update={"fill_count": 2})

    assert get_block_id(FormField.RECIPIENT, before) != get_block_id(FormField.RECIPIENT, after)


def test_other_customers_are_offered_until_they_are_chosen() -> None:
    form = Form(
        draft=make_draft(recipient="@grace"),
        origin=make_origin(),
        other_customers=("@grace", "@joonas", "42"),
    )
    (offer,) = [block for block in shown(FORM.build(form))["blocks"] if block["type"] == "actions"]

    assert [button["value"] for button in offer["elements"]] == ["@joonas", "42"]
    assert all(button["action_id"].startswith(f"{USE_CUSTOMER_ACTION}:") for button in offer["elements"])


def test_the_option_lists_are_rendered_once() -> None:
    first, second = (FORM.build(FORMS["filled in"])["blocks"][2] for _ in range(2))

    assert len(first["element"]["options"]) == 38
    assert first is second


def test_the_form_has_one_field_for_each_thing_that_is_typed() -> None:
    view = shown(FORM.build(FORMS["filled in"]))
    fields = {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}

    assert view["callback_id"] == CALLBACK_ID
    assert fields.keys() == {*FormField, "test"}
    assert {name for name, block in fields.items() if block.get("optional")} == {
        "display_name",
        "external_id",
        "test",
    }
    assert {name for name, block in fields.items() if block.get("dispatch_action")} == set(PREVIEW_FIELDS)


# the preview


def test_the_preview_shows_what_the_customer_will_read() -> None:
    words = words_of(preview(make_draft(variant="5"), CATALOGUE))

    assert "How did we do?" in words
    assert "How would you rate your experience so far with Northwind?" in words
    assert "1   2   3   4   5" in words
    assert NPS_WARNING not in words


def test_the_preview_of_nps_has_its_scale_and_its_warning() -> None:
    words = words_of(preview(make_draft(metric="nps"), CATALOGUE))

    assert "0   1   2   3   4   5   6   7   8   9   10" in words
    assert NPS_WARNING in words


def test_the_preview_fills_in_what_is_missing() -> None:
    words = words_of(preview(Draft(metric="", variant="99"), CATALOGUE))

    assert "(your message)" in words
    assert "What is your overall satisfaction with (your name on X)?" in words


def test_the_preview_of_a_long_message_ends() -> None:
    words = words_of(preview(make_draft(message="m" * INPUT), CATALOGUE))

    assert words.count("m" * 2_500) == 1
    assert "m" * 2_501 not in words


# messages


def hostile_surveys() -> Iterator[Survey]:
    """Yield surveys that passed every check, and mean no good."""
    for metric, variant in ((Metric.CSAT, "23"), (Metric.NPS, "2")):
        for recipient in ("@" + LONGEST_HANDLE, LARGEST_ID, "@____"):
            for name, external_id in (
                ("W" * 20, "e" * 256),
                ("<!channel><!channel>", "<!channel>" * 25),
                ("*_~`&lt;!here&gt;", "<https://evil|good>" * 13),
                ("\u200f\u200eabc", "\u200f\u200e" * 128 + "x"),
                ("", ""),
            ):
                yield make_survey(
                    metric=metric,
                    variant=variant,
                    recipient=recipient,
                    display_name=name,
                    external_id=external_id[:256],
                    message="<!channel>" * 1000,
                    test=True,
                )


ADVICE = [
    *(kind("detail", api_message="<!channel>\n<https://evil|good> " * 10).sentence() for kind in REFUSALS),
    "w" * (MAX_MESSAGE_LENGTH + 300),
]


def messages(asked: Survey, there: Origin) -> Iterator[Message]:
    """Yield everything that Slack may be told of a survey."""
    for state in (State.SENT, State.ANSWERED, State.EXPIRED):
        yield notifications.confirmation(asked, there, CATALOGUE, state)
    yield notifications.uncertainty(2**63 - 1, asked, Uncertain.advice, CATALOGUE)
    yield notifications.waiting(2**63 - 1, asked, CATALOGUE, NOON)
    for advice in ADVICE:
        for editable in (True, False):
            yield notifications.refusal(2**63 - 1, asked, advice, CATALOGUE, editable=editable)


def test_slack_takes_every_message_literally() -> None:
    for asked in hostile_surveys():
        for message in messages(asked, FAR):
            content = check_message(message)
            check_literal(content, FAR.requester, asked.recipient.label)
            check_fallback(message.text, FAR.requester)


def test_a_confirmation_says_who_asked_whom_what() -> None:
    asked = make_survey(metric="nps", variant="3", test=True)
    message = check_message(notifications.confirmation(asked, make_origin(), CATALOGUE))

    question = "How would you rate the overall experience with Northwind?"
    assert message["text"] == f"<@U012AB3CD> asked @grace for feedback: {question}"
    assert [user["user_id"] for user in parts(message["blocks"], {"user"})] == ["U012AB3CD"]
    words = words_of(message["blocks"])
    assert "@grace" in words
    assert f"NPS · {question}" in words
    assert "External ID: ticket_5555" in words
    assert "Test: kept out of the figures" in words


@pytest.mark.parametrize(
    ("state", "outcome"),
    [(State.ANSWERED, "They answered."), (State.EXPIRED, "No answer came within two weeks.")],
)
def test_a_confirmation_says_whether_an_answer_came_to_ear_and_eye(state: State, outcome: str) -> None:
    message = check_message(notifications.confirmation(make_survey(), make_origin(), CATALOGUE, state))

    assert message["text"].endswith(f"? {outcome}")
    assert outcome in words_of(message["blocks"])


def test_a_confirmation_leaves_out_what_there_is_not() -> None:
    asked = make_survey(external_id="", display_name="")
    words = words_of(check_message(notifications.confirmation(asked, make_origin(), CATALOGUE))["blocks"])

    assert "CSAT · What is your overall satisfaction with …?" in words
    assert "External ID" not in words
    assert "Test" not in words


def test_a_question_that_the_catalogue_lost_is_named_by_its_number() -> None:
    small = CATALOGUE.model_copy(update={"csat": {0: "How was <display_name>?"}})
    message = check_message(notifications.confirmation(make_survey(variant="37"), make_origin(), small))

    assert message["text"].endswith("question 37")


def test_a_refusal_says_why_and_offers_another_try_where_that_helps() -> None:
    told = [
        check_message(notifications.refusal(7, make_survey(), "Do this.", CATALOGUE, editable=editable))
        for editable in (True, False)
    ]
    buttons = [
        [(b["action_id"], b["value"]) for block in each["blocks"] for b in interactive_elements(block)]
        for each in told
    ]

    assert told[0]["text"] == "The survey to @grace was not sent. Do this."
    assert all("Do this." in words_of(each["blocks"]) for each in told)
    assert buttons == [[(notifications.EDIT_ACTION, "7")], []]


def test_a_survey_that_waits_can_be_cancelled() -> None:
    message = check_message(notifications.waiting(7, make_survey(), CATALOGUE, NOON))
    buttons = [
        (b["action_id"], b["value"]) for block in message["blocks"] for b in interactive_elements(block)
    ]

    assert buttons == [(notifications.CANCEL_ACTION, "7")]


@pytest.mark.parametrize("problem", ["", "I don't understand “<!channel>”.", *HOSTILE])
def test_slack_takes_the_help(problem: str) -> None:
    usages = [Usage("/csat", "opens the form"), Usage("/csat <!here>", "*does* <b>")]

    message = help_message(usages, problem)

    check_literal(check_message(message), "nobody", "nobody")
    check_fallback(message.text, "nobody")
    for usage in usages:
        assert usage.example in words_of(sent(message.blocks))


@given(TEXT.filter(str.strip))
def test_a_message_of_one_line_says_its_words_literally(words: str) -> None:
    message = elements.plain_message(words)

    check_literal(sent(message.blocks), "nobody", "nobody")
    check_fallback(message.text, "nobody")


@given(st.text() | st.text(MARKS + "ab \n"))
def test_what_was_typed_stays_on_its_line_and_reads_forwards(typed: str) -> None:
    line = elements.one_line(typed)

    assert len(line.splitlines()) <= 1
    assert not set(line) & set(MARKS)
    assert elements.one_line(line) == line


def test_nothing_here_is_unknown_to_slack_s_own_models(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for form in FORMS.values():
            View(**shown(FORM.build(form))).to_dict()

    assert caplog.records == []
