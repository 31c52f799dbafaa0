"""Who is on the pretend X: the brand's account with its keys, and its customers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The four OAuth 1.0a credentials with which an X app speaks for one account."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


@dataclass(frozen=True)
class Account:
    """The business account that sends the surveys."""

    id: str
    handle: str
    name: str


@dataclass(frozen=True)
class Customer:
    """Somebody who can be asked; the id is a string, beyond 2^53 as X's ids are."""

    id: str
    handle: str
    name: str
    accepts_messages: bool = True
    suspended: bool = False


def keys_of(account: Account) -> Keys:
    """Return the keys that speak for an account: X begins every token with the account's id."""
    return Keys(
        "sandboxConsumerKey", "sandboxConsumerSecret", f"{account.id}-sandboxToken", "sandboxTokenSecret"
    )


ACCOUNT = Account("1810000000000000001", "NimbusAirHelp", "Nimbus Air")
KEYS = keys_of(ACCOUNT)

CUSTOMERS = (
    Customer("1820000000000000011", "ada_travels", "Ada Okafor"),
    Customer("1820000000000000022", "benitez_leo", "Leo Benítez"),
    Customer("1820000000000000033", "mira_k", "Mira Kowalska"),
    Customer("1820000000000000044", "TomInTransit", "Tom Nakamura"),
    Customer("1820000000000000055", "sofie_l", "Sofie Lindqvist"),
    Customer("1820000000000000066", "quiet_quinn", "Quinn Hartley", accepts_messages=False),
    Customer("1820000000000000077", "gone_gary", "Gary Flint", suspended=True),
)
"""Five who can be asked, one with closed direct messages, one suspended."""
