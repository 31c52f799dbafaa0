"""The survey form: built, and parsed when Slack sends it back."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

from pydantic import ValidationError, ValidatorFunctionWrapHandler, field_validator
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from blocks import form_inputs
from blocks.elements import alert, context, plain_text
from blocks.form_inputs import MAX_INITIAL_VALUE_LENGTH, with_value
from blocks.limit_denial import denial_line, opt_out_notes
from blocks.preview import preview
from blocks.serialization import BlockDict, render, render_once
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.limits import Denial
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.recipients import InvalidRecipient, parse_recipient
from csat.surveys.survey import Draft, FormField, Origin, Problems
from csat.surveys.transports import TransportName

CALLBACK_ID: Final = "survey_form"
PREVIEW_FIELDS: Final = tuple(field for field in FormField if field is not FormField.RECIPIENT)
"""The fields whose changes, or Enter in them, update the preview; a field's name is its action id."""
OPTIONS: Final = (FormField.DISPLAY_NAME, FormField.MESSAGE, FormField.PRIVACY_URL, FormField.EXTERNAL_ID)
"""The fields that few people change. The transport, a test and these are behind a button."""
MORE_OPTIONS_ACTION: Final = "more_options"
USE_CUSTOMER_ACTION: Final = "use_customer"
"""The prefix of the action ids of the buttons that fill in another customer."""
MAX_OTHER_CUSTOMERS: Final = 5

_METRICS: Final = tuple(Metric)  # iterating over an enum is slow
_USUAL_OPTIONS: Final = ("display_name", "message", "privacy_url", "test")
_NOT_KEPT: Final[Any] = {
    "draft": True,
    "shown_questions": True,
    "shows_options": True,
    "denial": {"opt_out": {"reason"}},  # not shown, and it may be another workspace's
}
"""What the private metadata leaves out."""
_TEXT_FIELDS: Final = (FormField.RECIPIENT, *OPTIONS)


class Form(FrozenModel):
    """The state of an open form: its values, and what its private metadata keeps."""

    draft: Draft = Draft()
    origin: Origin
    other_customers: tuple[str, ...] = ()
    """The customers that the message names."""
    no_customer_found: bool = False
    """True if the message names no customer."""
    fill_count: int = 0
    """How often a customer was filled in. Part of the block id, as Slack keeps a value until that changes."""
    variants: Mapping[Metric, str] = {}
    """The question last selected for each metric, in this form or in the person's last one."""
    warned_about: str = ""
    """The customer about whose closed messages the form warned; submitting again sends."""
    denial: Denial | None = None
    """Why the customer can't be asked now."""
    denied: str = ""
    """The customer whom the denial is about."""
    link: str = ""
    """The link to the survey that caused the denial, if the requester may see it."""
    submitted: bool = False
    """Whether the form was submitted: what keeps it open is repeated at its end, beside the button."""
    shown_questions: str = ""
    """The block id of the questions that are shown; they are not the draft's if an update was lost."""
    shows_options: bool = False
    """Whether the options are shown instead of the button for them."""
    hidden_external_id: str = ""
    """The case number while the options are not shown."""

    @field_validator("denial", mode="wrap")
    @classmethod
    def _drop_unreadable(cls, denial: object, validate: ValidatorFunctionWrapHandler) -> Denial | None:
        """Leave out a denial that another version of the app wrote; submitting checks the limits anyway."""
        try:
            readable: Denial | None = validate(denial)
        except ValidationError:
            return None
        return readable

    def with_default_variants(self, variants: Mapping[Metric, str]) -> Self:
        """Return the form with these questions selected, except where one is selected already."""
        draft = self.draft
        if not draft.variant and draft.metric in _METRICS:
            draft = draft.model_copy(update={"variant": variants.get(Metric(draft.metric), "")})
        return self.model_copy(update={"draft": draft, "variants": {**variants, **self.variants}})

    def with_denial(self, denial: Denial | None, link: str = "") -> Self:
        """Return the form with the reason why its customer can't be asked now, or without one."""
        denied = self.customer if denial else ""
        return self.model_copy(update={"denial": denial, "denied": denied, "link": link})

    @property
    def questions_block_id(self) -> str:
        """The block id of the draft's questions."""
        return f"{FormField.VARIANT}:{self.draft.transport}:{self.draft.metric}"

    @property
    def customer(self) -> str:
        """The customer in the draft, as a label; "" if it has none."""
        try:
            return parse_recipient(self.draft.recipient).label
        except InvalidRecipient:
            return ""

    @property
    def is_denied(self) -> bool:
        """Whether the customer in the draft is the one who can't be asked now."""
        return self.denial is not None and self.denied == self.customer


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
        transports: tuple[TransportName, ...] = (TransportName.X_CARD,),
        rating_page: str = "",
    ) -> None:
        self.catalogue = catalogue
        self._transports = transports
        self._rating_page = rating_page
        self._usual_options = {name: getattr(defaults, name) for name in _USUAL_OPTIONS}
        self._questions = {
            (transport, metric): _questions(catalogue, transport, metric)
            for transport in transports
            for metric in Metric
        }

    def build(self, form: Form, alert_text: str = "") -> dict[str, Any]:
        """Return the form as a modal view, with an alert if there is a text for it.

        The options are shown at once if one of them must be filled in, or is not what it usually is.
        """
        form = self._with_offered_transport(form)
        shows_options = form.shows_options or self._has_unusual_options(form.draft)
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
            "private_metadata": form.model_dump_json(exclude=_NOT_KEPT),
            "blocks": list(self._blocks(form, alert_text)),
        }

    def _with_offered_transport(self, form: Form) -> Form:
        """Return the form with the usual transport if its own is not offered any more."""
        if form.draft.transport in self._transports:
            return form
        draft = form.draft.model_copy(update={"transport": self._transports[0]})
        return form.model_copy(update={"draft": draft})

    def parse(self, view: Mapping[str, Any]) -> Form:
        """Return the form from the view of a block action or a submission."""
        form = Form.model_validate_json(view["private_metadata"])
        values = dict(_values(view["state"]["values"]))
        shown_questions = next((name for name in values if name.startswith(f"{FormField.VARIANT}:")), "")
        shown_metric = shown_questions.rpartition(":")[2]
        metric = values.get(FormField.METRIC, "")
        variants = {
            **form.variants,
            **({Metric(shown_metric): values[shown_questions]} if shown_metric in _METRICS else {}),
        }
        draft = Draft(
            transport=values.get(FormField.TRANSPORT) or self._transports[0],
            metric=metric,
            variant=variants.get(Metric(metric), "") if metric in _METRICS else "",
            test=bool(values.get(form_inputs.TEST)),
            **{field: values.get(field, "") for field in _TEXT_FIELDS},
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

    def _has_unusual_options(self, draft: Draft) -> bool:
        usual = draft.model_copy(update={**self._usual_options, "transport": self._transports[0]})
        return not draft.privacy_url or draft != usual

    def _blocks(self, form: Form, alert_text: str) -> Iterator[BlockDict]:
        draft = form.draft
        metric = Metric(draft.metric) if draft.metric in _METRICS else Metric.CSAT
        transport = TransportName(draft.transport)
        questions = self._questions[transport, metric]
        if alert_text:
            yield render(alert(alert_text, level="error"))
        customer = form_inputs.recipient(focused=not draft.recipient)
        yield with_value(customer, draft.recipient, block_id=get_block_id(FormField.RECIPIENT, form))
        yield from map(render, _customer_blocks(form))
        yield form_inputs.metric(metric)
        yield questions.get(draft.variant, next(iter(questions.values())))
        has_choice = len(self._transports) > 1
        yield from preview(draft, self.catalogue, self._rating_page, names_transport=has_choice)
        if form.shows_options:
            if has_choice:
                yield form_inputs.transport(self._transports, transport)
            yield from _options(draft)
            if form.submitted:
                yield from map(render, _reasons_to_stay_open(form, alert_text))
        else:
            yield _more_options()


def get_block_id(field: FormField, form: Form) -> str:
    """Return the block id of a field."""
    if field is FormField.VARIANT:
        return form.shown_questions
    return f"{field}:{form.fill_count}" if field is FormField.RECIPIENT else field


def field_errors(problems: Problems, form: Form) -> dict[str, str]:
    """Return the errors for Slack's response action, by block id."""
    return {get_block_id(field, form): advice for field, advice in problems.items()}


def _questions(catalogue: Catalogue, transport: TransportName, metric: Metric) -> dict[str, BlockDict]:
    """Return the rendered field for each question that can be selected in it."""
    options = form_inputs.question_options(catalogue.variants_for(transport, metric)).values()
    field = render(form_inputs.variant(f"{FormField.VARIANT}:{transport}:{metric}", options))
    return {
        option["value"]: {**field, "element": {**field["element"], "initial_option": option}}
        for option in options
    }


def _options(draft: Draft) -> Iterator[BlockDict]:
    yield with_value(form_inputs.display_name(), draft.display_name)
    yield with_value(form_inputs.message(), draft.message)
    yield with_value(form_inputs.privacy_url(), draft.privacy_url[:MAX_INITIAL_VALUE_LENGTH])
    yield with_value(form_inputs.external_id(), draft.external_id)
    yield form_inputs.test(draft.test)


@render_once
def _more_options() -> Block:
    button = ButtonElement(
        action_id=MORE_OPTIONS_ACTION,
        text="More options",
        accessibility_label="More options: message, name, privacy policy, case number and test",
    )
    return ActionsBlock(elements=[button])


def _customer_blocks(form: Form) -> Iterator[Block]:
    if form.no_customer_found and not form.draft.recipient:
        yield context(
            "This message names no customer. Paste a link to their profile on X above, "
            "or use the shortcut on the message that names them."
        )
    yield from _customer_notices(form)
    if others := [other for other in form.other_customers if other != form.draft.recipient]:
        yield ActionsBlock(elements=[_use_button(number, other) for number, other in enumerate(others)])


def _customer_notices(form: Form) -> Iterator[Block]:
    if (customer := form.warned_about) and customer == form.customer:
        yield alert(
            f"{customer} probably doesn't accept your direct messages. To try anyway, send the form again."
        )
    if form.denial and form.is_denied:
        yield denial_line(form.denial, form.origin, form.link)
        if form.denial.opt_out:
            yield from opt_out_notes(form.denial.opt_out, form.denied, form.origin)


def _reasons_to_stay_open(form: Form, alert_text: str) -> Iterator[Block]:
    if alert_text:
        yield alert(alert_text, level="error")
    if form.is_denied:
        yield alert(f"Nothing was sent to {form.denied}.", level="error")
    yield from _customer_notices(form)


def _use_button(number: int, other: str) -> ButtonElement:
    return ButtonElement(
        action_id=f"{USE_CUSTOMER_ACTION}:{number}",
        text=f"Use {other}",
        value=other,
        accessibility_label=f"Fill in {other} as the customer",
    )


def _values(state: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the value of each input by action id, but of a question by block id."""
    for block_id, inputs in state.items():
        for action_id, element in inputs.items():
            selected: Mapping[str, Any] = element.get("selected_option") or next(
                iter(element.get("selected_options") or ()), {}
            )
            name = block_id if action_id == FormField.VARIANT else action_id
            yield name, element.get("value") or selected.get("value") or ""
