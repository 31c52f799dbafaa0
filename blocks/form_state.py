"""The state of an open survey form, and the ids of its blocks."""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import ValidationError, ValidatorFunctionWrapHandler, field_validator

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.limits import Denial
from csat.surveys.networks import Network
from csat.surveys.origin import Origin
from csat.surveys.questions import Metric
from csat.surveys.recipients import InvalidRecipient, Recipient, parse_recipient
from csat.surveys.survey import Draft, FormField, Problems
from csat.surveys.transports import FACTS, TransportName

METRICS: Final = tuple(Metric)  # iterating over an enum is slow
MAX_KEPT_LENGTH: Final = 200
"""Of a customer that was typed for another network than the one that is shown."""
_NOT_KEPT: Final = {"draft", "shown_questions", "shows_options"}
"""Fields that the private metadata leaves out."""


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
    is_paused: bool = False
    """Whether X accepts no surveys now."""
    denied: str = ""
    """The customer whom the denial, or the sentence why they are none, is about."""
    link: str = ""
    """The link to the survey that caused the denial, if the requester may see it."""
    edited_id: int | None = None
    """The id of the refused survey that is edited; None for a new one."""
    refusal_url: str = ""
    """The `response_url` of the message about the refused survey that is edited; "" for a new one."""
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
        if not draft.variant and draft.metric in METRICS:
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
        if denial and denial.opt_out:
            opt_out = denial.opt_out.seen_from(self.origin.team)
            denial = denial.model_copy(update={"opt_out": opt_out})
        denied = self.customer if denial or unfit else ""
        return self.model_copy(update={"denial": denial, "unfit": unfit, "denied": denied, "link": link})

    @property
    def questions_block_id(self) -> str:
        """The block id of the draft's questions."""
        return f"{FormField.VARIANT}:{self.draft.transport}:{self.draft.metric}"

    @property
    def shown_transport(self) -> str:
        """The transport of the questions that are shown; "" in a form that was not shown yet."""
        return self.shown_questions.removeprefix(f"{FormField.VARIANT}:").rpartition(":")[0]

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

    @property
    def shown_network(self) -> Network:
        """Where the draft's transport reaches customers."""
        return FACTS[TransportName(self.draft.transport)].network

    def to_metadata(self) -> str:
        """Return what the private metadata keeps."""
        return self.model_dump_json(exclude=_NOT_KEPT)


def get_block_id(field: FormField, form: Form) -> str:
    """Return the block id of a field."""
    if field is FormField.VARIANT:
        return form.shown_questions
    if field is not FormField.RECIPIENT:
        return field
    return f"{'person' if form.shown_network is Network.SLACK else field}:{form.fill_count}"


def field_errors(problems: Problems, form: Form) -> dict[str, str]:
    """Return the errors for Slack's response action, by block id."""
    return {get_block_id(field, form): advice for field, advice in problems.items()}
