"""Print every text that people read in Slack, to review them on one page: `make texts`."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from blocks import (
    erased_messages,
    low_rating,
    low_rating_modals,
    pause_alerts,
    slack_survey,
    slack_survey_modals,
    survey_notifications,
    uncertain_survey,
    wait_reasons,
)
from blocks import opt_outs as opt_out_views
from blocks.agent_home import agent_home, unavailable_home
from blocks.customer_status import CustomerStatus, status_message
from blocks.digest import digest_message
from blocks.elements import Message
from blocks.form_state import Form
from blocks.help import AT_SIGN_HINT, help_message, problem_message
from blocks.offered_transports import NETWORK_GONE, TRANSPORT_GONE
from blocks.report_reply import report_message
from blocks.supervisor_home import supervisor_home
from blocks.survey_form import SurveyForm
from blocks.tables_and_charts import home_view
from cli import manifest
from csat.db.follow_ups import Conflict, FollowUpConflict
from csat.reporting.formatting import format_unknown_names
from csat.slack_api.errors import SlackError, SlackUnavailable
from csat.slack_api.names_for_exports import Names
from csat.slack_api.user_permissions import PermissionDenied, PermissionUnknown
from csat.slack_api.web_client import WebClient
from csat.surveys.limits import Denial, DenialReason
from csat.surveys.networks import Network
from csat.surveys.questions import Metric
from csat.surveys.recipients import XAccount
from csat.surveys.states import State
from csat.surveys.survey import Draft
from csat.surveys.transport_errors import RetryLater, Uncertain
from csat.surveys.transports import FACTS, TransportName
from csat.transports.slack_message import SlackUnconfirmed
from csat.transports.slack_refusals import StrangerInSlack
from csat.transports.x_link import LinkUnknown
from csat.x_api.errors import WAITING_REASONS, AccountRefused, Unanswered, Unconfirmed
from csat.x_api.refusals import ACCOUNT_REFUSALS, REFUSALS, InvalidCredentials, RecipientClosed
from handlers import (
    account_resume,
    commands,
    customer_forms,
    customers_survey,
    errors,
    export_command,
    form_opening,
    form_submission,
    low_ratings,
    modal_opening,
    modal_submission,
    named_customer,
    opt_outs,
    report_args,
    report_command,
    services,
    slack_customers,
    status_command,
    survey_buttons,
)
from sandbox.slack import fixtures
from tests import sample_messages as samples
from tests.factories import CATALOGUE, NOON, make_draft
from tests.plain_blocks import render_message, render_view
from tests.sentences import INSERTION, find_sentences

GRACE = XAccount(handle="grace")
ROOT = Path(__file__).parents[1]
NAMES = {
    fixtures.ADA: "Ada",
    fixtures.BEN: "Ben",
    fixtures.CLEO: "Cleo",
    fixtures.SAM: "Sam",
    fixtures.SUPPORT: "support",
}

RAISED = {
    "in the form, below a field": ("csat/surveys/survey.py", "csat/surveys/recipients.py"),
    "in the form for the note, below the note": ("csat/surveys/follow_ups.py",),
    "in the forms that stop or allow surveys, below the reason": ("csat/surveys/opt_outs.py",),
    "in the form, and in place of it, if the person may not send surveys": (
        "csat/slack_api/user_permissions.py",
    ),
    "in the reply to a command that can't be understood": (
        "handlers/command_args.py",
        "handlers/report_args.py",
        "csat/reporting/periods.py",
    ),
    "in the message that a survey was not sent, beside the reasons of X": (
        "csat/surveys/limits.py",
        "csat/delivery/sender.py",
        "csat/delivery/reconciler.py",
        "csat/db/survey_records.py",
        "csat/transports/slack_message.py",
        "csat/transports/slack_refusals.py",
    ),
}
"""Modules whose sentences people read, by the place where they appear; "…" stands for a value."""

ACCOUNT_CAUSES: Final[tuple[type[AccountRefused], ...]] = (*ACCOUNT_REFUSALS.values(), AccountRefused)
"""Why an account is paused; the last one stands for a cause that this version does not know."""

WAITS_ON_X: Final[tuple[type[RetryLater], ...]] = (*WAITING_REASONS.values(), LinkUnknown)
"""For what a survey on X waits, and is given up after a day."""

Section = tuple[str, str]
"""A heading that names where the text appears, and the text."""


def build_page() -> str:
    """Return all texts."""
    parts = (
        _manifest,
        _survey_form,
        _commands,
        _survey_messages,
        _customers,
        _low_ratings,
        _homes,
        _others,
        _raised,
    )
    sections = (section for part in parts for section in part())
    page = "\n\n".join(f"-------- {heading}\n{_drop_repeated(text)}" for heading, text in sections)
    for user_id, name in NAMES.items():
        page = page.replace(user_id, name)
    return page


def _manifest() -> Iterator[Section]:
    loaded = manifest.load()
    about, features = loaded["display_information"], loaded["features"]
    yield "the app's page in Slack", _lines(about["name"], about["description"], about["long_description"])
    entries = chain(features["slash_commands"], features["shortcuts"])
    names = ("command", "name", "usage_hint", "description")
    yield (
        "Slack's menus of commands and shortcuts",
        _lines(*(entry[name] for entry in entries for name in names if name in entry)),
    )


def _survey_form() -> Iterator[Section]:
    survey_form = SurveyForm(CATALOGUE, make_draft(), (TransportName.X_CARD,))
    csat = Form(draft=make_draft(), origin=samples.ORIGIN)
    usual = render_view(survey_form.build(csat))
    yield "modal", usual
    variants: dict[str, dict[str, Any]] = {
        "with more options": {"shows_options": True},
        "empty": {"draft": Draft()},
        "NPS": {"draft": make_draft(metric="nps")},
        "from a message without a customer": {"draft": make_draft(recipient=""), "no_customer_found": True},
        "from a message with several customers": {"other_customers": ("@grace", "@joonas")},
        "after X hinted that the customer does not accept messages": {"warned_about": "@grace"},
        "while the account is paused": {"is_paused": True},
        "for a customer who can't be asked now": {
            "denial": samples.DENIALS[2],
            "denied": "@grace",
            "link": samples.LINK,
        },
        "after a limit denied the survey, at its end": {
            "denial": samples.DENIALS[0],
            "denied": "@grace",
            "submitted": True,
            "shows_options": True,
        },
    }
    for heading, changes in variants.items():
        changed = render_view(survey_form.build(csat.model_copy(update=changes)))
        yield f"modal, {heading}: what is new", _new_lines(changed, usual)
    linked = csat.model_copy(update={"draft": make_draft(transport="x_link")}).with_customer(GRACE)
    yield (
        "modal, where a link can be sent: what is new",
        _new_lines(render_view(samples.SURVEY_FORM.build(linked)), usual),
    )
    empty = csat.model_copy(update={"draft": make_draft(recipient="")})
    yield (
        "modal, empty, where people in Slack can be asked too: what is new",
        _new_lines(render_view(samples.SURVEY_FORM.build(empty)), usual),
    )
    yield from _slack_form(samples.SURVEY_FORM)
    yield (
        "modal, alerts on top",
        _lines(form_submission.NOT_SAVED, form_submission.NOT_KNOWN, form_submission.ALREADY_ACCEPTED),
    )
    yield "modal, after a change of transports", _lines(*NETWORK_GONE.values(), TRANSPORT_GONE)


def _slack_survey_messages() -> Iterator[Section]:
    """Yield what the requester of a survey in Slack reads."""
    survey = samples.SLACK_SURVEY
    reason = wait_reasons.WAITS_FOR_SLACK
    yield (
        "requester, survey in Slack waiting",
        _message(survey_notifications.waiting("7", survey, CATALOGUE, NOON, reason)),
    )
    unconfirmed = f"{SlackUnconfirmed.advice} {FACTS[TransportName.SLACK].hint_if_uncertain}"
    yield (
        "requester, survey in Slack uncertain",
        _message(uncertain_survey.uncertainty("7", survey, unconfirmed, CATALOGUE)),
    )
    question = uncertain_survey.WHETHER_IT_ARRIVED[Network.SLACK]
    gone = f"{Uncertain.advice} {question} {FACTS[TransportName.SLACK].hint_if_uncertain}"
    yield (
        "requester, survey in Slack uncertain, as its instance is gone",
        _message(uncertain_survey.uncertainty("7", survey, gone, CATALOGUE)),
    )
    restored = uncertain_survey.uncertainty_after_restore("7", survey, CATALOGUE)
    yield "requester, survey in Slack of a restored backup", _message(restored)
    refused = survey_notifications.refusal("7", survey, StrangerInSlack.advice, CATALOGUE, editable=True)
    yield "requester, survey in Slack refused", _message(refused)


def _slack_form(survey_form: SurveyForm) -> Iterator[Section]:
    person = Form(draft=make_draft(recipient=""), origin=samples.ORIGIN).with_customer(samples.PERSON)
    usual = render_view(survey_form.build(person))
    yield "modal for a person in Slack", usual
    nobody = Form(
        draft=make_draft(recipient="", display_name=""),
        origin=samples.ORIGIN,
        network=Network.SLACK,
        no_customer_found=True,
    )
    opted_out = Denial.from_opt_out(samples.OPT_OUTS[0])
    variants = {
        "with more options": person.model_copy(update={"shows_options": True}),
        "from a message of an agent, without a display name": nobody,
        "for somebody who has opted out, at its end": person.with_denial(opted_out).model_copy(
            update={"submitted": True, "shows_options": True}
        ),
    }
    for heading, form_ in variants.items():
        changed = render_view(survey_form.build(form_))
        yield f"modal for a person in Slack, {heading}: what is new", _new_lines(changed, usual)
    sentences = (
        slack_customers.ONESELF,
        services.OWN_ACCOUNT,
        slack_customers.AN_APP,
        slack_customers.DEACTIVATED,
        slack_customers.STRANGER,
    )
    yield "modal, below the customer, and in the reply to /csat status", _lines(*sentences)


def _commands() -> Iterator[Section]:
    for networks in ((Network.X,), (Network.SLACK,), tuple(Network)):
        where = " and ".join(network.label for network in networks)
        yield f"/csat help, for customers on {where}", _message(help_message(commands.USAGES, networks))
    yield "/csat with a problem", _message(problem_message("Choose one type: csat or nps."))
    guessed = (
        advice.format(customer="@grace", hint=AT_SIGN_HINT) for advice in commands.OTHER_WORDS.values()
    )
    yield "/csat with words of other tools", _lines(*guessed)
    yield from _statuses()
    refused = named_customer.LOOKUP_REFUSED.format(reason=InvalidCredentials.reason)
    yield "/csat status, guests", status_command.AGENTS_ONLY.format(denial=samples.NOT_AN_AGENT)
    no_customer = named_customer.NO_HANDLE.format(command="/csat status")
    no_person = named_customer.NO_PERSON.format(command="/csat status")
    no_one = named_customer.NO_CUSTOMER.format(command="/csat status", example="@customer")
    problems = (no_customer, no_person, no_one, named_customer.LOOKUP_TIMED_OUT, refused)
    yield "/csat status, stop or unstop, problems", _lines(*problems)
    for subcommand, unchanged in (("stop", opt_outs.NOT_RECORDED), ("unstop", opt_outs.NOT_LIFTED)):
        works = named_customer.ID_WORKS.format(subcommand=subcommand)
        yield f"/csat {subcommand}, after such a problem of a handle", f"{unchanged} {works}"
    yield from _opt_outs()
    for sample in samples.REPORTS:
        yield "/csat report", _message(report_message(sample, may_send=True))
    usual = _message(report_message(samples.SIMILAR_REPORT, may_send=True))
    for sample in samples.MIXED_REPORTS:
        mixed = _message(report_message(sample, may_send=True))
        yield "/csat report, surveys sent as card and as link: what is new", _new_lines(mixed, usual)
    yield "/csat report link, no surveys", _message(report_message(samples.LINK_REPORT, may_send=True))
    for sample in samples.EMPTY_REPORTS:
        yield "/csat report, no surveys, though others", _message(report_message(sample, may_send=True))
    empty = _message(report_message(samples.EMPTY_REPORT, may_send=False))
    yield "/csat report, no surveys, a supervisor who may not send", empty
    yield "/csat report, not a supervisor", report_command.NOT_A_SUPERVISOR
    report_problems = (
        f"Choose one score: csat or nps. {report_args.EXAMPLE}",
        f"{report_args.SEVERAL_TRANSPORTS} {report_args.EXAMPLE}",
        f"{report_args.FILTERS} {report_args.EXAMPLE}",
    )
    yield "/csat report, problems", _lines(*report_problems)
    yield "/csat export, not a supervisor", export_command.NOT_A_SUPERVISOR
    values = {
        "title": samples.WEEK.title,
        "surveys": "1,234 surveys",
        "remarks": export_command.format_remarks(samples.MANIFEST),
        "reason": "file_upload_size_limit_exceeded",
    }
    replies = (
        export_command.STARTED,
        export_command.FINISHED,
        export_command.FAILED,
        export_command.UNCONFIRMED,
        *(export_command.explain(error) for error in samples.TOKEN_FAILURES),
        export_command.MISSING_SCOPE,
        export_command.UPLOADS_DISABLED,
        export_command.NO_LONGER_A_SUPERVISOR,
        export_command.EXAMPLE,
    )
    yield "/csat export", _lines(*(reply.format(**values) for reply in replies))
    missing = (format_unknown_names(2, _why_unknown(failure)).lstrip() for failure in samples.NAMES_FAILURES)
    yield "/csat export, at the end of the reply, if names are missing", _lines(*missing)
    yield (
        "a modal that does not open",
        _lines(
            modal_opening.MAYBE_OPENED, modal_opening.TOO_SLOW, modal_opening.BUSY, modal_opening.NOT_OPENED
        ),
    )


def _statuses() -> Iterator[Section]:
    status = CustomerStatus(GRACE, samples.PREVIOUS)
    usual = _message(status_message(status, samples.COLLEAGUE))
    yield "/csat status", usual
    stranger = Denial(reason=DenialReason.COOLDOWN, previous=samples.PREVIOUS[-1], retry_at=NOON)
    elsewhere = status._replace(surveys=samples.PREVIOUS[2:3], denial=stranger)
    yield "/csat status, asked in another workspace", _message(status_message(elsewhere, samples.ELSEWHERE))
    yield (
        "/csat status, no surveys yet",
        _message(status_message(status._replace(surveys=[]), samples.COLLEAGUE)),
    )
    for denial in samples.DENIALS:
        denied = status._replace(surveys=samples.PREVIOUS[:1], denial=denial, link=samples.LINK)
        yield "/csat status, denied", _message(status_message(denied, samples.COLLEAGUE))
        own = _new_lines(
            _message(status_message(denied, samples.ORIGIN)),
            _message(status_message(denied, samples.COLLEAGUE)),
        )
        if own:
            yield "/csat status, denied by an own survey: what is new", own
    used_up = status._replace(denial=samples.USED_UP, other_transport=TransportName.X_LINK)
    yield (
        "/csat status, cards used up and links left: what is new",
        _new_lines(_message(status_message(used_up, samples.COLLEAGUE)), usual),
    )
    again = samples.REFUSED.model_copy(update={"is_replaced": True})
    many = status._replace(surveys=[again], not_listed=15, has_more=True)
    yield (
        "/csat status, sent again, and more surveys than it lists: what is new",
        _new_lines(_message(status_message(many, samples.COLLEAGUE)), usual),
    )
    hindered = status._replace(receives_dm=False, pause_cause=InvalidCredentials.reason)
    yield (
        "/csat status, customer without direct messages and account paused: what is new",
        _new_lines(_message(status_message(hindered, samples.COLLEAGUE)), usual),
    )
    by_id = status._replace(customer=XAccount(id="783214"), surveys=[], was_looked_up=False)
    yield "/csat status of an ID", _message(status_message(by_id, samples.COLLEAGUE))
    closed = samples.REFUSED.model_copy(update={"advice": RecipientClosed.advice})
    failed = by_id._replace(surveys=[closed], last_failure=closed)
    for reader in (samples.COLLEAGUE, samples.ELSEWHERE):
        yield "/csat status after a refusal", _message(status_message(failed, reader))


def _opt_outs() -> Iterator[Section]:
    form, mine = samples.OPT_OUT_FORM, samples.OPT_OUTS[0]
    yield "modal, /csat stop", render_view(opt_out_views.stop_modal(form))
    yield "/csat stop, done", _message(opt_out_views.stopped(form))
    yield "/csat stop, opted out already", _message(opt_out_views.already_stopped(form, mine))
    yield "/csat stop, guests", opt_outs.AGENTS_ONLY.format(denial=samples.NOT_AN_AGENT)
    yield "modal, /csat unstop", render_view(opt_out_views.lift_modal(form, mine))
    yield "/csat unstop, done", _message(opt_out_views.lifted(form))
    yield "/csat unstop, not opted out", _message(opt_out_views.not_stopped(form))
    yield "/csat unstop, not a supervisor", opt_outs.SUPERVISORS_ONLY
    yield (
        "modals of /csat stop and unstop, not saved",
        _lines(modal_submission.NOT_SAVED, modal_submission.NOT_KNOWN),
    )


def _survey_messages() -> Iterator[Section]:
    for state in (State.SENT, State.ANSWERED, State.EXPIRED):
        message = survey_notifications.confirmation(samples.SURVEY, samples.ORIGIN, CATALOGUE, state)
        yield f"channel, survey {state}", _message(message)
    shared = survey_notifications.confirmation(
        samples.SURVEY, samples.ORIGIN, CATALOGUE, names_recipient=False
    )
    yield "channel shared with another company, survey sent", _message(shared)
    for name in ("Sam Adeyemi", ""):
        asked = survey_notifications.confirmation(samples.SLACK_SURVEY, samples.ORIGIN, CATALOGUE, name=name)
        yield "channel, survey in Slack sent", _message(asked)
    refused = survey_notifications.refusal(
        "7", samples.NPS_SURVEY, "Why and what to do.", CATALOGUE, editable=True, retry_at=NOON
    )
    yield "requester, survey refused", _message(refused)
    again = survey_notifications.refusal(
        "7",
        samples.NPS_SURVEY,
        "Why and what to do.",
        CATALOGUE,
        editable=True,
        retry_at=NOON,
        is_sent_again=True,
    )
    yield (
        "requester, survey refused when sent again: what is new",
        _new_lines(_message(again), _message(refused)),
    )
    cancelled = survey_notifications.repetition_cancelled("7", samples.SURVEY, CATALOGUE)
    yield "requester, survey canceled that was to be sent again", _message(cancelled)
    quoting = RecipientClosed(api_message="You cannot send messages to this user.").sentence()
    yield (
        "requester, why a survey on X was refused or given up",
        _lines(
            *(kind.advice for kind in WAITS_ON_X),
            *(kind().sentence() for kind in REFUSALS),
            quoting,
        ),
    )
    yield from _uncertain_surveys_on_x()
    for state in (State.SENT, State.REFUSED, State.UNCERTAIN):
        message = survey_notifications.settled(samples.SURVEY, state, CATALOGUE)
        yield f"requester, survey no longer waiting or uncertain: {state}", _message(message)
    usual = _message(survey_notifications.waiting("7", samples.SURVEY, CATALOGUE, NOON))
    yield "requester, survey waiting", usual
    for cause in ACCOUNT_CAUSES:
        reason = wait_reasons.account_paused(cause.reason)
        waiting = _message(survey_notifications.waiting("7", samples.SURVEY, CATALOGUE, NOON, reason))
        yield "requester, survey waiting for a paused account: what is new", _new_lines(waiting, usual)
    for error in WAITS_ON_X:
        reason = wait_reasons.WaitReason(error.reason, until=NOON if error.names_time else None)
        waiting = _message(survey_notifications.waiting("7", samples.SURVEY, CATALOGUE, NOON, reason))
        yield "requester, survey waiting for another reason: what is new", _new_lines(waiting, usual)
    elsewhere = wait_reasons.WAITS_FOR_OTHER_ACCOUNT
    other = _message(survey_notifications.waiting("7", samples.SURVEY, CATALOGUE, NOON, elsewhere))
    yield "requester, survey waiting for another X account: what is new", _new_lines(other, usual)
    for survey in (samples.SURVEY, samples.SLACK_SURVEY):
        for is_queued in (True, False):
            pointer = survey_notifications.pointer(survey, is_queued=is_queued)
            yield "requester, in the conversation", _message(pointer)
    yield from _slack_survey_messages()
    yield (
        "requester, replies to Cancel",
        _lines(*survey_buttons.CANCEL_OUTCOMES.values(), survey_buttons.ALREADY_SENT),
    )
    yield (
        "requester, replies to It arrived, Send again, Leave it",
        _lines(
            survey_buttons.ARRIVED,
            survey_buttons.SENT_AGAIN,
            survey_buttons.NOT_SENT_AGAIN,
            *(survey_buttons.LEFT_UNCERTAIN.format(promise=each.promise_if_left) for each in FACTS.values()),
            survey_buttons.LEFT_TO_OTHER_ACCOUNT,
            survey_buttons.LEFT_TO_REQUESTER,
            survey_buttons.ALREADY_SETTLED,
        ),
    )
    yield "requester, reply to Edit and try again", _lines(form_opening.NOT_YOURS)
    yield "requester, reply to a button of a survey that is gone", _lines(services.GONE)
    yield "requester, in place of a refusal, once its survey was edited and sent", form_submission.EDITED


def _uncertain_surveys_on_x() -> Iterator[Section]:
    """Yield what the requester of a survey on X reads as nobody knows whether it arrived."""
    question = uncertain_survey.WHETHER_IT_ARRIVED[Network.X]
    hint = FACTS[TransportName.X_CARD].hint_if_uncertain
    advice = f"{Unanswered.advice} {hint}"
    usual = _message(uncertain_survey.uncertainty("7", samples.SURVEY, advice, CATALOGUE))
    yield "requester, survey uncertain", usual
    linked = f"{Unanswered.advice} {FACTS[TransportName.X_LINK].hint_if_uncertain}"
    variants = {
        "sent as a link": uncertain_survey.uncertainty("7", samples.LINK_SURVEY, linked, CATALOGUE),
        "as X answered with an error": uncertain_survey.uncertainty(
            "7", samples.SURVEY, f"{Unconfirmed.advice} {hint}", CATALOGUE
        ),
        "as its instance is gone": uncertain_survey.uncertainty(
            "7", samples.SURVEY, f"{Uncertain.advice} {question} {hint}", CATALOGUE
        ),
        "whose customer has opted out": uncertain_survey.uncertainty(
            "7", samples.SURVEY, advice, CATALOGUE, opted_out=True
        ),
        "that the app can't settle any more": uncertain_survey.left_uncertain(
            "7", samples.SURVEY, f"{uncertain_survey.NOT_FOUND_OUT} {question}", CATALOGUE
        ),
        "of another X account": uncertain_survey.uncertainty(
            "7", samples.SURVEY, uncertain_survey.OTHER_ACCOUNT_UNCERTAIN, CATALOGUE
        ),
    }
    for heading, message in variants.items():
        yield f"requester, survey uncertain, {heading}: what is new", _new_lines(_message(message), usual)
    pressed = uncertain_survey.not_sent_again("7", samples.SURVEY, CATALOGUE)
    yield "requester, Send again to a customer who has opted out", _message(pressed)
    restored = uncertain_survey.uncertainty_after_restore("7", samples.SURVEY, CATALOGUE)
    yield "requester, survey of a restored backup", _message(restored)


def _customers() -> Iterator[Section]:
    for survey in (samples.SLACK_SURVEY, samples.SLACK_SURVEY.model_copy(update={"metric": Metric.NPS})):
        message = slack_survey.survey_message("7:0", survey, CATALOGUE)
        yield f"customer in Slack, {survey.metric.upper()}", _message(message)
    again = slack_survey.survey_message("7:0", samples.SLACK_SURVEY, CATALOGUE, is_answered=True)
    yield "customer in Slack, changing the answer", _message(again)
    for heading, fields in samples.ASKED.items():
        message = slack_survey.direct_message("7:0", samples.make_asked(**fields), CATALOGUE, NOON)
        yield f"customer in Slack, {heading}", _message(message)
    yield "thread of a customer in Slack", _message(slack_survey.invitation("7:0", samples.SLACK_SURVEY))
    for heading in ("rated", "too late"):
        message = slack_survey.thread_message("7:0", samples.make_asked(**samples.ASKED[heading]), NOON)
        yield f"thread of a customer in Slack, {heading}", _message(message)
    asked, rated = samples.make_asked(), samples.make_asked(response=samples.RATED)
    yield (
        "modal, comment of a customer",
        render_view(slack_survey_modals.comment_modal(samples.ANSWER_FORM, rated)),
    )
    feedback = slack_survey_modals.feedback_modal(samples.ANSWER_FORM, asked, CATALOGUE)
    yield "modal, answer of an invited customer", render_view(feedback)
    yield (
        "customer in Slack, problems",
        _lines(
            customers_survey.NOT_YOURS,
            customers_survey.NOT_ON_FILE,
            customers_survey.NOT_CHANGED,
            customers_survey.NOT_SAVED,
            customers_survey.NOT_KNOWN,
            customer_forms.NO_RATING,
            customer_forms.NO_COMMENT,
            customer_forms.COMMENT_TOO_LONG,
        ),
    )


def _low_ratings() -> Iterator[Section]:
    for follow_up in (samples.OPEN, samples.TAKEN, samples.CLOSED, samples.CLOSED_AT_ONCE, samples.REOPENED):
        alert = low_rating.alert_message(samples.make_rating(follow_up), CATALOGUE, samples.LINK)
        yield "results channel, low rating", _message(alert)
    anonymous = low_rating.anonymous_alert_message(samples.make_rating(samples.OPEN), CATALOGUE)
    yield "results channel that another company reads, low rating", _message(anonymous)
    yield "results channel, rating not low after all", _message(low_rating.withdrawn_message())
    changed = low_rating.alert_message(samples.CHANGED_RATING, CATALOGUE, samples.LINK)
    yield "results channel, rating not low any more", _message(changed)
    erased = samples.LOW_RATING.model_copy(update={"comment": None, "is_comment_erased": True})
    for rating in (samples.LOW_RATING, samples.UNANSWERED, samples.CHANGED_RATING, erased):
        modal = low_rating_modals.response_modal(rating, CATALOGUE, samples.LINK)
        yield "modal, response to a survey", render_view(modal)
    yield "modal, note", render_view(low_rating_modals.close_modal(samples.LOW_RATING, CATALOGUE))
    yield "supervisor, Take over of their own", low_ratings.ALREADY_YOURS
    yield "modal, note not saved", modal_submission.NOT_SAVED
    yield "modal, note perhaps saved", modal_submission.NOT_KNOWN
    for refusal in (
        PermissionDenied(low_ratings.SUPERVISORS_ONLY),
        PermissionUnknown(SlackUnavailable("ratelimited")),
        PermissionUnknown(SlackUnavailable("missing_scope")),
        FollowUpConflict(Conflict.OWN),
        FollowUpConflict(Conflict.UNKNOWN),
        FollowUpConflict(Conflict.WITHDRAWN),
        FollowUpConflict(Conflict.TAKEN, samples.TAKEN),
        FollowUpConflict(Conflict.OPEN, samples.REOPENED),
    ):
        message = low_ratings.build_refusal(refusal)
        yield "supervisor, low rating refused", render_view(low_rating_modals.message_modal(message))
    closed = low_ratings.build_refusal(FollowUpConflict(Conflict.CLOSED, samples.CLOSED))
    unsaved = low_rating_modals.unsaved_note_modal(closed, "We called them.", is_closed=True)
    yield "supervisor, low rating was closed by somebody else", render_view(unsaved)
    withdrawn = low_ratings.build_refusal(FollowUpConflict(Conflict.WITHDRAWN))
    unsaved = low_rating_modals.unsaved_note_modal(withdrawn, "We called them.", is_closed=False)
    yield "supervisor, rating was changed before it was closed", render_view(unsaved)


def _homes() -> Iterator[Section]:
    for has_supervisors in (True, False):
        for own in (samples.OWN, samples.NO_SURVEYS):
            view = home_view(agent_home(own, has_supervisors=has_supervisors))
            yield "App Home of an agent", render_view(view)
    for networks in ((Network.SLACK,), tuple(Network)):
        for own in (samples.OWN, samples.NO_SURVEYS):
            usual = render_view(home_view(agent_home(own, has_supervisors=True)))
            view = home_view(agent_home(own, has_supervisors=True, networks=networks))
            yield (
                f"App Home of an agent, for customers in {' and '.join(networks)}: what is new",
                _new_lines(render_view(view), usual),
            )
    denied = home_view(agent_home(samples.NO_SURVEYS, denial=samples.NOT_AN_AGENT, has_supervisors=True))
    yield "App Home of a guest", render_view(denied)
    full, empty = (
        list(supervisor_home(home, CATALOGUE)) for home in (samples.SUPERVISOR_HOME, samples.EMPTY_HOME)
    )
    usual = render_view(home_view(full))
    yield "App Home of a supervisor", usual
    yield "App Home of a supervisor, no surveys", render_view(home_view(empty))
    for sample in samples.EMPTY_REPORTS:
        others = home_view(supervisor_home(samples.EMPTY_HOME._replace(report=sample), CATALOGUE))
        changed = _new_lines(render_view(others), render_view(home_view(empty)))
        yield "App Home of a supervisor, no surveys, though others: what is new", changed
    may_not = home_view(supervisor_home(samples.EMPTY_HOME._replace(may_send=False), CATALOGUE))
    yield (
        "App Home of a supervisor who may not send, no surveys: what is new",
        _new_lines(render_view(may_not), render_view(home_view(empty))),
    )
    problem = _new_lines(
        render_view(home_view(supervisor_home(samples.HOME_WITHOUT_REPORT, CATALOGUE))), usual
    )
    yield "App Home of a supervisor, dates that a report can't cover: what is new", problem
    for sample in samples.REPORTS[1:-1]:
        other = supervisor_home(samples.SUPERVISOR_HOME._replace(report=sample), CATALOGUE)
        changed = _new_lines(render_view(home_view(other)), usual)
        yield "App Home of a supervisor, other reports: what is new", changed
    query = samples.SUPERVISOR_HOME.query.with_changes(transport=TransportName.X_LINK)
    report = samples.REPORT.model_copy(update={"filters": query.filters("T1", fixtures.CLEO)})
    sent_in_two_ways = samples.SUPERVISOR_HOME._replace(query=query, report=report)
    yield (
        "App Home of a supervisor, one way of sending chosen: what is new",
        _new_lines(render_view(home_view(supervisor_home(sent_in_two_ways, CATALOGUE))), usual),
    )
    fallbacks = render_view(home_view(full, use_fallbacks=True))
    yield "App Home of a supervisor, workspace without charts: what is new", _new_lines(fallbacks, usual)
    yield "App Home, database unavailable", render_view(home_view(unavailable_home()))


def _others() -> Iterator[Section]:
    yield (
        "results channel, digest",
        _message(digest_message([samples.REPORT, samples.NPS_REPORT], samples.WAITING)),
    )
    for cause in ACCOUNT_CAUSES:
        alert = pause_alerts.alert("1810", cause.reason, cause.fix)
        yield "operators, account paused", _message(alert)
    tried = pause_alerts.still_paused("1810", cause.reason, cause.fix, fixtures.CLEO, NOON)
    yield (
        "operators, after Resume now, still paused: what is new",
        _new_lines(_message(tried), _message(alert)),
    )
    yield "operators, after Resume now", _message(pause_alerts.resumed(fixtures.CLEO, NOON))
    for is_certain in (True, False):
        over = pause_alerts.outage_over(cause.reason, NOON, is_certain=is_certain)
        yield "operators, outage over", _message(over)
    yield (
        "operators, other replies to Resume now",
        _lines(pause_alerts.ALREADY_RESUMED, account_resume.OPERATORS_ONLY, account_resume.OTHER_ACCOUNT),
    )
    yield "channel, customer erased", _message(erased_messages.confirmation(fixtures.ADA))
    yield "requester, customer erased", _message(erased_messages.private_message())
    yield "customer in Slack, erased", _message(erased_messages.question())
    yield "requester, survey cancelled as its customer was erased", _message(erased_messages.cancellation())
    yield "anyone, unexpected error", errors.UNEXPECTED.format(reference="k3f9xq")
    yield "anyone, busy Slack", errors.SLACK_BUSY
    yield "anyone, Slack that rejects the token", errors.APP_REJECTED
    yield "anyone, database away", errors.DATABASE_UNAVAILABLE
    yield "anyone, lost commit", errors.UNKNOWN.format(reference="k3f9xq")


def _raised() -> Iterator[Section]:
    for heading, modules in RAISED.items():
        sentences = (text for module in modules for text in find_sentences(ROOT / module))
        yield heading, _lines(*(text for text in sentences if text.endswith((".", INSERTION))))


def _why_unknown(failure: SlackError | None) -> str:
    names = Names(WebClient())
    names.failure = failure
    return names.why_unknown


def _message(message: Message) -> str:
    return render_message(*message)


def _new_lines(text: str, known: str) -> str:
    return _lines(*(line for line in text.splitlines() if line not in known.splitlines()))


def _drop_repeated(text: str) -> str:
    return _lines(*dict.fromkeys(text.splitlines()))


def _lines(*texts: str) -> str:
    return "\n".join(texts)


if __name__ == "__main__":
    print(build_page())  # noqa: T201 - it is a command
