"""The networks in which customers are reached."""

from enum import StrEnum


class Network(StrEnum):
    """A network; it decides which transports fit a recipient."""

    X = "x"
    SLACK = "slack"

    @property
    def label(self) -> str:
        """The network's name."""
        return self.capitalize()
