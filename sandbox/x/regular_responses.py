"""The endpoints: their regular responses to valid requests."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.x import event_listing, user_lookup
from sandbox.x.accounts import Account, Customer
from sandbox.x.errors import ApiError, CustomerActionError, FeedbackNotFound
from sandbox.x.feedback_card import Feedback
from sandbox.x.feedback_create_params import invalid_parameter, parse_create_params, parse_params
from sandbox.x.message_listing import list_messages as list_page
from sandbox.x.message_listing import parse_message, parse_participant_id
from sandbox.x.recorded_request import FORM_CONTENT_TYPE, JSON_CONTENT_TYPE, RecordedRequest
from sandbox.x.serializers import Json, serialize_event, serialize_feedback
from sandbox.x.state import XState

PAGE_NOT_FOUND = (404, 34, "Sorry, that page does not exist.")
OVER_CAPACITY = (503, 130, "Over capacity")
NOT_OPEN_TO_MESSAGES = (403, 0, "You do not have permission to DM one or more participants.")


@dataclass(frozen=True)
class JsonResult:
    """A JSON body with its HTTP status."""

    body: Json
    status: int = 200


def create(x: XState, request: RecordedRequest) -> JsonResult:
    """Send a survey; parameters are accepted in a form only, not in the query."""
    if request.content_type != FORM_CONTENT_TYPE:
        raise ApiError(415, 44, f"Content-Type must be {FORM_CONTENT_TYPE}.")
    for name, _ in request.query:
        raise invalid_parameter(name, "must be in the body")
    return _feedback_result(x, x.create(parse_create_params(request.form)))


def show(x: XState, request: RecordedRequest, feedback_id: str) -> JsonResult:
    """Return a feedback."""
    _reject_unknown_params((), request)
    if feedback_id in x.unavailable:
        raise ApiError(*OVER_CAPACITY)
    return _feedback_result(x, _find_feedback(x, feedback_id))


def list_events(x: XState, request: RecordedRequest) -> JsonResult:
    """Return a page of the events in a period."""
    params = parse_params(request.query)
    page = event_listing.list_events(x.events, params, x.clock(), add_empty_pages=x.adds_empty_pages)
    listed = [serialize_event(event.type, event.at, event.feedback, x.json_style) for event in page.events]
    return JsonResult({"events": listed, "next_cursor": page.next_cursor})


def look_up_user(x: XState, request: RecordedRequest, handle: str) -> JsonResult:
    """Find a customer or the account by handle; an unknown or suspended user has `errors` and no `data`."""
    user_lookup.check_handle(handle)
    fields = user_lookup.parse_fields(request.params)
    if handle.lower() == x.account.handle.lower():
        return JsonResult(user_lookup.serialize_user(x.account, fields))
    try:
        customer = x.customer(handle)
    except KeyError:
        return JsonResult(user_lookup.user_not_found(handle), 404 if x.unknown_handles_return_404 else 200)
    return JsonResult(
        user_lookup.user_suspended(handle)
        if customer.suspended
        else user_lookup.serialize_user(customer, fields)
    )


def show_user(x: XState, request: RecordedRequest, user_id: str) -> JsonResult:
    """Return the user with an id: a customer or the account; an unknown id has `errors` and no `data`."""
    fields = user_lookup.parse_fields(request.params)
    users: tuple[Account | Customer, ...] = (x.account, *x.customers)
    for user in users:
        if user.id == user_id:
            return JsonResult(user_lookup.serialize_user(user, fields))
    return JsonResult(user_lookup.id_not_found(user_id))


def show_me(x: XState, request: RecordedRequest) -> JsonResult:
    """Return the account of the access token."""
    return JsonResult(user_lookup.serialize_user(x.account, user_lookup.parse_fields(request.params)))


def send_message(x: XState, request: RecordedRequest, participant_id: str) -> JsonResult:
    """Send a direct message; X says the same of every recipient who can't be messaged."""
    if request.content_type != JSON_CONTENT_TYPE:
        raise ApiError(415, 0, f"Content-Type must be {JSON_CONTENT_TYPE}.")
    recipient_id, text = parse_participant_id(participant_id), parse_message(request.json)
    try:
        message = x.send_message(recipient_id, text)
    except ApiError:
        raise ApiError(*NOT_OPEN_TO_MESSAGES) from None
    ids = {"dm_conversation_id": message.conversation_id, "dm_event_id": message.id}
    return JsonResult({"data": ids}, 201)


def list_messages(x: XState, request: RecordedRequest, participant_id: str) -> JsonResult:
    """Return a page of the messages to a customer."""
    conversation = x.conversation(parse_participant_id(participant_id))
    return JsonResult(list_page(conversation, request.params, x.clock()))


def submit(x: XState, request: RecordedRequest, feedback_id: str) -> JsonResult:
    """Store the customer's score, text, or both."""
    _reject_unknown_params(("score", "text"), request)
    params = parse_params(request.form)
    score = _parse_score(params["score"]) if "score" in params else None
    _find_feedback(x, feedback_id)
    try:
        return _feedback_result(x, x.respond(feedback_id, score, params.get("text")))
    except CustomerActionError as error:
        raise ApiError(403, 44, str(error)) from None


def dismiss(x: XState, request: RecordedRequest, feedback_id: str) -> JsonResult:
    """Dismiss the customer's card."""
    _reject_unknown_params((), request)
    feedback = _find_feedback(x, feedback_id)
    try:
        x.dismiss(feedback_id)
    except CustomerActionError as error:
        raise ApiError(403, 44, str(error)) from None
    return _feedback_result(x, feedback)


def _feedback_result(x: XState, feedback: Feedback) -> JsonResult:
    return JsonResult(serialize_feedback(feedback, x.json_style))


def _find_feedback(x: XState, feedback_id: str) -> Feedback:
    try:
        return x.feedback(feedback_id)
    except FeedbackNotFound:
        raise ApiError(*PAGE_NOT_FOUND) from None


def _parse_score(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):  # noqa: PLR2004 - no scale has three digits
        raise invalid_parameter("score", "must be a whole number")
    return int(text)


def _reject_unknown_params(known: Iterable[str], request: RecordedRequest) -> None:
    for name in request.params.keys() - set(known):
        raise invalid_parameter(name, "unknown parameter")
