"""The survey form: built, and parsed when Slack sends it back."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from blocks import form_inputs
from blocks.block_json import BlockDict, render, render_once
from blocks.elements import alert, context, plain_text
from blocks.form_customer import customer_blocks, customer_field, reasons_to_stay_open
from blocks.form_inputs import MAX_INITIAL_VALUE_LENGTH, with_value
from blocks.form_state import METRICS, Form
from blocks.offered_transports import OfferedTransports
from blocks.preview import preview
from csat.surveys.networks import Network
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.survey import Draft, FormField
from csat.surveys.transports import FACTS, TransportName

CALLBACK_ID: Final = "survey_form"
CHECKED_FIELDS: Final[tuple[FormField, ...]] = (FormField.RECIPIENT, FormField.TRANSPORT)
"""The fields whose changes, or Enter in them, also check whether the customer can be asked."""
PREVIEW_FIELDS: Final = tuple(field for field in FormField if field not in CHECKED_FIELDS)
"""The fields whose changes, or Enter in them, update the preview; a field's name is its action id."""
OPTIONS: Final = (FormField.DISPLAY_NAME, FormField.MESSAGE, FormField.PRIVACY_URL, FormField.EXTERNAL_ID)
"""The fields that few people change. The transport, a test and these are behind a button."""
MORE_OPTIONS_ACTION: Final = "more_options"
SWITCH_NETWORK_ACTION: Final = "switch_network"
MAX_OTHER_CUSTOMERS: Final = 5

_USUAL_OPTIONS: Final = ("display_name", "message", "privacy_url", "test")

_SWITCH_LABELS: Final = {
    Network.X: "Ask a customer on X instead",
    Network.SLACK: "Ask a person in Slack instead",
}
INVITATION_HINT: Final = (
    "If Slack refuses the direct message, they are asked in this thread: others see that, but no answer."
)


class SurveyForm:
    """Builds and parses the form; the options of the menus are rendered once.

    Args:
        catalogue: the questions to choose from.
        defaults: what the options are while they are not shown, apart from the case number.
        transports: those to choose from, the usual one first.
        rating_page: the address of the rating page, as the preview shows it.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        defaults: Draft,
        transports: tuple[TransportName, ...],
        rating_page: str = "",
    ) -> None:
        self.catalogue = catalogue
        self.transports = OfferedTransports(transports)
        self._rating_page = rating_page
        self._usual_options = {name: getattr(defaults, name) for name in _USUAL_OPTIONS}
        self._questions = {
            (transport, metric): _questions(catalogue, transport, metric)
            for transport in transports
            for metric in Metric
        }

    def build(self, form: Form, alert_text: str = "") -> dict[str, Any]:
        """Return the form as a modal view, with an alert if there is a text for it, or its transport is gone.

        The options are shown at once if one of them must be filled in, or is not what it usually is.
        """
        alert_text = alert_text or self.transports.explain_change(form)
        form = self.transports.fit(form)
        shows_options = form.shows_options or self._has_unusual_options(form)
        hidden = {
            "shows_options": shows_options,
            "hidden_external_id": "" if shows_options else form.draft.external_id,
        }
        form = form.model_copy(update=hidden)
        return {
            "type": "modal",
            "callback_id": CALLBACK_ID,
            "title": plain_text("Feedback survey"),
            "submit": plain_text("Send survey"),
            "close": plain_text("Cancel"),
            "private_metadata": form.to_metadata(),
            "blocks": list(self._blocks(form, alert_text)),
        }

    def parse(self, view: Mapping[str, Any]) -> Form:
        """Return the form from the view of a block action or a submission."""
        form = Form.model_validate_json(view["private_metadata"])
        values = dict(_values(view["state"]["values"]))
        shown_questions = next((name for name in values if name.startswith(f"{FormField.VARIANT}:")), "")
        shown_metric = shown_questions.rpartition(":")[2]
        metric = values.get(FormField.METRIC, "")
        variants = {
            **form.variants,
            **({Metric(shown_metric): values[shown_questions]} if shown_metric in METRICS else {}),
        }
        offered = self.transports.offered(form)
        chosen = values.get(FormField.TRANSPORT)
        transport = TransportName(chosen) if chosen in offered else offered[0]
        draft = Draft(
            transport=transport,
            metric=metric,
            variant=variants.get(Metric(metric), "") if metric in METRICS else "",
            recipient=_entered_customer(view["state"]["values"]),
            test=bool(values.get(form_inputs.TEST)),
            **{field: values.get(field, "") for field in OPTIONS},
        )
        shows_options = FormField.MESSAGE in values
        if not shows_options:
            draft = draft.model_copy(update={**self._usual_options, "external_id": form.hidden_external_id})
        parsed = {
            "draft": draft,
            "variants": variants,
            "shown_questions": shown_questions,
            "shows_options": shows_options,
        }
        return form.model_copy(update=parsed)

    def _has_unusual_options(self, form: Form) -> bool:
        draft, facts = form.draft, FACTS[TransportName(form.draft.transport)]
        usual = draft.model_copy(
            update={**self._usual_options, "transport": self.transports.offered(form)[0]}
        )
        is_incomplete = (facts.requires_privacy_url and not draft.privacy_url) or (
            not facts.fills_in_display_name and not draft.display_name
        )
        return is_incomplete or draft != usual

    def _blocks(self, form: Form, alert_text: str) -> Iterator[BlockDict]:
        draft = form.draft
        metric = Metric(draft.metric) if draft.metric in METRICS else Metric.CSAT
        transport = TransportName(draft.transport)
        questions = self._questions[transport, metric]
        variant = draft.variant if draft.variant in questions else next(iter(questions))
        template = self.catalogue.template(metric, int(variant))
        offered = self.transports.offered(form)
        if alert_text:
            yield render(alert(alert_text, level="error"))
        yield customer_field(form)
        yield from map(render, customer_blocks(form))
        yield form_inputs.metric(metric)
        yield questions[variant]
        yield from preview(draft, metric, template, self._rating_page, names_transport=len(offered) > 1)
        if form.origin.thread and form.shown_network is Network.SLACK:
            yield _invitation_hint()
        other_network, has_more = self.transports.other_network(form), not form.shows_options
        if other_network or has_more:
            yield _button_row(other_network, has_more=has_more)
        if form.shows_options:
            if len(offered) > 1:
                yield form_inputs.transport(offered, transport)
            yield from _options(draft)
            if form.submitted:
                yield from map(render, reasons_to_stay_open(form, alert_text))


def _questions(catalogue: Catalogue, transport: TransportName, metric: Metric) -> dict[str, BlockDict]:
    """Return the rendered field for each question that can be selected in it."""
    options = form_inputs.question_options(catalogue.variants_for(transport, metric)).values()
    field = render(form_inputs.variant(f"{FormField.VARIANT}:{transport}:{metric}", options))
    return {
        option["value"]: {**field, "element": {**field["element"], "initial_option": option}}
        for option in options
    }


@render_once
def _invitation_hint() -> Block:
    return context(INVITATION_HINT)


def _options(draft: Draft) -> Iterator[BlockDict]:
    transport = TransportName(draft.transport)
    facts = FACTS[transport]
    display_name = form_inputs.display_name(is_filled_in=facts.fills_in_display_name)
    privacy_url = form_inputs.privacy_url(is_optional=not facts.requires_privacy_url)
    yield with_value(display_name, draft.display_name)
    yield with_value(form_inputs.message(transport), draft.message)
    yield with_value(privacy_url, draft.privacy_url[:MAX_INITIAL_VALUE_LENGTH])
    yield with_value(form_inputs.external_id(), draft.external_id)
    yield form_inputs.test(draft.test)


@render_once
def _button_row(other_network: Network | None, *, has_more: bool) -> Block:
    more = ButtonElement(
        action_id=MORE_OPTIONS_ACTION,
        text="More options",
        accessibility_label="More options: message, name, privacy policy, case number and test",
    )
    buttons = [more] if has_more else []
    if other_network:
        label = _SWITCH_LABELS[other_network]
        buttons.append(ButtonElement(action_id=SWITCH_NETWORK_ACTION, text=label, value=other_network))
    return ActionsBlock(elements=buttons)


def _entered_customer(state: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what the field for the customer has: a text, or a mention of a person in Slack."""
    fields = (inputs[FormField.RECIPIENT] for inputs in state.values() if FormField.RECIPIENT in inputs)
    element: Mapping[str, Any] = next(fields, {})
    user = element.get("selected_user")
    return f"<@{user}>" if user else element.get("value") or ""


def _values(state: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the value of each input by action id, but of a question by block id."""
    for block_id, inputs in state.items():
        for action_id, element in inputs.items():
            selected: Mapping[str, Any] = element.get("selected_option") or next(
                iter(element.get("selected_options") or ()), {}
            )
            name = block_id if action_id == FormField.VARIANT else action_id
            yield name, element.get("value") or selected.get("value") or ""
