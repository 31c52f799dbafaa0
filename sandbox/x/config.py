"""Settings of the fake X that a test or the demo can change."""

from dataclasses import dataclass

from sandbox.request_hold import Hold
from sandbox.x.faults import Fault
from sandbox.x.rate_limits import Endpoint, default_rate_limits
from sandbox.x.serializers import JsonStyle
from sandbox.x.webhook import Webhook


@dataclass
class ActiveFault:
    """A fault, and the number of requests it still affects (None: all of them)."""

    fault: Fault
    remaining: int | None = None


class Config:
    """The behaviour of X; the defaults are as documented by X."""

    def __init__(self) -> None:
        self.rate_limits = default_rate_limits()
        """Rate limits by endpoint: `x.rate_limits[Endpoint.SHOW].limit = 2` makes one tight."""
        self.allowlist: set[str] = set()
        """Handles that can be surveyed more than once per 24 hours."""
        self.accepts_any_recipient = False
        """Accept any numeric recipient id, for load tests."""
        self.dates_without_spaces = False
        """Format dates as in X's documentation, `SatDec1517:58:20+00002015`."""
        self.variants_as_integers = False
        """Send `question_variant_id` as an integer, as X's webhooks do."""
        self.unknown_handles_return_404 = False
        """Respond to unknown handles with 404 instead of 200 with `errors` and no `data`."""
        self.adds_empty_pages = False
        """Return an empty page with a cursor before every page of events."""
        self.webhook: Webhook | None = None
        """Webhook that receives every event; None disables it."""
        self.webhook_paused = False
        """Collect events in `pending_events` instead of posting them to the webhook."""
        self.delay_seconds = 10.0
        """Seconds that `Fault.SLOW` delays a response."""
        self.limit_reset_seconds = 900
        """Seconds until the reset that a simulated rate limit announces."""
        self._faults: dict[Endpoint, ActiveFault] = {}
        self._holds: dict[tuple[Endpoint, bool], Hold] = {}

    def fail(self, fault: Fault, endpoint: Endpoint = Endpoint.CREATE, *, times: int | None = None) -> None:
        """Make requests to an endpoint fail: the next `times` of them, or all until `recover()`."""
        self._faults[endpoint] = ActiveFault(fault, times)

    def recover(self, endpoint: Endpoint | None = None) -> None:
        """Remove the fault of one endpoint, or of all."""
        if endpoint is None:
            self._faults.clear()
        else:
            self._faults.pop(endpoint, None)

    def fault(self, endpoint: Endpoint = Endpoint.CREATE) -> Fault | None:
        """Return the fault that affects the next request to an endpoint."""
        active = self._faults.get(endpoint)
        return active.fault if active else None

    def take_fault(self, endpoint: Endpoint) -> Fault | None:
        """Return the fault that affects this request, and count the request."""
        active = self._faults.get(endpoint)
        if active is None:
            return None
        if active.remaining is not None:
            active.remaining -= 1
            if active.remaining <= 0:
                del self._faults[endpoint]
        return active.fault

    def hold(
        self, endpoint: Endpoint = Endpoint.CREATE, *, times: int | None = None, after: bool = True
    ) -> Hold:
        """Hold the next `times` responses of an endpoint (None: all) until the hold is released.

        Error responses are held, too. With `after=False`, requests are held before they are processed.
        """
        hold = self._holds[endpoint, after] = Hold(times)
        return hold

    async def wait_for_release(self, endpoint: Endpoint, *, after: bool) -> None:
        """Wait while a hold applies before or after processing a request."""
        if hold := self._holds.get((endpoint, after)):
            await hold.wait()

    @property
    def json_style(self) -> JsonStyle:
        """How responses format dates and variants."""
        return JsonStyle(self.dates_without_spaces, self.variants_as_integers)
