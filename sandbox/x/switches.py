"""What a test or a demo can change about X."""

from sandbox.x.quota import Way, fresh_quotas
from sandbox.x.trouble import Spell, Trouble
from sandbox.x.webhook import Webhook
from sandbox.x.wire import Style


class Switches:
    """X as it is documented, until a switch is set."""

    def __init__(self) -> None:
        self.quotas = fresh_quotas()
        """The rate limits; `x.quotas[Way.SHOW].limit = 2` makes one tight."""
        self.allowlist: set[str] = set()
        """Handles that may be asked more than once per 24 hours."""
        self.knows_every_id = False
        """Accept any numeric recipient, for load tests."""
        self.prints_dates_without_spaces = False
        """Print dates as the documentation does, `SatDec1517:58:20+00002015`."""
        self.prints_variants_as_integers = False
        """Print `question_variant_id` as X's webhooks do."""
        self.answers_404_for_unknown_handles = False
        """Instead of 200 with `errors` and no `data`."""
        self.lists_empty_pages = False
        """Put an empty page, with a cursor, before every page of events."""
        self.webhook: Webhook | None = None
        """Where every event is pushed as it happens; None: nowhere."""
        self.holds_pushes = False
        """Keep what would be pushed in `held`, for a test to `push` in an order of its own."""
        self.delay = 10.0
        """Seconds that `Trouble.SLOW` takes."""
        self.reset_after = 900
        """Seconds until the limits that a trouble pretends are reset."""
        self._spells: dict[Way, Spell] = {way: Spell() for way in Way}

    @property
    def trouble(self) -> Trouble | None:
        """What goes wrong with `feedback/create` from now on; None: nothing."""
        return self._spells[Way.CREATE].current

    @trouble.setter
    def trouble(self, trouble: Trouble | None) -> None:
        self._spells[Way.CREATE] = Spell(trouble)

    @property
    def lookup_trouble(self) -> Trouble | None:
        """What goes wrong with the user look-up from now on; None: nothing."""
        return self._spells[Way.LOOKUP].current

    @lookup_trouble.setter
    def lookup_trouble(self, trouble: Trouble | None) -> None:
        self._spells[Way.LOOKUP] = Spell(trouble)

    def trouble_for_next(self, calls: int, trouble: Trouble, way: Way = Way.CREATE) -> None:
        """Let the next `calls` of one way in go wrong, and those after them go well."""
        self._spells[way] = Spell(trouble, calls)

    def strike(self, way: Way) -> Trouble | None:
        """Tell what goes wrong with this call, and count it."""
        return self._spells[way].strike()

    @property
    def style(self) -> Style:
        """How X prints what it prints in more than one way."""
        return Style(self.prints_dates_without_spaces, self.prints_variants_as_integers)
