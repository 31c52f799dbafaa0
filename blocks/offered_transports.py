"""The transports that a survey form offers, for its customer and after a change of the settings."""

from typing import Final

from blocks.form_state import Form
from csat.surveys.networks import Network
from csat.surveys.transports import FACTS, TransportName

NOT_ASKED: Final = {
    Network.X: "This app doesn't ask customers on X any more.",
    Network.SLACK: "This app doesn't ask people in Slack any more.",
}
"""Where customers were asked before a change of transports."""
NETWORK_GONE: Final = {
    Network.X: f"{NOT_ASKED[Network.X]} Choose a person in Slack, or cancel.",
    Network.SLACK: f"{NOT_ASKED[Network.SLACK]} Enter a customer on X, or cancel.",
}
TRANSPORT_GONE: Final = "This app asks customers in another way now. Check the form, then send it."


class OfferedTransports:
    """The transports to choose from.

    Args:
        names: all of them, the usual one first.
    """

    def __init__(self, names: tuple[TransportName, ...]) -> None:
        self._names = names
        self._by_network = {
            network: tuple(name for name in names if FACTS[name].network is network) for network in Network
        }
        self.networks = frozenset(FACTS[name].network for name in names)
        """Where customers can be asked."""

    def on(self, network: Network) -> tuple[TransportName, ...]:
        """Return the transports in a network, the usual one first."""
        return self._by_network[network]

    def offered(self, form: Form) -> tuple[TransportName, ...]:
        """Return the transports in a form's network, or in that which takes its place."""
        return self.on(self._fitting_network(form))

    def fitting(self, form: Form) -> TransportName:
        """Return a form's transport, or the usual one of its network if its own is not offered there."""
        offered = self.offered(form)
        return TransportName(form.draft.transport) if form.draft.transport in offered else offered[0]

    def fit(self, form: Form) -> Form:
        """Return a form with a network and a transport that are offered."""
        draft = form.draft.model_copy(update={"transport": self.fitting(form)})
        return form.model_copy(update={"network": self._fitting_network(form), "draft": draft})

    def other_network(self, form: Form) -> Network | None:
        """Return where else the customer of a form can be, if the person may still choose."""
        return next(iter(self.networks - {form.network}), None) if form.switches_network else None

    def explain_change(self, form: Form) -> str:
        """Return a text if a form, or the survey that is edited, is from before a change of transports."""
        if form.network and form.network not in self.networks:
            return NETWORK_GONE[form.network]
        transport = form.shown_transport or form.draft.transport
        return TRANSPORT_GONE if transport and transport not in self._names else ""

    def _fitting_network(self, form: Form) -> Network:
        return form.network if form.network in self.networks else FACTS[self._names[0]].network
