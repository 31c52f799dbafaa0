"""Inject faults into the requests to the fake X, and hold its responses."""

from dataclasses import dataclass

from sandbox.request_hold import Hold
from sandbox.x.faults import Fault
from sandbox.x.rate_limits import Endpoint


@dataclass
class ActiveFault:
    """A fault, and the number of requests it still affects (None: all of them)."""

    fault: Fault
    remaining: int | None = None


class FaultInjection:
    """The faults that affect requests to X, and the holds on them; at first there are none."""

    def __init__(self) -> None:
        super().__init__()
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
