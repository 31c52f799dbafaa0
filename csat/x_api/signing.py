"""Sign requests with OAuth 1.0a, as X asks of whoever acts for a user."""

from collections.abc import Generator

import httpx
from oauthlib.oauth1 import Client
from pydantic import SecretStr

from csat.clock import Clock, utc_now
from csat.surveys.frozen_model import FrozenModel


class Keys(FrozenModel):
    """What X gives an app (`api_*`) and an account that connected it (`access_*`)."""

    api_key: SecretStr
    api_secret: SecretStr
    access_token: SecretStr
    access_token_secret: SecretStr


class OAuth1(httpx.Auth):
    """HMAC-SHA1 over method, URL, query and every form field, in the Authorization header."""

    requires_request_body = True

    def __init__(self, keys: Keys, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._client = Client(
            keys.api_key.get_secret_value(),
            client_secret=keys.api_secret.get_secret_value(),
            resource_owner_key=keys.access_token.get_secret_value(),
            resource_owner_secret=keys.access_token_secret.get_secret_value(),
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the signature to one request."""
        self._client.timestamp = str(int(self._clock().timestamp()))
        is_form = "content-type" in request.headers
        _, signed, _ = self._client.sign(
            str(request.url),
            http_method=request.method,  # type: ignore[arg-type]
            body=request.content.decode() if is_form else None,
            headers={"Content-Type": request.headers["content-type"]} if is_form else None,
        )
        request.headers["Authorization"] = signed["Authorization"]
        yield request
