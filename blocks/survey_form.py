"""The form that a survey is asked for with: built, and read back, with the ids that both sides share."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from blocks import form_fields
from blocks.elements import alert, context
from blocks.form_fields import MAX_INITIAL_VALUE_LENGTH, BlockDict, render_once, with_value
from blocks.preview import NPS_WARNING, preview
from blocks.status import denial_line
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.limits import Denial
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.survey import Draft, FormField, Origin, Problems

CALLBACK_ID: Final = "survey_form"
PREVIEW_FIELDS: Final = (FormField.METRIC, FormField.VARIANT, FormField.DISPLAY_NAME, FormField.MESSAGE)
"""The fields whose changes the preview follows; a field's name is its action id."""
USE_CUSTOMER_ACTION: Final = "use_customer"
"""The action id of the buttons that fill in another customer; followed by a number."""
MAX_OTHER_CUSTOMERS: Final = 5

_TEXTS: Final = (
    FormField.DISPLAY_NAME,
    FormField.RECIPIENT,
    FormField.MESSAGE,
    FormField.PRIVACY_URL,
    FormField.EXTERNAL_ID,
)


class Form(FrozenModel):
    """An open form: what is typed in it, and what it remembers beside that."""

    draft: Draft = Draft()
    origin: Origin
    others: tuple[str, ...] = ()
    """More customers that the message named."""
    names_nobody: bool = False
    """Whether it was opened from a message in which no customer was found."""
    filled: int = 0
    """How often the app filled in a customer; part of the field's block id, so that filling in shows."""
    variants: Mapping[Metric, str] = {}
    """The question last chosen for each type."""
    warned_of: str = ""
    """The customer whom X's hint warned of; submitting the same again sends."""
    denial: Denial | None = None
    """The limit that stood in the way of the last submission."""
    link: str = ""
    """Where the survey that stands in the way was asked for, if the reader may see that."""
    shows: Metric | None = None
    """The type whose questions the form shows: another one than the draft's where an update was lost."""


class SurveyForm:
    """Builds and reads the form; what does not change from one form to the next is rendered once.

    Args:
        catalogue: the questions to choose from.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._questions = {metric: _questions(catalogue, metric) for metric in Metric}

    def build(self, form: Form, alert_text: str = "") -> dict[str, Any]:
        """Return the form as a modal view; `alert_text` is shown on top of it."""
        return {
            "type": "modal",
            "callback_id": CALLBACK_ID,
            "title": _plain("Feedback survey"),
            "submit": _plain("Send survey"),
            "close": _plain("Cancel"),
            "private_metadata": form.model_dump_json(exclude={"draft", "shows"}),
            "blocks": list(self._blocks(form, alert_text)),
        }

    def parse(self, view: Mapping[str, Any]) -> Form:
        """Return the form that Slack sends back with a change or a submission."""
        form = Form.model_validate_json(view["private_metadata"])
        typed = dict(_typed(view["state"]["values"]))
        shows = next((metric for metric in Metric if f"{FormField.VARIANT}:{metric}" in typed), None)
        metric = typed.get(FormField.METRIC, "")
        variants = {**form.variants, **({shows: typed[f"{FormField.VARIANT}:{shows}"]} if shows else {})}
        draft = Draft(
            metric=metric,
            variant=variants.get(Metric(metric), "0") if metric in list(Metric) else "",
            test=bool(typed.get(form_fields.TEST)),
            **{field: typed.get(field, "") for field in _TEXTS},
        )
        return form.model_copy(update={"draft": draft, "variants": variants, "shows": shows})

    def _blocks(self, form: Form, alert_text: str) -> Iterator[BlockDict]:
        draft = form.draft
        metric = Metric(draft.metric) if draft.metric in list(Metric) else Metric.CSAT
        questions = self._questions[metric]
        if alert_text:
            yield alert(alert_text, level="error").to_dict()
        customer = form_fields.recipient(focused=not draft.recipient)
        yield with_value(customer, draft.recipient, block_id=get_block_id(FormField.RECIPIENT, form))
        yield from (block.to_dict() for block in _about_the_customer(form))
        yield form_fields.metric(metric)
        if metric is Metric.NPS:
            yield _nps_warning()
        yield questions.get(draft.variant, next(iter(questions.values())))
        yield with_value(form_fields.display_name(), draft.display_name)
        yield with_value(form_fields.message(), draft.message)
        yield with_value(form_fields.privacy_url(), draft.privacy_url[:MAX_INITIAL_VALUE_LENGTH])
        yield with_value(form_fields.external_id(), draft.external_id)
        yield form_fields.test(draft.test)
        yield from preview(draft, self.catalogue)


def get_block_id(field: FormField, form: Form) -> str:
    """Return the block id under which the form shows a field."""
    if field is FormField.VARIANT:
        return f"{field}:{form.shows}"
    return f"{field}:{form.filled}" if field is FormField.RECIPIENT else field


def field_errors(problems: Problems, form: Form) -> dict[str, str]:
    """Return problems as Slack shows them, by block id."""
    return {get_block_id(field, form): advice for field, advice in problems.items()}


def _questions(catalogue: Catalogue, metric: Metric) -> dict[str, BlockDict]:
    """Return the field for the question, rendered for each question that can be chosen in it."""
    options = {
        str(variant): option.to_dict()
        for variant, option in form_fields.question_options(catalogue, metric).items()
    }
    block_id = f"{FormField.VARIANT}:{metric}"
    return {chosen: form_fields.variant(block_id, options, chosen).to_dict() for chosen in options}


@render_once
def _nps_warning() -> Block:
    return alert(NPS_WARNING)


def _about_the_customer(form: Form) -> Iterator[Block]:
    if form.names_nobody and not form.draft.recipient:
        yield context("This message names no customer.")
    if form.warned_of:
        yield alert(
            f"{form.warned_of} probably does not take your direct messages. Send again to try all the same."
        )
    if form.denial:
        yield denial_line(form.denial, form.link)
    if others := [other for other in form.others if other != form.draft.recipient]:
        yield ActionsBlock(elements=[_use(number, other) for number, other in enumerate(others)])


def _use(number: int, other: str) -> ButtonElement:
    return ButtonElement(
        action_id=f"{USE_CUSTOMER_ACTION}:{number}",
        text=f"Use {other}",
        value=other,
        accessibility_label=f"Fill in {other} as the customer",
    )


def _plain(words: str) -> BlockDict:
    return {"type": "plain_text", "text": words, "emoji": True}


def _typed(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each input's value by field; a question's by field and type."""
    for block_id, elements in values.items():
        for action_id, element in elements.items():
            chosen: Mapping[str, Any] = element.get("selected_option") or next(
                iter(element.get("selected_options") or ()), {}
            )
            name = block_id if action_id == FormField.VARIANT else action_id
            yield name, element.get("value") or chosen.get("value") or ""
