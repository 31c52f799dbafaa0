"""Accounts on the fake X: the brand's account with its API keys, and its customers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """OAuth 1.0a credentials of an X app and the account it acts for."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


@dataclass(frozen=True)
class Account:
    """The business account that sends surveys."""

    id: str
    handle: str
    name: str


@dataclass(frozen=True)
class Customer:
    """A user who can receive surveys; like X's own ids, `id` is a string above 2^53."""

    id: str
    handle: str
    name: str
    accepts_messages: bool = True
    suspended: bool = False


def keys_for(account: Account) -> Keys:
    """Return the keys of an account; as on X, the token starts with the account's id."""
    return Keys(
        "sandboxConsumerKey", "sandboxConsumerSecret", f"{account.id}-sandboxToken", "sandboxTokenSecret"
    )


ACCOUNT = Account("1810000000000000001", "NimbusAirHelp", "Nimbus Air")
KEYS = keys_for(ACCOUNT)

CUSTOMERS = (
    Customer("1820000000000000011", "ada_travels", "Ada Okafor"),
    Customer("1820000000000000022", "benitez_leo", "Leo Benítez"),
    Customer("1820000000000000033", "mira_k", "Mira Kowalska"),
    Customer("1820000000000000044", "TomInTransit", "Tom Nakamura"),
    Customer("1820000000000000055", "sofie_l", "Sofie Lindqvist"),
    Customer("1820000000000000066", "quiet_quinn", "Quinn Hartley", accepts_messages=False),
    Customer("1820000000000000077", "gone_gary", "Gary Flint", suspended=True),
)
"""Five reachable customers, one with closed direct messages, and one suspended."""
