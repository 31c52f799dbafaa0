"""`POST /x/feedback`: X's webhook, which pushes what customers answer.

An event is answered with 200 once it is in the ledger, for good. What can't be is answered with 400: sent
again, it would be as wrong. While the ledger is away the answer is 503, so that X tries again; where it does
not, the app fetches the answer by itself.
"""

import base64
import hmac
import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from csat.db.errors import DatabaseError
from csat.db.responses import Taken
from csat.feedback.intake import Intake
from csat.web.request_body import BodyTooLarge, read_body
from csat.x_api.errors import InvalidFeedback
from csat.x_api.feedback_events import parse_event

PATH = "/x/feedback"
LARGEST_BODY = 256 * 1024
"""Bytes; a message, a comment and all that X says around them, each character written as an escape."""

_WHO = {"www-authenticate": 'Basic realm="csat-slack", charset="UTF-8"'}

log = logging.getLogger(__name__)


class XWebhook:
    """Takes what X pushes.

    Args:
        user: the name that X gives (HTTP basic auth), with its password; neither is empty.
    """

    def __init__(self, intake: Intake, user: str, password: str) -> None:
        self._intake = intake
        self._known = base64.b64encode(f"{user}:{password}".encode())

    async def answer(self, request: Request) -> Response:
        """Answer one event; its body is not read before it is known who sends it."""
        if not self._is_from_x(request.headers.get("authorization", "")):
            log.warning("Refused an event at %s: not X's name and password", PATH)
            return PlainTextResponse("who are you?", 401, _WHO)
        try:
            return await self._take(await read_body(request, LARGEST_BODY))
        except BodyTooLarge:
            return PlainTextResponse("too large", 413)
        except ClientDisconnect:
            return PlainTextResponse("not understood", 400)

    def _is_from_x(self, header: str) -> bool:
        """Compare in a time that tells nothing, whatever was sent."""
        scheme, _, credentials = header.encode("latin-1").partition(b" ")
        return hmac.compare_digest(credentials.strip(), self._known) and scheme.lower() == b"basic"

    async def _take(self, body: bytes) -> Response:
        try:
            taken = await self._intake.take(parse_event(body))
        except InvalidFeedback as problem:
            self._intake.reject(problem)
            return PlainTextResponse("not possible", 400)
        except DatabaseError as error:
            log.warning("An event of X is put off: %s", error)
            return PlainTextResponse("not now", 503)
        return PlainTextResponse("not possible", 400) if taken is Taken.IMPOSSIBLE else Response()
