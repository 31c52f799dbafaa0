"""A durable baseline in Python: Bolt and procrastinate, written as their documentation shows it.

A submission is a job in PostgreSQL before it is acknowledged. A worker in the same process sends it to X and
confirms it; the jobs of a killed worker are run again.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bench import python_baseline_survey
from bench.python_baseline_survey import confirmation, survey_fields, survey_form

WORKER_CONCURRENCY = 8
"""As many surveys at a time as csat-slack sends."""
SHUTDOWN_SECONDS = 5

app = AsyncApp(
    client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=f"{os.environ['SLACK_API_URL']}/"),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
)
queue = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))


@app.command("/csat")
async def open_form(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
    """Open the form."""
    await ack()
    await client.views_open(trigger_id=body["trigger_id"], view=survey_form(body))


@app.view("survey_form")
async def submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Enqueue the survey, once per form, before the form closes."""
    fields: dict[str, Any] = survey_fields(view["state"]["values"])
    with contextlib.suppress(AlreadyEnqueued):
        await send_survey.configure(queueing_lock=view["id"]).defer_async(
            fields=fields,
            user=body["user"]["id"],
            channel=json.loads(view["private_metadata"])["channel"],
        )
    await ack()


@queue.task
async def send_survey(fields: dict[str, str], user: str, channel: str) -> None:
    """Send the survey, and confirm it in the channel."""
    await python_baseline_survey.send_survey(fields)
    await app.client.chat_postMessage(
        channel=channel,
        text=f"<@{user}> sent a survey to {fields['to_user_id']} on X.",
        blocks=confirmation(user, fields),
        unfurl_links=False,
        unfurl_media=False,
    )


@queue.periodic(cron="* * * * *")
@queue.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(_context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
    """Retry the jobs of workers that were killed."""
    for job in await queue.job_manager.get_stalled_jobs():
        await queue.job_manager.retry_job(job)


async def run_worker(_web_app: web.Application) -> AsyncIterator[None]:
    """Run a worker while the app serves requests; create the schema first if there is none."""
    async with queue.open_async():
        if not await queue.check_connection_async():
            await queue.schema_manager.apply_schema_async()
        worker = asyncio.create_task(
            queue.run_worker_async(concurrency=WORKER_CONCURRENCY, install_signal_handlers=False)
        )
        yield
        worker.cancel()
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(worker, SHUTDOWN_SECONDS)


if __name__ == "__main__":
    web_app = app.web_app()
    web_app.cleanup_ctx.append(run_worker)
    web.run_app(web_app, host="127.0.0.1", port=int(os.environ["PORT"]))
