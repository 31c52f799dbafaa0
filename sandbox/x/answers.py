"""What each route of X answers when nobody is refused at the door."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.x import events, lookup, parameters, wire
from sandbox.x.calls import FORM, Call
from sandbox.x.errors import NoSuchFeedback, NotPossible, Refusal
from sandbox.x.feedback import Feedback
from sandbox.x.wire import Json
from sandbox.x.world import World

NO_PAGE = (404, 34, "Sorry, that page does not exist.")


@dataclass(frozen=True)
class Answer:
    """A body, and its HTTP status."""

    body: Json
    status: int = 200


def create(world: World, call: Call) -> Answer:
    """Send a survey; its parameters come in a form, none in the address."""
    if call.content_type != FORM:
        raise Refusal(415, 44, f"Content-Type must be {FORM}.")
    for name, _ in call.query:
        raise parameters.invalid(name, "it must be in the body")
    return _told(world, world.create(parameters.parse(call.form)))


def show(world: World, call: Call, feedback_id: str) -> Answer:
    """Tell of one feedback."""
    _take_only((), call)
    return _told(world, _found(world, feedback_id))


def list_events(world: World, call: Call) -> Answer:
    """List a page of what happened in a period."""
    given = parameters.unique(call.query)
    page = events.page(world.events, given, world.clock(), empty_pages=world.lists_empty_pages)
    listed = [wire.event(event.type, event.at, event.feedback, world.style) for event in page.events]
    return Answer({"events": listed, "next_cursor": page.next_cursor})


def look_up(world: World, call: Call, handle: str) -> Answer:
    """Find a user by handle; one who is not there, or suspended, has `errors` and no `data`."""
    lookup.check_handle(handle)
    fields = lookup.wanted_fields(call.params)
    try:
        customer = world.customer(handle)
    except KeyError:
        return Answer(lookup.not_found(handle), 404 if world.answers_404_for_unknown_handles else 200)
    return Answer(lookup.suspended(handle) if customer.suspended else lookup.found(customer, fields))


def tell_me(world: World, call: Call) -> Answer:
    """Tell whose the token is."""
    return Answer(lookup.found(world.account, lookup.wanted_fields(call.params)))


def submit(world: World, call: Call, feedback_id: str) -> Answer:
    """Take a score, a text or both from the customer."""
    _take_only(("score", "text"), call)
    given = parameters.unique(call.form)
    score = _score(given["score"]) if "score" in given else None
    _found(world, feedback_id)
    try:
        return _told(world, world.respond(feedback_id, score, given.get("text")))
    except NotPossible as reason:
        raise Refusal(403, 44, str(reason)) from None


def dismiss(world: World, call: Call, feedback_id: str) -> Answer:
    """Put the customer's card away."""
    _take_only((), call)
    it = _found(world, feedback_id)
    try:
        world.dismiss(feedback_id)
    except NotPossible as reason:
        raise Refusal(403, 44, str(reason)) from None
    return _told(world, it)


def _told(world: World, it: Feedback) -> Answer:
    return Answer(wire.feedback(it, world.style))


def _found(world: World, feedback_id: str) -> Feedback:
    try:
        return world.feedback(feedback_id)
    except NoSuchFeedback:
        raise Refusal(*NO_PAGE) from None


def _score(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):  # noqa: PLR2004 - no scale has three digits
        raise parameters.invalid("score", "it must be a whole number")
    return int(text)


def _take_only(names: Iterable[str], call: Call) -> None:
    for name in call.params.keys() - set(names):
        raise parameters.invalid(name, "it is unknown")
