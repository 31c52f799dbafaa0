"""The routes of the rating page: `/r/{token}`.

`GET` and `HEAD` show the page and never record anything, because programs open every link in a message before
people do. `POST` records, and redirects to the next step. No page shows the rating that was given, or whether
another one is the same: agents who read the brand's messages can open the link too.
"""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from csat.db import customer_answers
from csat.db.customer_answers import Outcome
from csat.db.errors import DatabaseError
from csat.db.rating_link_secrets import load_rating_link_secrets
from csat.rating_page.address_buckets import AddressBuckets
from csat.rating_page.languages import Languages
from csat.rating_page.page_renderer import PageRenderer
from csat.rating_page.plain_responses import HEADERS, handle_favicon, handle_robots, redirect
from csat.rating_page.posted_forms import InvalidForm, get_text, is_cross_site, read_form
from csat.rating_page.steps import STATUSES, TEMPORARY, Step, choose_step
from csat.rating_page.tokens import PROOF_PATH, make_proof, read_token
from csat.shared_resources import Resources
from csat.surveys.customer_survey import CommentTooLong, CustomerSurvey, parse_comment
from csat.surveys.opt_outs import How
from csat.surveys.questions import SCALES
from csat.web.request_body import BodyTooLarge
from csat.web.server import ExceptionHandler

PATH = "/r/{token}"
RETRY_AFTER_SECONDS = 60

log = logging.getLogger(__name__)


class Problem(Exception):
    """A request that is not served; its response is a page too."""

    def __init__(self, step: Step, status: HTTPStatus | None = None) -> None:
        super().__init__(step)
        self.step = step
        self.status = status


class RatingPageEndpoint:
    """Serves the page of every survey."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._metrics = resources.metrics
        self._clock = resources.clock
        self._public_url = resources.settings.csat_public_url
        self._languages = Languages()
        brand = resources.settings.csat_display_name or urlsplit(self._public_url).hostname or ""
        self._renderer = PageRenderer(resources.catalogue, self._languages, brand)
        self._buckets = AddressBuckets(lambda: self._clock().timestamp())

    def routes(self) -> list[Route]:
        """Return all that is served; every other path is unknown, like a wrong token."""
        return [
            Route(PROOF_PATH, self.prove, methods=["GET"]),
            Route(PATH, self.show, methods=["GET"]),
            Route(PATH, self.take, methods=["POST"]),
            Route("/robots.txt", handle_robots),
            Route("/favicon.ico", handle_favicon),
            Route("/{path:path}", self.show_unknown),
        ]

    def exception_handlers(self) -> dict[Any, ExceptionHandler]:
        """Return what responds to a method that no route has, and to an unexpected error."""
        return {HTTPException: self.refuse, Exception: self.apologize}

    async def show(self, request: Request) -> Response:
        """Show what a survey's page takes next."""
        return await self._respond_to(request, self._show)

    async def take(self, request: Request) -> Response:
        """Record what was posted, and redirect to the next step."""
        return await self._respond_to(request, self._take)

    async def prove(self, request: Request) -> Response:
        """Show whose page this is."""
        return await self._respond_to(request, self._prove)

    async def show_unknown(self, request: Request) -> Response:
        """Respond to any other path as to a wrong token."""
        problem = Problem(Step.UNKNOWN if self._has_budget(request) else Step.TOO_MANY)
        return self._respond_with_problem(request, problem)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Respond to an `HTTPException`: the path has no such method."""
        assert isinstance(error, HTTPException)  # noqa: S101 - it handles no others
        response = self._respond_with_problem(request, Problem(Step.REFUSED, HTTPStatus(error.status_code)))
        response.headers.update(error.headers or {})
        return response

    async def apologize(self, request: Request, _error: Exception) -> Response:
        """Respond to an unexpected error, which the server logs."""
        problem = Problem(Step.UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR)
        return self._respond_with_problem(request, problem)

    async def _respond_to(
        self, request: Request, handle: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        try:
            return await handle(request)
        except Problem as problem:
            return self._respond_with_problem(request, problem)
        except DatabaseError as error:
            log.warning("The rating page can't use the database: %s", error)
            return self._respond_with_problem(request, Problem(Step.UNAVAILABLE))

    def _respond_with_problem(self, request: Request, problem: Problem) -> Response:
        """Show what went wrong, and what was typed in a form to send it again, if that may help."""
        comment = getattr(request.state, "comment", "")
        return self._respond(request, problem.step, problem.status, comment=comment, is_invalid=False)

    async def _prove(self, _request: Request) -> Response:
        newest, *_ = await self._database.read(load_rating_link_secrets)
        return PlainTextResponse(make_proof(newest.value), headers=HEADERS)

    async def _show(self, request: Request) -> Response:
        _, page = await self._find(request)
        return self._show_step(
            request, page, choose_step(page, request.query_params.get("step", ""), self._clock())
        )

    async def _take(self, request: Request) -> Response:
        has_budget = self._has_budget(request)
        if is_cross_site(request, self._public_url):
            raise Problem(Step.REFUSED, HTTPStatus.FORBIDDEN)
        form = await _read_form(request)
        request.state.comment = get_text(form, "comment")
        if not has_budget:
            raise Problem(Step.TOO_MANY)
        survey_id, page = await self._find(request)
        action = get_text(form, "action")
        if action == "opt_out":
            await self._database.run_idempotent(
                customer_answers.opt_out, survey_id, How.RATING_PAGE, self._clock()
            )
            return redirect(request, request.query_params.get("step"))
        if page.is_closed(self._clock()):
            return self._show_step(request, page, Step.CLOSED)
        match action:
            case "rate":
                return await self._rate(request, survey_id, page, get_text(form, "rating"))
            case "comment":
                return await self._comment(request, survey_id, page, get_text(form, "comment"))
            case "disown":
                await self._database.run_idempotent(customer_answers.disown, survey_id, self._clock())
                return redirect(request)
        raise Problem(Step.REFUSED)

    async def _find(self, request: Request) -> tuple[int, CustomerSurvey]:
        """Return the survey of a request's token, and its page; raises `Problem` if there is none."""
        found = await self._database.read(find_survey, request.path_params["token"])
        if found is None:
            raise Problem(Step.UNKNOWN if self._has_budget(request) else Step.TOO_MANY)
        return found

    async def _rate(self, request: Request, survey_id: int, page: CustomerSurvey, text: str) -> Response:
        if not page.takes_rating(self._clock()):
            return redirect(request, Step.LATE)
        rating = {str(rating): rating for rating in SCALES[page.survey.metric]}.get(text)
        if rating is None:
            return self._show_step(request, page, Step.RATE, HTTPStatus.UNPROCESSABLE_ENTITY)
        now = self._clock()
        rated = await self._database.run_idempotent(customer_answers.rate, survey_id, rating, now)
        if rated is None:  # it was refused or erased meanwhile
            raise Problem(Step.UNKNOWN)
        if rated.outcome is Outcome.FIRST:
            self._metrics.count_answer(page.survey.metric)
        return redirect(request, Step.COMMENT if rated.survey.takes_rating(now) else Step.LATE)

    async def _comment(self, request: Request, survey_id: int, page: CustomerSurvey, text: str) -> Response:
        if not page.takes_comment(self._clock()):
            return redirect(request, Step.THANKS)
        try:
            comment = parse_comment(text)
        except CommentTooLong:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return self._show_step(request, page, Step.COMMENT, status, comment=text)
        if comment:
            commented = await self._database.run_idempotent(
                customer_answers.comment, survey_id, comment, self._clock()
            )
            if commented is None:
                raise Problem(Step.UNKNOWN)
        return redirect(request, Step.THANKS)

    def _show_step(
        self,
        request: Request,
        page: CustomerSurvey,
        step: Step,
        status: HTTPStatus | None = None,
        comment: str = "",
    ) -> Response:
        now = self._clock()
        return self._respond(
            request,
            step,
            status,
            page,
            preselected=request.query_params.get("s"),
            is_invalid=status is HTTPStatus.UNPROCESSABLE_ENTITY,
            can_change=page.takes_rating(now),
            can_comment=page.takes_comment(now),
            can_disown=page.can_be_disowned(now),
            comment=comment,
        )

    def _respond(
        self,
        request: Request,
        step: Step,
        status: HTTPStatus | None = None,
        page: CustomerSurvey | None = None,
        **values: object,
    ) -> Response:
        query, headers = request.query_params, request.headers
        language = self._languages.choose(query.get("lang", ""), headers.get("accept-language", ""))
        html = self._renderer.render(step, language, page, **values)
        policy = {"content-security-policy": self._renderer.content_security_policy}
        retry = {"retry-after": str(RETRY_AFTER_SECONDS)} if step in TEMPORARY else {}
        status = status or STATUSES.get(step, HTTPStatus.OK)
        return HTMLResponse(html, status, {**HEADERS, **policy, **retry, "vary": "accept-language"})

    def _has_budget(self, request: Request) -> bool:
        return self._buckets.take(request.client.host if request.client else "")


def find_survey(connection: Connection, token: str) -> tuple[int, CustomerSurvey] | None:
    """Return the number in a token, and the survey to answer; `None` if there is none."""
    linked = read_token(load_rating_link_secrets(connection), token)
    survey = customer_answers.find(connection, *linked) if linked else None
    return (linked.survey_id, survey) if linked and survey else None


async def _read_form(request: Request) -> FormData:
    try:
        return await read_form(request)
    except BodyTooLarge:
        raise Problem(Step.REFUSED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    except (InvalidForm, ClientDisconnect):
        raise Problem(Step.REFUSED) from None
