"""Made-up ids, credentials and settings of the Slack workspace and the X account."""

from typing import Final

TEAM: Final = "T0BENCH00"
CHANNEL: Final = "C0BENCH00"
USER: Final = "U0BENCH00"
BOT_TOKEN: Final = "xoxb-bench"  # noqa: S105 - made up
SIGNING_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - made up

X_API_KEY: Final = "xvz1evFS4wEEPTGEFPHBog"
X_API_SECRET: Final = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"  # noqa: S105 - made up
X_ACCESS_TOKEN: Final = "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"  # noqa: S105 - made up
X_ACCESS_TOKEN_SECRET: Final = "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"  # noqa: S105 - made up

DISPLAY_NAME: Final = "Northwind"
PRIVACY_URL: Final = "https://northwind.example/privacy"
MESSAGE: Final = "Thank you for talking with us. How did we do? Your answer helps us to serve you better."

FIRST_KEY: Final = 7_770_000_000_000_000
"""Each operation has a key of its own, which is also the id of its recipient."""
KEY_PATTERN: Final = rb"777\d{13}"


def external_id(key: str) -> str:
    """Return the external id of an operation's survey."""
    return f"case_{key}"
