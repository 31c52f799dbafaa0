"""Options of the fake X: limits, formats and the webhook, which a test or the demo can change."""

from sandbox.x.rate_limits import default_rate_limits
from sandbox.x.serializers import JsonStyle
from sandbox.x.webhook import Webhook


class BehaviorOptions:
    """The behavior of X; the defaults are as documented by X."""

    def __init__(self) -> None:
        super().__init__()
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

    @property
    def json_style(self) -> JsonStyle:
        """How responses format dates and variants."""
        return JsonStyle(self.dates_without_spaces, self.variants_as_integers)
