"""The made-up workspace and account that everything here happens in."""

from typing import Final

TEAM: Final = "T0BENCH00"
CHANNEL: Final = "C0BENCH00"
USER: Final = "U0BENCH00"
BOT_TOKEN: Final = "xoxb-bench"  # noqa: S105 - nobody's
SIGNING_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - nobody's

X_API_KEY: Final = "xvz1evFS4wEEPTGEFPHBog"
X_API_SECRET: Final = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"  # noqa: S105 - nobody's
X_ACCESS_TOKEN: Final = "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"  # noqa: S105 - nobody's
X_ACCESS_TOKEN_SECRET: Final = "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"  # noqa: S105 - nobody's

DISPLAY_NAME: Final = "Northwind"
PRIVACY_URL: Final = "https://northwind.example/privacy"
MESSAGE: Final = "Thank you for talking with us. How did we do? Your answer helps us to serve you better."

FIRST_KEY: Final = 7_770_000_000_000_000
"""Every operation has a customer of its own, whose id is the operation's key wherever it shows up."""
KEY: Final = rb"777\d{13}"


def external_id(key: str) -> str:
    """Return the case that an operation's survey is about."""
    return f"case_{key}"
