"""Takes deliveries to the app, over Socket Mode or HTTP, and waits for its acknowledgement."""

import asyncio
import copy
import time
import uuid

from sandbox.slack import signed
from sandbox.slack.deliveries import Delivery
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.workspace_state import State

ACK_SECONDS = 3.0


class Courier:
    """Delivers to the app, and keeps what was delivered."""

    def __init__(self, state: State, ack_seconds: float = ACK_SECONDS) -> None:
        self.deliveries: list[Delivery] = []
        self.request_url = ""
        """Where deliveries go over HTTP; empty for Socket Mode."""
        self._state = state
        self._ack_seconds = ack_seconds

    async def deliver(self, kind: str, payload: Json) -> Delivery:
        """Deliver, as often as was asked for; return the first that the app acknowledged."""
        envelope_id, payload = str(uuid.uuid4()), copy.deepcopy(payload)
        times = range(1 + self._state.faults.duplicate_deliveries)
        deliveries = [Delivery(kind, payload, envelope_id, retry) for retry in times]
        await asyncio.gather(*map(self._send, deliveries))
        return next((made for made in deliveries if made.response is not None), deliveries[0])

    async def again(self, delivery: Delivery) -> Delivery:
        """Deliver the very same once more."""
        repeat = Delivery(delivery.type, delivery.payload, delivery.envelope_id, delivery.retry_number + 1)
        await self._send(repeat)
        return repeat

    async def _send(self, delivery: Delivery) -> None:
        started = time.perf_counter()
        self.deliveries.append(delivery)
        try:
            async with asyncio.timeout(self._ack_seconds):
                delivery.response = await self._carry(delivery)
        except TimeoutError:
            delivery.error = "operation_timeout"
        except SlackError as refused:
            delivery.error = refused.error
        status = delivery.error or "acknowledged"
        seconds = time.perf_counter() - started
        answer = delivery.response or {}
        self._state.record("slack", delivery.title, status, seconds, delivery.payload, answer)

    async def _carry(self, delivery: Delivery) -> Json:
        if not self.request_url:
            return await self._over_socket(delivery)
        body, content_type = signed.encode(delivery)
        secret, now = self._state.signing_secret, self._state.clock()
        headers = signed.headers(secret, now, body, content_type, delivery.retry_number)
        return await signed.post(self.request_url, body, headers)

    async def _over_socket(self, delivery: Delivery) -> Json:
        retried = (
            {"retry_attempt": delivery.retry_number, "retry_reason": "timeout"}
            if delivery.retry_number
            else {}
        )
        return await self._state.sockets.send(
            {
                "envelope_id": delivery.envelope_id,
                "type": delivery.type,
                "payload": delivery.payload,
                "accepts_response_payload": delivery.type != "events_api",
                **retried,
            }
        )
