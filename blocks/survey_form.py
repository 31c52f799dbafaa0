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
from csat.surveys.networks import Network
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.recipients import InvalidRecipient, Recipient, SlackPerson, parse_recipient
from csat.surveys.survey import Draft, FormField, Origin, Problems
from csat.surveys.transports import FACTS, TransportName

CALLBACK_ID: Final = "survey_form"
PREVIEW_FIELDS: Final = tuple(field for field in FormField if field is not FormField.RECIPIENT)
"""The fields whose changes, or Enter in them, update the preview; a field's name is its action id."""
OPTIONS: Final = (FormField.DISPLAY_NAME, FormField.MESSAGE, FormField.PRIVACY_URL, FormField.EXTERNAL_ID)
"""The fields that few people change. The transport, a test and these are behind a button."""
MORE_OPTIONS_ACTION: Final = "more_options"
SWITCH_NETWORK_ACTION: Final = "switch_network"
USE_CUSTOMER_ACTION: Final = "use_customer"
"""The prefix of the action ids of the buttons that fill in another customer."""
MAX_OTHER_CUSTOMERS: Final = 5
MAX_KEPT_LENGTH: Final = 200
"""Of a customer that was typed for another network than the one that is shown."""

_METRICS: Final = tuple(Metric)  # iterating over an enum is slow
_USUAL_OPTIONS: Final = ("display_name", "message", "privacy_url", "test")
_NOT_KEPT: Final[Any] = {
    "draft": True,
    "shown_questions": True,
    "shows_options": True,
    "denial": {"opt_out": {"reason"}},  # not shown, and it may be another workspace's
}
"""What the private metadata leaves out."""
_SWITCH_LABELS: Final = {
    Network.X: "Ask a customer on X instead",
    Network.SLACK: "Ask a person in Slack instead",
}
_NAME_THEM: Final = {
    Network.X: (
        "Paste a link to their profile on X above, or use the shortcut on the message that names them."
    ),
    Network.SLACK: "Choose them above, or use the shortcut on a message of theirs.",
}
"""What to do if the message names no customer."""


class Form(FrozenModel):
    """The state of an open form: its values, and what its private metadata keeps."""

    draft: Draft = Draft()
    origin: Origin
    network: Network | None = None
    """Where the customer is: only transports there fit. None until the form is built without a customer."""
    switches_network: bool = True
    """Whether the customer can be sought elsewhere too: not in a form that was opened for one."""
    entered: Mapping[Network, str] = {}
    """The customer that was last entered for each other network."""
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
    unfit: str = ""
    """Why the person in Slack can't be a customer at all."""
    denied: str = ""
    """The customer whom the denial, or the sentence why they are none, is about."""
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

    def with_customer(self, recipient: Recipient) -> Self:
        """Return the form for a customer; once it had some of several networks, it can be switched."""
        is_moved = self.network not in (None, recipient.network)
        form = self.with_network(recipient.network) if is_moved else self
        draft = form.draft.model_copy(update={"recipient": recipient.label})
        changes = {"draft": draft, "network": recipient.network, "switches_network": is_moved}
        return form.model_copy(update=changes)

    def with_network(self, network: Network) -> Self:
        """Return the form for a customer elsewhere: the one that was entered last for that network."""
        draft = self.draft.model_copy(update={"recipient": self.entered.get(network, "")})
        kept = {self.network: self.draft.recipient[:MAX_KEPT_LENGTH]} if self.network else {}
        return self.model_copy(update={"draft": draft, "network": network, "entered": kept})

    def with_denial(self, denial: Denial | None, link: str = "", unfit: str = "") -> Self:
        """Return the form with the reason why its customer can't be asked, or without one."""
        denied = self.customer if denial or unfit else ""
        return self.model_copy(update={"denial": denial, "unfit": unfit, "denied": denied, "link": link})

    @property
    def questions_block_id(self) -> str:
        """The block id of the draft's questions."""
        return f"{FormField.VARIANT}:{self.draft.transport}:{self.draft.metric}"

    @property
    def recipient(self) -> Recipient | None:
        """The customer in the draft, if it has one."""
        try:
            return parse_recipient(self.draft.recipient, self.origin.team)
        except InvalidRecipient:
            return None

    @property
    def customer(self) -> str:
        """The customer in the draft, as a label; "" if it has none."""
        return self.recipient.label if self.recipient else ""

    @property
    def is_denied(self) -> bool:
        """Whether the customer in the draft is the one who can't be asked."""
        return bool(self.denied) and self.denied == self.customer


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
        self.networks = frozenset(FACTS[name].network for name in transports)
        """Where customers can be asked."""
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
        form = self._with_fitting_transport(form)
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
            "private_metadata": form.model_dump_json(exclude=_NOT_KEPT),
            "blocks": list(self._blocks(form, alert_text)),
        }

    def _with_fitting_transport(self, form: Form) -> Form:
        """Return the form with a network, and with its usual transport if its own is not offered there."""
        network = form.network if form.network in self.networks else FACTS[self._transports[0]].network
        form = form.model_copy(update={"network": network})
        offered = self._offered(form)
        if form.draft.transport in offered:
            return form
        draft = form.draft.model_copy(update={"transport": offered[0]})
        return form.model_copy(update={"draft": draft})

    def _offered(self, form: Form) -> tuple[TransportName, ...]:
        """Return the transports in the form's network."""
        return tuple(name for name in self._transports if FACTS[name].network is form.network)

    def _other_network(self, form: Form) -> Network | None:
        """Return where else the customer can be, if the person may still choose."""
        return next(iter(self.networks - {form.network}), None) if form.switches_network else None

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
        offered = self._offered(form)
        chosen = values.get(FormField.TRANSPORT)
        transport = TransportName(chosen) if chosen in offered else offered[0]
        draft = Draft(
            transport=transport,
            metric=metric,
            variant=variants.get(Metric(metric), "") if metric in _METRICS else "",
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
        usual = draft.model_copy(update={**self._usual_options, "transport": self._offered(form)[0]})
        is_incomplete = (facts.requires_privacy_url and not draft.privacy_url) or (
            not facts.fills_in_display_name and not draft.display_name
        )
        return is_incomplete or draft != usual

    def _blocks(self, form: Form, alert_text: str) -> Iterator[BlockDict]:
        draft = form.draft
        metric = Metric(draft.metric) if draft.metric in _METRICS else Metric.CSAT
        transport = TransportName(draft.transport)
        questions = self._questions[transport, metric]
        offered = self._offered(form)
        if alert_text:
            yield render(alert(alert_text, level="error"))
        yield _customer(form)
        yield from map(render, _customer_blocks(form))
        yield form_inputs.metric(metric)
        yield questions.get(draft.variant, next(iter(questions.values())))
        yield from preview(draft, self.catalogue, self._rating_page, names_transport=len(offered) > 1)
        yield from _buttons(self._other_network(form), has_more=not form.shows_options)
        if form.shows_options:
            if len(offered) > 1:
                yield form_inputs.transport(offered, transport)
            yield from _options(draft)
            if form.submitted:
                yield from map(render, _reasons_to_stay_open(form, alert_text))


def get_block_id(field: FormField, form: Form) -> str:
    """Return the block id of a field."""
    if field is FormField.VARIANT:
        return form.shown_questions
    if field is not FormField.RECIPIENT:
        return field
    return f"{'person' if _network(form) is Network.SLACK else field}:{form.fill_count}"


def field_errors(problems: Problems, form: Form) -> dict[str, str]:
    """Return the errors for Slack's response action, by block id."""
    return {get_block_id(field, form): advice for field, advice in problems.items()}


def _network(form: Form) -> Network:
    """Return where the draft's transport reaches customers."""
    return FACTS[TransportName(form.draft.transport)].network


def _questions(catalogue: Catalogue, transport: TransportName, metric: Metric) -> dict[str, BlockDict]:
    """Return the rendered field for each question that can be selected in it."""
    options = form_inputs.question_options(catalogue.variants_for(transport, metric)).values()
    field = render(form_inputs.variant(f"{FormField.VARIANT}:{transport}:{metric}", options))
    return {
        option["value"]: {**field, "element": {**field["element"], "initial_option": option}}
        for option in options
    }


def _customer(form: Form) -> BlockDict:
    """Return the field for the customer; what does not fit it is left out."""
    block_id, recipient = get_block_id(FormField.RECIPIENT, form), form.recipient
    if _network(form) is Network.SLACK:
        user = recipient.user if isinstance(recipient, SlackPerson) else ""
        return with_value(form_inputs.person(focused=not user), user, block_id=block_id)
    typed = "" if isinstance(recipient, SlackPerson) else form.draft.recipient
    return with_value(form_inputs.recipient(focused=not typed), typed, block_id=block_id)


def _options(draft: Draft) -> Iterator[BlockDict]:
    facts = FACTS[TransportName(draft.transport)]
    display_name = form_inputs.display_name(is_filled_in=facts.fills_in_display_name)
    privacy_url = form_inputs.privacy_url(is_optional=not facts.requires_privacy_url)
    yield with_value(display_name, draft.display_name)
    yield with_value(form_inputs.message(facts.network), draft.message)
    yield with_value(privacy_url, draft.privacy_url[:MAX_INITIAL_VALUE_LENGTH])
    yield with_value(form_inputs.external_id(), draft.external_id)
    yield form_inputs.test(draft.test)


def _buttons(other_network: Network | None, *, has_more: bool) -> Iterator[BlockDict]:
    if other_network or has_more:
        yield _button_row(other_network, has_more=has_more)


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


def _customer_blocks(form: Form) -> Iterator[Block]:
    if form.no_customer_found and not form.draft.recipient:
        yield context(f"This message names no customer. {_NAME_THEM[_network(form)]}")
    yield from _customer_notices(form)
    if others := [other for other in form.other_customers if other != form.draft.recipient]:
        yield ActionsBlock(elements=[_use_button(number, other) for number, other in enumerate(others)])


def _customer_notices(form: Form) -> Iterator[Block]:
    if (customer := form.warned_about) and customer == form.customer:
        yield alert(
            f"{customer} probably doesn't accept your direct messages. To try anyway, send the form again."
        )
    if not form.is_denied or form.recipient is None:
        return
    if form.unfit:
        yield alert(form.unfit)
    if form.denial:
        yield denial_line(form.denial, form.origin, form.link)
        if form.denial.opt_out:
            yield from opt_out_notes(form.denial.opt_out, form.recipient, form.origin)


def _reasons_to_stay_open(form: Form, alert_text: str) -> Iterator[Block]:
    if alert_text:
        yield alert(alert_text, level="error")
    if form.is_denied:
        customer = "this customer" if _network(form) is Network.SLACK else form.denied
        yield alert(f"Nothing was sent to {customer}.", level="error")
    yield from _customer_notices(form)


def _use_button(number: int, other: str) -> ButtonElement:
    return ButtonElement(
        action_id=f"{USE_CUSTOMER_ACTION}:{number}",
        text=f"Use {other}",
        value=other,
        accessibility_label=f"Fill in {other} as the customer",
    )


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
