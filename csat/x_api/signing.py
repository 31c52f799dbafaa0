"""OAuth 1.0a request signing."""

from collections.abc import Generator

import httpx
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import CONTENT_TYPE_FORM_URLENCODED
from pydantic import SecretStr

from csat.clock import Clock, utc_now
from csat.surveys.frozen_model import FrozenModel


class Credentials(FrozenModel):
    """The app's API key (`api_*`) and the access token of an account that authorized the app (`access_*`)."""

    api_key: SecretStr
    api_secret: SecretStr
    access_token: SecretStr
    access_token_secret: SecretStr


class OAuth1(httpx.Auth):
    """Sign method, URL, query and all form fields with HMAC-SHA1, in the Authorization header.

    A body that is not a form is not signed (RFC 5849, section 3.4.1.3.1).
    """

    requires_request_body = True

    def __init__(self, credentials: Credentials, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._client = Client(
            credentials.api_key.get_secret_value(),
            client_secret=credentials.api_secret.get_secret_value(),
            resource_owner_key=credentials.access_token.get_secret_value(),
            resource_owner_secret=credentials.access_token_secret.get_secret_value(),
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the signature to a request."""
        self._client.timestamp = str(int(self._clock().timestamp()))
        content_type = request.headers.get("content-type", "")
        is_form = content_type == CONTENT_TYPE_FORM_URLENCODED
        _, signed_headers, _ = self._client.sign(
            str(request.url),
            http_method=request.method,  # type: ignore[arg-type]
            body=request.content.decode() if is_form else None,
            headers={"Content-Type": content_type} if is_form else None,
        )
        request.headers["Authorization"] = signed_headers["Authorization"]
        yield request
