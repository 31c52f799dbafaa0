"""Run Bolt's listeners without its poll for the acknowledgement, which costs 10 ms a request."""

import asyncio
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.listener.async_listener import AsyncListener
from slack_bolt.listener.asyncio_runner import AsyncioListenerRunner
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from csat.tasks import BackgroundTasks


class ImmediateAck(AsyncAck):
    """An acknowledgement that can be waited for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.given = asyncio.Event()

    async def __call__(self, *args: Any, **kwargs: Any) -> BoltResponse:  # noqa: ANN401 - AsyncAck's own
        """Acknowledge, and wake whoever answers Slack."""
        response = await super().__call__(*args, **kwargs)
        self.given.set()
        return response


class ImmediateAckRunner(AsyncioListenerRunner):
    """Answers Slack the moment a listener acknowledges; the listener goes on as a tracked task."""

    def __init__(self, runner: AsyncioListenerRunner, tasks: BackgroundTasks) -> None:
        parts = ("logger", "process_before_response", "listener_error_handler", "listener_start_handler")
        more = ("listener_completion_handler", "lazy_listener_runner")
        super().__init__(**{part: getattr(runner, part) for part in (*parts, *more)})
        self._tasks = tasks

    async def run(
        self,
        request: AsyncBoltRequest,
        response: BoltResponse,
        listener_name: str,
        listener: AsyncListener,
        starting_time: float | None = None,  # noqa: ARG002 - Bolt passes it
    ) -> BoltResponse | None:
        """Start a listener and return its acknowledgement as soon as there is one."""
        ack = request.context["ack"] = ImmediateAck()
        if listener.auto_acknowledgement:
            await ack()
        name = f"answering {request.body.get('type') or request.body.get('command')}"
        self._tasks.start(self._listen(request, response, listener, ack), name)
        try:
            await asyncio.wait_for(ack.given.wait(), listener.ack_timeout)
        except TimeoutError:
            self.logger.warning("%s did not acknowledge in time", listener_name)
        return ack.response

    async def _listen(
        self, request: AsyncBoltRequest, response: BoltResponse, listener: AsyncListener, ack: ImmediateAck
    ) -> None:
        try:
            await listener.run_ack_function(request=request, response=response)
        except Exception as error:  # noqa: BLE001 - the one boundary: nothing unexpected goes untold
            await self.listener_error_handler.handle(error, request, response)
        finally:
            ack.given.set()
