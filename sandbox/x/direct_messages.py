"""Direct messages from the account to its customers, with the previews of their links."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.pubsub import PubSub
from sandbox.traffic_log import TrafficLog
from sandbox.x.accounts import Account, Customer
from sandbox.x.link_previews import LinkPreviewer

_URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?')\]]")


@dataclass(frozen=True)
class TextPart:
    """A part of a message's text; a link if it has a `url`."""

    text: str
    url: str = ""


@dataclass
class Message:
    """A direct message as it was sent."""

    id: str
    sender_id: str
    recipient_id: str
    text: str
    at: datetime
    is_request: bool = False
    """True while it is hidden among the recipient's message requests."""

    @property
    def conversation_id(self) -> str:
        """The id of the conversation between sender and recipient."""
        smaller, larger = sorted((self.sender_id, self.recipient_id), key=int)
        return f"{smaller}-{larger}"

    @property
    def parts(self) -> Iterator[TextPart]:
        """The text, divided where links begin and end."""
        end = 0
        for match in _URL.finditer(self.text):
            if before := self.text[end : match.start()]:
                yield TextPart(before)
            yield TextPart(match[0], match[0])
            end = match.end()
        if rest := self.text[end:]:
            yield TextPart(rest)

    @property
    def urls(self) -> list[str]:
        """The addresses that the text links to."""
        return [part.url for part in self.parts if part.url]

    def shorten(self, url: str) -> str:
        """Return the address by which X replaces a link in a message."""
        return f"https://t.co/{hashlib.sha256(f'{self.id} {url}'.encode()).hexdigest()[:10]}"


class DirectMessages:
    """All messages without a feedback card that X has accepted, and what the customers see of them."""

    def __init__(
        self, account: Account, clock: Callable[[], datetime], pubsub: PubSub, traffic: TrafficLog
    ) -> None:
        self.sent: list[Message] = []
        """The messages, oldest first: the source of truth about what the app sent."""
        self.previewer = LinkPreviewer(clock, traffic)
        """Fetches each link of this machine in a message, as others' programs do."""
        self._account = account
        self._clock = clock
        self._pubsub = pubsub

    def send(self, message_id: str, recipient_id: str, text: str) -> Message:
        """Deliver a message from the account."""
        message = Message(message_id, self._account.id, recipient_id, text, self._clock())
        self.sent.append(message)
        for url in message.urls:
            self.previewer.start(url)
        self._pubsub.publish("phone")
        return message

    def inbox(self, customer: Customer) -> list[Message]:
        """Return the messages that a customer sees, oldest first."""
        return [message for message in self._received(customer) if not message.is_request]

    def requests(self, customer: Customer) -> list[Message]:
        """Return the messages that a customer does not see until they open their message requests."""
        return [message for message in self._received(customer) if message.is_request]

    def open_requests(self, customer: Customer) -> None:
        """Open the message requests as the customer, who then sees what is among them."""
        for message in self.requests(customer):
            message.is_request = False
        self._pubsub.publish("phone")

    def _received(self, customer: Customer) -> Iterator[Message]:
        return (message for message in self.sent if message.recipient_id == customer.id)
