"""A direct message of the app in Slack with a button for each rating, or a button in a customer's thread."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, assert_never

from csat.clock import Clock
from csat.db.reconciliation import UncertainAttempt
from csat.db.survey_records import SurveyRecord
from csat.slack_api.client import SlackClient
from csat.slack_api.errors import NoResponse, SlackError, SlackRefused, SlackUnavailable, is_rejection
from csat.slack_api.posting import Posted
from csat.slack_api.shared_channels import MISSING_SCOPE
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient, SlackPerson, XAccount
from csat.surveys.responses import Update
from csat.surveys.slack_survey_ids import make_block_id, make_receipt_id
from csat.surveys.survey import Survey
from csat.surveys.transport_errors import RetryLater, TransportError, Uncertain
from csat.surveys.transports import TransportName
from csat.transports.slack_refusals import (
    TooLongForSlack,
    refusal_of_direct_message,
    refusal_of_invitation,
)

log = logging.getLogger(__name__)

UNCONFIRMED_CODES = frozenset(
    {"internal_error", "fatal_error", "request_timeout", "HTTP 500", "HTTP 502", "HTTP 503", "HTTP 504"}
)
"""Slack's errors after which a message may have been posted."""

IN_DIRECT_MESSAGE = "direct message: "
"""Begins the detail of an attempt that surely posted no invitation."""
IN_THREAD = "in the thread: "
"""Begins the detail of an attempt that may have posted an invitation: threads are not searched."""

BuildMessage = Callable[[str, Survey], tuple[str, list[dict[str, Any]]]]
"""Returns the text and the blocks of a message about a survey, which a key names in its buttons."""

log = logging.getLogger(__name__)


class SlackBusy(RetryLater):
    """Slack can't take the message at the moment."""

    advice = "Slack was busy or unreachable for a day, so we gave up. Try again later."
    reason = "Slack is busy or can't be reached."


class AppRejectedBySlack(RetryLater):
    """Slack takes no request with the app's token, or with its scopes."""

    advice = (
        "Slack rejected this app's messages for a day, so we gave up. "
        "Once an admin of this app has fixed that, send a new survey."
    )
    reason = "Slack rejects this app's messages, which an admin of it has to fix."


SLACK_WAITS: Mapping[str, type[RetryLater]] = MappingProxyType(
    {kind.__name__: kind for kind in (SlackBusy, AppRejectedBySlack)}
)
"""The errors for which a survey waits, by the reason that the database keeps."""


class SlackUnconfirmed(Uncertain):
    """The message left, and Slack has not said what became of it."""

    advice = "We got no confirmation from Slack, and haven't sent it again."


class SlackMessage:
    """Delivers messages to people in Slack; implements `Transport`.

    Args:
        build_survey: builds the direct message.
        build_invitation: builds the message in the thread of somebody whom the app may not message; everybody
            there reads it.
    """

    def __init__(
        self, slack: SlackClient, build_survey: BuildMessage, build_invitation: BuildMessage, clock: Clock
    ) -> None:
        self._slack = slack
        self._build_survey = build_survey
        self._build_invitation = build_invitation
        self._clock = clock

    async def look_up(self, recipient: Recipient) -> Recipient:
        """Return the recipient as they are: their id is known."""
        return recipient

    async def send(self, record: SurveyRecord) -> Receipt:
        """Send the direct message, or else the invitation in the thread where the survey was asked for.

        Nobody is invited in a channel that they are not in.
        """
        try:
            posted = await self._post(record)
        except SlackError as error:
            raise self._to_transport_error(error) from error
        return self._receipt(record, posted)

    async def find_delivered(self, attempt: UncertainAttempt) -> list[Update] | None:
        """Return the survey's message, if the conversation with the app has it.

        `None` if it may be an invitation, also of an instance that is gone: that one did not say; or if
        Slack does not let the app look for it.
        """
        if attempt.detail.startswith(IN_THREAD):
            return None
        record = attempt.survey
        try:
            posted = await self._slack.find_direct_message(_person(record).user, make_block_id(_key(record)))
        except SlackError as error:
            if not (isinstance(error, SlackRefused) or str(error) == MISSING_SCOPE):
                raise self._to_transport_error(error) from error
            log.warning("Survey %s can't be looked for: %s", record.id, error)
            return None
        if posted is None:
            may_be_in_thread = record.origin.thread and not attempt.detail.startswith(IN_DIRECT_MESSAGE)
            return None if may_be_in_thread else []
        # by this clock, which Slack's need not agree with, as the attempt is found by it
        receipt = self._receipt(record, posted).model_copy(update={"created_at": attempt.started_at})
        return [Update(receipt=receipt, account=record.account, metric=record.survey.metric)]

    async def _post(self, record: SurveyRecord) -> Posted:
        poster, user, origin = self._slack.poster, _person(record).user, record.origin
        try:
            return await poster.post_dm(user, *self._build_survey(_key(record), record.survey))
        except SlackRefused as error:
            refusal = refusal_of_direct_message(str(error))
            if (
                isinstance(refusal, TooLongForSlack)
                or not origin.thread
                or not await self._slack.may_be_in_channel(user, origin.channel)
            ):
                raise refusal from error
        if refusal.fix:
            log.warning("Survey %s is asked in the thread: %s. %s", record.id, refusal, refusal.fix)
        try:
            return await poster.post_in_thread(origin, *self._build_invitation(_key(record), record.survey))
        except SlackRefused as error:
            raise (refusal if refusal.fix else refusal_of_invitation(str(error))) from error
        except SlackError as error:
            raise self._to_transport_error(error, IN_THREAD) from error

    def _to_transport_error(self, error: SlackError, place: str = IN_DIRECT_MESSAGE) -> TransportError:
        code = str(error)
        if isinstance(error, NoResponse) or code in UNCONFIRMED_CODES:
            return SlackUnconfirmed(f"{place}{code}")
        if isinstance(error, SlackUnavailable):
            kind = AppRejectedBySlack if is_rejection(error) else SlackBusy
            return kind(code, until=self._clock() + timedelta(seconds=error.retry_after))
        return refusal_of_direct_message(code)

    def _receipt(self, record: SurveyRecord, posted: Posted) -> Receipt:
        """Return where the message is as a receipt; a button that is pressed says it anew."""
        message_id = make_receipt_id(*posted)
        posted_at = datetime.fromtimestamp(float(posted.ts), UTC) if posted.ts else self._clock()
        return Receipt(
            transport=TransportName.SLACK,
            id=message_id,
            dm_id=message_id,
            to_user_id=_person(record).id,
            external_id=record.survey.external_id,
            question_variant_id=record.survey.variant,
            created_at=posted_at,
            updated_at=posted_at,
        )


def _key(record: SurveyRecord) -> str:
    return record.key


def _person(record: SurveyRecord) -> SlackPerson:
    match record.survey.recipient:
        case SlackPerson() as person:
            return person
        case XAccount():
            raise AssertionError("the survey's recipient is checked against its transport")
        case unexpected:
            assert_never(unexpected)
