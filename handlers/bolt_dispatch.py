"""Bolt, behind a plain callable that takes a verified request and returns its acknowledgement."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.listener.async_listener import AsyncListener
from slack_bolt.listener.asyncio_runner import AsyncioListenerRunner
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from csat.background_tasks import BackgroundTasks, log_with_reference
from csat.slack_api.dispatch_interface import Acknowledgement


def build_app(web: AsyncWebClient, tasks: BackgroundTasks) -> AsyncApp:
    """Return a Bolt app without listeners, for requests that are verified before they reach it.

    Args:
        web: the Web API client, with the bot's token.
        tasks: runs the listeners, which may go on after they have acknowledged.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=web.token)

    app = AsyncApp(
        name="csat-slack",
        logger=logging.getLogger("slack_bolt"),
        client=web,
        authorize=authorize,
        signing_secret="",
        request_verification_enabled=False,
    )
    app._async_listener_runner = ImmediateAckRunner(app.listener_runner, tasks)  # noqa: SLF001 - Bolt has no setter
    return app


async def dispatch(app: AsyncApp, body: dict[str, Any]) -> Acknowledgement:
    """Run the listener for a verified request; return as soon as it acknowledges."""
    try:
        # "socket_mode" is Bolt's mode for a body that is parsed already
        response = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        log_with_reference(error, "reading a request from Slack")
        return Acknowledgement(HTTPStatus.BAD_REQUEST, "bad request", "text/plain")
    return Acknowledgement(response.status, response.body, response.first_headers()["content-type"])


class ImmediateAck(AsyncAck):
    """An acknowledgement that can be awaited."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.called = asyncio.Event()

    async def __call__(self, *args: Any, **kwargs: Any) -> BoltResponse:  # noqa: ANN401 - AsyncAck's own
        """Acknowledge the request and wake the runner."""
        response = await super().__call__(*args, **kwargs)
        self.called.set()
        return response


class ImmediateAckRunner(AsyncioListenerRunner):
    """Answer Slack the moment a listener acknowledges, and let the listener go on as a tracked task.

    Bolt's own runner polls for the acknowledgement, which costs 10 ms a request.
    """

    def __init__(self, runner: AsyncioListenerRunner, tasks: BackgroundTasks) -> None:
        super().__init__(
            logger=runner.logger,
            process_before_response=runner.process_before_response,
            listener_error_handler=runner.listener_error_handler,
            listener_start_handler=runner.listener_start_handler,
            listener_completion_handler=runner.listener_completion_handler,
            lazy_listener_runner=runner.lazy_listener_runner,
        )
        self._tasks = tasks

    async def run(
        self,
        request: AsyncBoltRequest,
        response: BoltResponse,
        listener_name: str,
        listener: AsyncListener,
        starting_time: float | None = None,  # noqa: ARG002 - Bolt passes it
    ) -> BoltResponse | None:
        """Start a listener, and return its acknowledgement as soon as there is one."""
        ack = request.context["ack"] = ImmediateAck()
        if listener.auto_acknowledgement:
            await ack()
        task_name = f"answering {request.body.get('type') or request.body.get('command')}"
        self._tasks.start(self._run_listener(request, response, listener, ack), task_name)
        try:
            await asyncio.wait_for(ack.called.wait(), listener.ack_timeout)
        except TimeoutError:
            self.logger.warning("%s did not acknowledge in time", listener_name)
        return ack.response

    async def _run_listener(
        self, request: AsyncBoltRequest, response: BoltResponse, listener: AsyncListener, ack: ImmediateAck
    ) -> None:
        try:
            await listener.run_ack_function(request=request, response=response)
        except Exception as error:  # noqa: BLE001 - the one boundary: users are told of unexpected errors
            unused = BoltResponse(status=HTTPStatus.OK)  # Bolt copies the acknowledgement into it
            await self.listener_error_handler.handle(error, request, unused)
        finally:
            ack.called.set()
