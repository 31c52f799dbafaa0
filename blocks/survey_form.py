"""The form that a survey is asked for with: built, and read back, with the ids that both sides share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
    UrlInputElement,
)
from slack_sdk.models.blocks.basic_components import DispatchActionConfig
from slack_sdk.models.views import View

from blocks.kit import small, warning
from blocks.limits import in_the_way
from blocks.preview import NPS_WARNING, preview
from surveys.limits import WhyNot
from surveys.questions import Catalogue, Metric, option_text
from surveys.survey import LONGEST_DISPLAY_NAME, LONGEST_EXTERNAL_ID, Draft, Field, Origin, Problems
from surveys.value import Value

CALLBACK_ID: Final = "survey_form"
REFRESH: Final = (Field.METRIC, Field.VARIANT, Field.DISPLAY_NAME, Field.MESSAGE)
"""The fields whose changes the preview follows; a field's name is its action id."""
USE_CUSTOMER: Final = "use_customer"
"""The action id of the buttons that fill in another customer; followed by a number."""
MOST_OTHERS: Final = 5
LONGEST_INPUT: Final = 3_000
"""What Slack lets a form begin with; an address can be typed longer, and stays as typed."""

_TEST: Final = "test"
_TYPING = DispatchActionConfig(trigger_actions_on=["on_character_entered"])
_METRICS = [
    Option(value=Metric.CSAT, text="CSAT", description="Rated from 1 to 5"),
    Option(value=Metric.NPS, text="NPS", description="Rated from 0 to 10"),
]
_TEST_OPTION = Option(
    value=_TEST,
    text="Keep this out of the figures",
    description="For tests. The customer still gets the message.",
)


class Form(Value):
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
    why_not: WhyNot | None = None
    """The limit that stood in the way of the last submission."""
    link: str = ""
    """Where the survey that stands in the way was asked for, if the reader may see that."""
    shows: Metric | None = None
    """The type whose questions the form shows: another one than the draft's where an update was lost."""


class SurveyForm:
    """Builds and reads the form; the option lists never change and are rendered once.

    Args:
        catalogue: the questions to choose from.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._options = {
            metric: {
                str(variant): Option(value=str(variant), text=option_text(template)).to_dict()
                for variant, template in catalogue.variants(metric).items()
            }
            for metric in Metric
        }

    def build(self, form: Form, alert: str = "") -> View:
        """Return the form as a modal; `alert` is shown on top of it."""
        return View(
            type="modal",
            callback_id=CALLBACK_ID,
            title="Feedback survey",
            submit="Send survey",
            close="Cancel",
            private_metadata=form.model_dump_json(exclude={"draft", "shows"}),
            blocks=list(self._blocks(form, alert)),
        )

    def parse(self, view: Mapping[str, Any]) -> Form:
        """Return the form that Slack sends back with a change or a submission."""
        form = Form.model_validate_json(view["private_metadata"])
        typed = dict(_typed(view["state"]["values"]))
        shows = next((metric for metric in Metric if f"{Field.VARIANT}:{metric}" in typed), None)
        metric = typed.get(Field.METRIC, "")
        variants = {**form.variants, **({shows: typed[f"{Field.VARIANT}:{shows}"]} if shows else {})}
        draft = Draft(
            metric=metric,
            variant=variants.get(Metric(metric), "0") if metric in list(Metric) else "",
            test=bool(typed.get(_TEST)),
            **{field: typed.get(field, "") for field in _TEXTS},
        )
        return form.model_copy(update={"draft": draft, "variants": variants, "shows": shows})

    def _blocks(self, form: Form, alert: str) -> Iterator[Block]:
        if alert:
            yield warning(alert, level="error")
        yield from _customer(form)
        yield from self._question(form.draft)
        yield from _words(form.draft)
        yield from preview(form.draft, self.catalogue)

    def _question(self, draft: Draft) -> Iterator[Block]:
        metric = Metric(draft.metric) if draft.metric in list(Metric) else Metric.CSAT
        options = self._options[metric]
        yield InputBlock(
            block_id=Field.METRIC,
            label="Type",
            dispatch_action=True,
            element=RadioButtonsElement(
                action_id=Field.METRIC, options=_METRICS, initial_option=_METRICS[list(Metric).index(metric)]
            ),
        )
        if metric is Metric.NPS:
            yield warning(NPS_WARNING)
        yield InputBlock(
            block_id=f"{Field.VARIANT}:{metric}",
            label="Question",
            dispatch_action=True,
            element=StaticSelectElement(
                action_id=Field.VARIANT,
                options=list(options.values()),
                initial_option=options.get(draft.variant, next(iter(options.values()))),
            ),
        )


_TEXTS: Final = (Field.DISPLAY_NAME, Field.RECIPIENT, Field.MESSAGE, Field.PRIVACY_URL, Field.EXTERNAL_ID)


def block_of(field: Field, form: Form) -> str:
    """Return the block id under which the form shows a field."""
    if field is Field.VARIANT:
        return f"{field}:{form.shows}"
    return f"{field}:{form.filled}" if field is Field.RECIPIENT else field


def errors(problems: Problems, form: Form) -> dict[str, str]:
    """Return problems as Slack shows them, by block id."""
    return {block_of(field, form): advice for field, advice in problems.items()}


def _customer(form: Form) -> Iterator[Block]:
    yield InputBlock(
        block_id=block_of(Field.RECIPIENT, form),
        label="Customer",
        hint="Their X handle, numeric id, or a link to their profile.",
        element=PlainTextInputElement(
            action_id=Field.RECIPIENT,
            placeholder="@handle",
            initial_value=form.draft.recipient or None,
            focus_on_load=not form.draft.recipient,
        ),
    )
    if form.names_nobody and not form.draft.recipient:
        yield small("This message names no customer.")
    if form.warned_of:
        yield warning(
            f"{form.warned_of} probably does not take your direct messages. Send again to try all the same."
        )
    if form.why_not:
        yield in_the_way(form.why_not, form.link)
    if others := [other for other in form.others if other != form.draft.recipient]:
        yield ActionsBlock(elements=_use(others))


def _use(others: Sequence[str]) -> list[ButtonElement]:
    return [
        ButtonElement(
            action_id=f"{USE_CUSTOMER}:{number}",
            text=f"Use {other}",
            value=other,
            accessibility_label=f"Fill in {other} as the customer",
        )
        for number, other in enumerate(others)
    ]


def _words(draft: Draft) -> Iterator[Block]:
    yield InputBlock(
        block_id=Field.DISPLAY_NAME,
        label="Display name",
        optional=True,
        dispatch_action=True,
        hint=(
            f"Your brand in the question. At most {LONGEST_DISPLAY_NAME} characters; "
            "leave empty for your name on X."
        ),
        element=PlainTextInputElement(
            action_id=Field.DISPLAY_NAME,
            initial_value=draft.display_name or None,
            dispatch_action_config=_TYPING,
        ),
    )
    yield InputBlock(
        block_id=Field.MESSAGE,
        label="Message",
        dispatch_action=True,
        hint="Sent before the card. On x.com the customer sees only this.",
        element=PlainTextInputElement(
            action_id=Field.MESSAGE,
            multiline=True,
            initial_value=draft.message or None,
            dispatch_action_config=_TYPING,
        ),
    )
    yield InputBlock(
        block_id=Field.PRIVACY_URL,
        label="Privacy policy URL",
        element=UrlInputElement(
            action_id=Field.PRIVACY_URL,
            placeholder="https://example.com/privacy",
            initial_value=draft.privacy_url[:LONGEST_INPUT] or None,
        ),
    )
    yield InputBlock(
        block_id=Field.EXTERNAL_ID,
        label="External ID",
        optional=True,
        hint=f"Your case or ticket, kept with the answer. At most {LONGEST_EXTERNAL_ID} characters.",
        element=PlainTextInputElement(action_id=Field.EXTERNAL_ID, initial_value=draft.external_id or None),
    )
    yield InputBlock(
        block_id=_TEST,
        label="Test",
        optional=True,
        element=CheckboxesElement(
            action_id=_TEST, options=[_TEST_OPTION], initial_options=[_TEST_OPTION] if draft.test else None
        ),
    )


def _typed(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each input's value by field; a question's by field and type."""
    for block_id, elements in values.items():
        for action_id, element in elements.items():
            chosen: Mapping[str, Any] = element.get("selected_option") or next(
                iter(element.get("selected_options") or ()), {}
            )
            name = block_id if action_id == Field.VARIANT else action_id
            yield name, element.get("value") or chosen.get("value") or ""
