"""`POST /x/feedback`: X's webhook for the responses of customers.

The response tells X whether to retry: 200 once the event is stored durably, 400 if it can't be true, and 503
while the database is unavailable. The app also polls X for responses, in case X does not retry.
"""

import base64
import hmac
import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from csat.db.errors import DatabaseError
from csat.db.incoming_updates import UpdateOutcome
from csat.feedback.x_update_intake import Intake
from csat.web.paths import X_FEEDBACK
from csat.web.request_body import BodyTooLarge, read_body
from csat.x_api.errors import InvalidFeedback
from csat.x_api.feedback_wire import parse_event

MAX_BODY_BYTES = 256 * 1024
"""Enough for the longest message and comment with each character as an escape sequence."""

_CHALLENGE = {"www-authenticate": 'Basic realm="csat-slack", charset="UTF-8"'}

log = logging.getLogger(__name__)


class XWebhook:
    """Store the events that X posts.

    Args:
        intake: stores the events.
        user: the user name that X authenticates with (HTTP basic auth); not empty.
        password: the password; not empty.
    """

    def __init__(self, intake: Intake, user: str, password: str) -> None:
        self._intake = intake
        self._credentials = base64.b64encode(f"{user}:{password}".encode())

    async def handle(self, request: Request) -> Response:
        """Store one event; the body is not read unless the request is authenticated."""
        if not self._is_authenticated(request.headers.get("authorization", "")):
            log.warning(
                "Refused a request to %s: user and password are not X_WEBHOOK_USER and X_WEBHOOK_PASSWORD",
                X_FEEDBACK,
            )
            return PlainTextResponse("unauthorized", 401, _CHALLENGE)
        try:
            return await self._store(await read_body(request, MAX_BODY_BYTES))
        except BodyTooLarge:
            return PlainTextResponse("body too large", 413)
        except ClientDisconnect:
            return PlainTextResponse("bad request", 400)

    def _is_authenticated(self, header: str) -> bool:
        """Compare the credentials in constant time."""
        scheme, _, credentials = header.encode("latin-1").partition(b" ")
        return hmac.compare_digest(credentials.strip(), self._credentials) and scheme.lower() == b"basic"

    async def _store(self, body: bytes) -> Response:
        try:
            taken = await self._intake.take(parse_event(body))
        except InvalidFeedback as error:
            self._intake.reject(error)
            return PlainTextResponse("invalid event", 400)
        except DatabaseError as error:
            log.warning("An event of X was not stored: %s", error)
            return PlainTextResponse("try again later", 503)
        return PlainTextResponse("invalid event", 400) if taken is UpdateOutcome.INVALID else Response()
