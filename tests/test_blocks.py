import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.views import View

from blocks import elements, survey_notifications, uncertain_survey, wait_reasons
from blocks.customer_status import CustomerStatus, status_message
from blocks.elements import Message
from blocks.form_customer import USE_CUSTOMER_ACTION
from blocks.form_state import Form, field_errors, get_block_id
from blocks.help import Usage, help_message
from blocks.survey_form import CALLBACK_ID, MAX_OTHER_CUSTOMERS, SurveyForm
from csat.surveys.limits import Denial
from csat.surveys.networks import Network
from csat.surveys.opt_outs import MAX_REASON_LENGTH, How, OptOut
from csat.surveys.origin import Origin
from csat.surveys.posted_survey_keys import make_key
from csat.surveys.questions import PLACEHOLDER, Catalogue, Metric
from csat.surveys.recipients import SlackPerson, XAccount
from csat.surveys.states import State
from csat.surveys.survey import Draft, FormField, Survey
from csat.surveys.transport_errors import Refused
from csat.surveys.transports import TransportName
from csat.x_api.errors import Unanswered
from csat.x_api.refusals import REFUSALS
from csat.x_api.wire import MAX_MESSAGE_LENGTH
from handlers import slack_customers
from handlers.status_command import MAX_SURVEYS
from sandbox.slack.interactive_elements import add_missing_ids, interactive_elements, state_values
from tests import sample_messages as samples
from tests.block_kit_checks import (
    HOSTILE,
    check_literal,
    check_message,
    check_view,
    find_parts,
    to_json,
    view_json,
)
from tests.factories import (
    CATALOGUE,
    LARGEST_ID,
    LONGEST_HANDLE,
    LONGEST_ORIGIN,
    NOON,
    make_draft,
    make_origin,
    make_survey,
)
from tests.sample_messages import SURVEY_FORM
from tests.strategies import TEXT

Json = dict[str, Any]

MARKS = "\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
MAX_INPUT_LENGTH = 3_000
"""Slack's limit for a plain-text input."""

LONG = {
    "display_name": "W" * MAX_INPUT_LENGTH,
    "recipient": "@" + "w" * (MAX_INPUT_LENGTH - 1),
    "message": "<!channel>" * (MAX_INPUT_LENGTH // 10),
    "privacy_url": "https://northwind.example/" + "p" * 5_000,
    "external_id": "e" * MAX_INPUT_LENGTH,
    "test": True,
}


LONGEST_PERSON = SlackPerson(team="T" * 15, user="U" * 15)
SLACK_FORM = SurveyForm(CATALOGUE, make_draft(), tuple(TransportName))


def check_fallback(text: str, requester: str) -> None:
    """Check that a fallback text, which Slack parses as mrkdwn, contains no tag but the requester."""
    assert "<" not in text.replace(f"<@{requester}>", "")
    assert ">" not in text.replace(f"<@{requester}>", "")
    assert "\n" not in text


def submitted_view(form: Form, **typed: str) -> Json:
    """Return a form's view as Slack submits it, with the given texts typed in."""
    content = view_json(SURVEY_FORM.build(form))
    blocks = add_missing_ids(content["blocks"], iter(map(str, range(100))).__next__)
    values = state_values(blocks)
    for inputs in values.values():
        for action_id, element in inputs.items():
            if action_id in typed:
                element["value"] = typed[action_id]
    return {**content, "blocks": blocks, "state": {"values": values}}


def extract_text(content: object) -> str:
    """Return all texts of the blocks, one per line."""
    texts = (part["text"] for part in find_parts(content, {"text", "plain_text", "link"}))
    return "\n".join(text for text in texts if isinstance(text, str))


# the form

FORMS = {
    "empty": Form(draft=Draft(transport="x_card", variant="0"), origin=make_origin()),
    "filled in": Form(draft=make_draft(), origin=make_origin(), fill_count=1, shows_options=True),
    "without options": Form(draft=make_draft(external_id="x" * 256), origin=LONGEST_ORIGIN),
    "nps": Form(draft=make_draft(metric="nps", variant="5", test=True), origin=make_origin()),
    "with others": Form(
        draft=make_draft(recipient="somebody"),
        origin=LONGEST_ORIGIN,
        other_customers=tuple(f"@{letter * 15}" for letter in "abcdefghij"[: MAX_OTHER_CUSTOMERS + 1]),
        fill_count=99,
        variants={Metric.CSAT: "37", Metric.NPS: "5"},
        warned_about="@" + LONGEST_HANDLE,
    ),
    "with ids": Form(
        draft=make_draft(recipient=LARGEST_ID),
        origin=LONGEST_ORIGIN,
        other_customers=("1", LARGEST_ID),
        warned_about=LARGEST_ID,
    ),
    "the longest": Form(draft=Draft(**LONG), origin=LONGEST_ORIGIN),
    "the longest nps": Form(draft=Draft(**{**LONG, "metric": "nps", "variant": "5"}), origin=LONGEST_ORIGIN),
    "nonsense": Form(draft=Draft(transport="x_card", metric="ces", variant="first"), origin=make_origin()),
    **{
        f"hostile: {text[:12]!r}": Form(
            draft=make_draft(display_name=text, message=text), origin=LONGEST_ORIGIN
        )
        for text in HOSTILE
    },
}


def test_a_date_reads_well_within_a_sentence_and_has_the_same_style_without_slack() -> None:
    date = elements.timestamp(NOON).to_dict()

    assert not date["format"].startswith("{")  # Slack would capitalize "yesterday"
    assert date["fallback"] == "Mar 4, 2026 at 12:00 UTC"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("alert", ["", "Not saved, nothing was sent. Try again in a moment."])
def test_every_form_is_valid(form: Form, alert: str) -> None:
    check_literal(check_view(SURVEY_FORM.build(form, alert)), "nobody", "nobody")


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("is_denied", [True, False])
def test_every_form_for_a_person_in_slack_is_valid_and_parsed_as_it_was_built(
    metric: Metric, *, is_denied: bool
) -> None:
    form = Form(
        draft=make_draft(recipient="", metric=metric, variant="0"),
        origin=LONGEST_ORIGIN,
        other_customers=tuple(f"@{letter * 15}" for letter in "abcdefghij"[: MAX_OTHER_CUSTOMERS + 1]),
        variants={Metric.CSAT: "0", Metric.NPS: "0"},
        entered={Network.X: "@" + LONGEST_HANDLE},
        edited_id=2**63 - 1,
        refusal_url=LONGEST_ORIGIN.response_url,
        shows_options=True,
    ).with_customer(LONGEST_PERSON)
    denial = Denial.from_opt_out(
        OptOut(recorded_at=NOON, how=How.AGENT, team="T" * 15, by="U" * 15, reason='"' * MAX_REASON_LENGTH)
    )
    shown = form.with_denial(denial, unfit=slack_customers.AN_APP) if is_denied else form
    view = check_view(SLACK_FORM.build(shown.model_copy(update={"submitted": True})))
    blocks = add_missing_ids(view["blocks"], iter(map(str, range(100))).__next__)

    parsed = SLACK_FORM.parse({**view, "state": {"values": state_values(blocks)}})
    assert parsed.recipient == LONGEST_PERSON
    assert parsed.draft == form.draft.model_copy(update={"transport": TransportName.SLACK})
    assert parsed.entered == form.entered


def test_an_alert_is_the_first_block() -> None:
    view = view_json(SURVEY_FORM.build(FORMS["filled in"], "Not saved."))

    assert view["blocks"][0]["type"] == "alert"
    assert view["blocks"][0]["text"]["text"] == "Not saved."


def test_the_form_of_the_largest_catalogue_is_valid() -> None:
    template = PLACEHOLDER + "?" * 74
    largest = Catalogue(questions={metric: dict.fromkeys(range(100), template) for metric in Metric})

    check_view(SurveyForm(largest, make_draft(), (TransportName.X_CARD,)).build(FORMS["the longest"]))


@given(
    st.builds(
        make_draft,
        **dict.fromkeys(["display_name", "recipient", "message", "privacy_url", "external_id"], TEXT),
    )
)
def test_a_form_with_any_typed_text_is_valid(typed: Draft) -> None:
    check_view(SURVEY_FORM.build(Form(draft=typed, origin=LONGEST_ORIGIN, variants={Metric.NPS: "3"})))


@pytest.mark.parametrize(
    "form", [form for name, form in FORMS.items() if name not in {"the longest", "the longest nps"}]
)
def test_a_submitted_form_is_parsed_into_the_form_it_was_built_from(form: Form) -> None:
    parsed = SURVEY_FORM.parse(submitted_view(form))

    is_valid = form.draft.metric in list(Metric)
    typed = form.draft if is_valid else form.draft.model_copy(update={"metric": "csat", "variant": "0"})
    assert parsed.draft == typed
    assert parsed.shown_questions == f"{FormField.VARIANT}:{typed.transport}:{typed.metric}"
    assert parsed.variants == {**form.variants, Metric(typed.metric): typed.variant}
    others = dict.fromkeys(
        ["draft", "network", "shown_questions", "variants", "shows_options", "hidden_external_id"]
    )
    assert parsed.model_copy(update=others) == form.model_copy(update=others)
    assert SURVEY_FORM.build(parsed)["blocks"] == SURVEY_FORM.build(form)["blocks"]


def test_a_url_too_long_to_prefill_is_parsed_as_typed() -> None:
    form = FORMS["the longest"]
    url = form.draft.privacy_url

    assert SURVEY_FORM.parse(submitted_view(form, privacy_url=url)).draft.privacy_url == url


@given(st.fixed_dictionaries(dict.fromkeys(("display_name", "recipient", "message", "external_id"), TEXT)))
def test_typed_text_is_parsed_unchanged(typed: dict[str, str]) -> None:
    parsed = SURVEY_FORM.parse(submitted_view(FORMS["empty"], **typed))

    assert parsed.draft.model_dump(include=set(typed)) == typed


@pytest.mark.parametrize("metric", Metric)
def test_a_form_remembers_which_questions_it_shows(metric: Metric) -> None:
    other = next(candidate for candidate in Metric if candidate is not metric)
    view = submitted_view(Form(draft=make_draft(metric=metric, variant="3"), origin=make_origin()))
    chosen = {"value": other.value, "text": {"type": "plain_text", "text": other.upper()}}
    view["state"]["values"]["metric"]["metric"]["selected_option"] = chosen

    parsed = SURVEY_FORM.parse(view)

    assert (parsed.draft.metric, parsed.draft.variant) == (other, "")
    assert parsed.shown_questions == f"{FormField.VARIANT}:x_card:{metric}" != parsed.questions_block_id
    assert parsed.variants == {metric: "3"}
    again = SURVEY_FORM.parse(
        submitted_view(parsed.model_copy(update={"draft": make_draft(metric=metric, variant="3")}))
    )
    assert again.draft.variant == "3"


def test_nulls_are_parsed_as_empty() -> None:
    view = submitted_view(FORMS["empty"])
    for inputs in view["state"]["values"].values():
        for element in inputs.values():
            element.update(dict.fromkeys(element.keys() - {"type"}))

    parsed = SURVEY_FORM.parse(view)

    assert parsed.draft == Draft(transport="x_card", metric="", variant="")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_error_is_shown_under_a_visible_field(form: Form) -> None:
    view = submitted_view(form.model_copy(update={"shows_options": True}))
    shown_fields = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}

    errors = field_errors(dict.fromkeys(FormField, "Do something."), SURVEY_FORM.parse(view))

    assert errors.keys() <= shown_fields
    assert len(errors) == len(FormField)


def test_filling_in_another_customer_changes_the_block_id() -> None:
    before = Form(draft=make_draft(), origin=make_origin(), fill_count=1)
    after = before.model_copy(update={"fill_count": 2})

    assert get_block_id(FormField.RECIPIENT, before) != get_block_id(FormField.RECIPIENT, after)


def test_other_customers_are_offered_until_they_are_chosen() -> None:
    form = Form(
        draft=make_draft(recipient="@grace"),
        origin=make_origin(),
        other_customers=("@grace", "@joonas", "42"),
    )
    offer, _ = [block for block in view_json(SURVEY_FORM.build(form))["blocks"] if block["type"] == "actions"]

    assert [button["value"] for button in offer["elements"]] == ["@joonas", "42"]
    assert all(button["action_id"].startswith(f"{USE_CUSTOMER_ACTION}:") for button in offer["elements"])


def test_the_option_lists_are_rendered_once() -> None:
    blocks = [
        *SURVEY_FORM.build(FORMS["filled in"])["blocks"],
        *SURVEY_FORM.build(FORMS["filled in"])["blocks"],
    ]
    first, second = (block for block in blocks if block.get("block_id") == f"{FormField.VARIANT}:x_card:csat")

    assert len(first["element"]["options"]) == 38
    assert first is second


def test_the_form_has_one_field_per_input() -> None:
    view = view_json(SURVEY_FORM.build(FORMS["filled in"]))
    fields = {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}

    assert view["callback_id"] == CALLBACK_ID
    assert fields.keys() == {*FormField, "test"}
    assert {name for name, block in fields.items() if block.get("optional")} == {
        "display_name",
        "external_id",
        "test",
    }
    assert {name for name, block in fields.items() if block.get("dispatch_action")} == set(FormField)


# the preview


def build_form(draft: Draft) -> Json:
    return SURVEY_FORM.build(Form(draft=draft, origin=make_origin()))


def test_the_preview_shows_message_question_and_scale() -> None:
    text = extract_text(build_form(make_draft(variant="5")))

    assert "How did we do?" in text
    assert "How would you rate your experience so far with Northwind?" in text
    assert "1   2   3   4   5" in text


def test_the_nps_preview_shows_its_scale() -> None:
    text = extract_text(build_form(make_draft(metric="nps")))

    assert "0   1   2   3   4   5   6   7   8   9   10" in text


def test_the_preview_has_placeholders_for_missing_values() -> None:
    text = extract_text(build_form(Draft(transport="x_card", metric="", variant="99")))

    assert "(your message)" in text
    assert "What is your overall satisfaction with (your name on X)?" in text


def test_the_preview_of_a_long_message_is_truncated() -> None:
    text = extract_text(build_form(make_draft(message="m" * MAX_INPUT_LENGTH)))

    assert text.count("m" * 2_500) == 1
    assert "m" * 2_501 not in text


# messages


def hostile_surveys() -> Iterator[Survey]:
    """Yield valid surveys with hostile texts."""
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


LONG_KEY = make_key(2**63 - 1, NOON)


def messages(survey: Survey, origin: Origin) -> Iterator[Message]:
    """Yield every kind of message about a survey."""
    for state in (State.SENT, State.ANSWERED, State.EXPIRED):
        yield survey_notifications.confirmation(survey, origin, CATALOGUE, state)
    yield uncertain_survey.uncertainty(LONG_KEY, survey, Unanswered.advice, CATALOGUE)
    yield uncertain_survey.uncertainty(LONG_KEY, survey, uncertain_survey.OTHER_ACCOUNT_UNCERTAIN, CATALOGUE)
    yield survey_notifications.waiting(LONG_KEY, survey, CATALOGUE, NOON)
    yield survey_notifications.settled(survey, State.UNCERTAIN, CATALOGUE)
    until = wait_reasons.WAITS_FOR_OTHER_ACCOUNT._replace(until=NOON)
    yield survey_notifications.waiting(LONG_KEY, survey, CATALOGUE, NOON, until)
    yield survey_notifications.waiting(
        LONG_KEY, survey, CATALOGUE, NOON, wait_reasons.account_paused("closed")
    )
    for advice in ADVICE:
        for editable in (True, False):
            yield survey_notifications.refusal(LONG_KEY, survey, advice, CATALOGUE, editable=editable)


def test_every_message_is_valid_and_literal() -> None:
    for survey in hostile_surveys():
        for message in messages(survey, LONGEST_ORIGIN):
            content = check_message(message)
            check_literal(content, LONGEST_ORIGIN.requester, survey.recipient.label)
            check_fallback(message.text, LONGEST_ORIGIN.requester)


def test_a_confirmation_shows_requester_recipient_and_question() -> None:
    survey = make_survey(metric="nps", variant="3", test=True)
    message = check_message(survey_notifications.confirmation(survey, make_origin(), CATALOGUE))

    question = "How would you rate the overall experience with Northwind?"
    assert message["text"] == f"<@U012AB3CD> sent a survey to @grace on X: {question}"
    assert [user["user_id"] for user in find_parts(message["blocks"], {"user"})] == ["U012AB3CD"]
    text = extract_text(message["blocks"])
    assert "@grace" in text
    assert f"NPS · {question}" in text
    assert "Case number: ticket_5555" in text
    assert "Test: left out of reports" in text


@pytest.mark.parametrize(
    ("state", "outcome"),
    [(State.ANSWERED, "They answered."), (State.EXPIRED, "No answer within two weeks.")],
)
def test_a_confirmation_shows_the_outcome_in_blocks_and_fallback_text(state: State, outcome: str) -> None:
    message = check_message(survey_notifications.confirmation(make_survey(), make_origin(), CATALOGUE, state))

    assert message["text"].endswith(f"? {outcome}")
    assert outcome in extract_text(message["blocks"])


def test_a_confirmation_omits_missing_values() -> None:
    survey = make_survey(external_id="", display_name="")
    text = extract_text(
        check_message(survey_notifications.confirmation(survey, make_origin(), CATALOGUE))["blocks"]
    )

    assert "CSAT · What is your overall satisfaction with …?" in text
    assert "Case number" not in text
    assert "Test" not in text


def test_a_question_missing_from_the_catalogue_is_shown_by_its_number() -> None:
    small = Catalogue(questions={Metric.CSAT: {0: "How was <display_name>?"}})
    message = check_message(
        survey_notifications.confirmation(make_survey(variant="37"), make_origin(), small)
    )

    assert message["text"].endswith("question 37")


def test_a_question_that_the_team_no_longer_uses_is_still_shown_in_messages() -> None:
    selected = CATALOGUE.select({Metric.CSAT: (0,)})
    message = check_message(
        survey_notifications.confirmation(make_survey(variant="37"), make_origin(), selected)
    )

    assert message["text"].endswith("How would you rate your recent meal at Northwind?")


def test_a_refusal_gives_its_reason_and_offers_editing_if_possible() -> None:
    refusals = [
        check_message(
            survey_notifications.refusal("7", make_survey(), "Do this.", CATALOGUE, editable=editable)
        )
        for editable in (True, False)
    ]
    buttons = [
        [(b["action_id"], b["value"]) for block in message["blocks"] for b in interactive_elements(block)]
        for message in refusals
    ]

    assert refusals[0]["text"] == "The survey to @grace was not sent. Do this."
    assert all("Do this." in extract_text(message["blocks"]) for message in refusals)
    assert buttons == [[(survey_notifications.EDIT_ACTION, "7")], []]


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_status_fits_with_the_longest_reasons_of_x(kind: type[Refused]) -> None:
    longest = {"advice": kind(api_message="x" * MAX_MESSAGE_LENGTH).sentence()}
    surveys = [samples.REFUSED.model_copy(update=longest)] * MAX_SURVEYS
    for last_failure in (None, surveys[0]):
        status = CustomerStatus(XAccount(handle=LONGEST_HANDLE), surveys, last_failure=last_failure)
        message = check_message(status_message(status, samples.COLLEAGUE))

        assert longest["advice"] in extract_text(message["blocks"])


def test_a_waiting_message_has_a_cancel_button() -> None:
    message = check_message(survey_notifications.waiting("7", make_survey(), CATALOGUE, NOON))
    buttons = [
        (b["action_id"], b["value"]) for block in message["blocks"] for b in interactive_elements(block)
    ]

    assert buttons == [(survey_notifications.CANCEL_ACTION, "7")]


def test_the_help_is_valid_and_literal() -> None:
    usages = [Usage("/csat", "opens the survey form"), Usage("/csat <!here>", "*does* <b>")]

    message = help_message(usages, tuple(Network))

    check_literal(check_message(message), "nobody", "nobody")
    check_fallback(message.text, "nobody")
    for usage in usages:
        assert usage.example in extract_text(to_json(message.blocks))


@given(TEXT.filter(str.strip))
def test_a_plain_message_is_literal(text: str) -> None:
    message = elements.plain_message(text)

    check_literal(to_json(message.blocks), "nobody", "nobody")
    check_fallback(message.text, "nobody")


@given(st.text() | st.text(MARKS + "ab \n"))
def test_one_line_removes_line_breaks_and_direction_marks(typed: str) -> None:
    line = elements.one_line(typed)

    assert len(line.splitlines()) <= 1
    assert not set(line) & set(MARKS)
    assert elements.one_line(line) == line


def test_slack_sdk_models_accept_every_form_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for form in FORMS.values():
            View(**view_json(SURVEY_FORM.build(form))).to_dict()

    assert caplog.records == []
