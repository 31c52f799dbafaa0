"""The messages that every workspace starts with: mirrored customer conversations, and the team's own."""

from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.slack.conversations import Message
from sandbox.slack.fixtures import (
    ADA,
    ADA_AND_BEN,
    AIRPORT,
    BEN,
    CLEO,
    ESCALATIONS,
    HELPDESK,
    HELPDESK_BOT,
    LEADS,
    LOUNGE,
    NOOR,
    PARTNERS,
    RUI,
    SAM,
    SUPPORT,
)
from sandbox.slack.interactive_elements import add_missing_ids
from sandbox.slack.json_types import Json
from sandbox.slack.workspace_state import WorkspaceState

LEGACY_BOT = ""
"""The author of messages by the help desk before it had a bot user."""

HELPDESK_APP = "A07HELPDSK1"


@dataclass(frozen=True)
class PastMessage:
    """A message to post, with its replies."""

    minutes_ago: int
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    replies: tuple["PastMessage", ...] = ()


def _section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _context(*texts: str) -> Json:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text} for text in texts]}


def _link(label: str, url: str) -> Json:
    button = {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}
    return {"type": "actions", "elements": [button]}


LOST_BAG = PastMessage(
    171,
    SUPPORT,
    HELPDESK,
    "New message on X from Grace López (@grace_lopez_nw): my bag didn't make it to Porto",
    [
        _section("*New message on X* from <https://x.com/grace_lopez_nw|Grace López (@grace_lopez_nw)>"),
        _section("&gt; my bag didn't make it to Porto &amp; nobody can tell me why. NW418, tag 0417 228 931"),
        _context(
            "<https://northwindair.zendesk.com/agent/tickets/48213|#48213>",
            "<https://x.com/messages/1718260345-2244994945|Conversation on X>",
        ),
        _link("Open ticket", "https://northwindair.zendesk.com/agent/tickets/48213"),
    ],
    replies=(
        PastMessage(160, SUPPORT, ADA, "taking this one, calling baggage in Porto"),
        PastMessage(
            131,
            SUPPORT,
            BEN,
            "they had it on NW422, see <https://northwindair.zendesk.com/agent/tickets/48213>",
        ),
        PastMessage(42, SUPPORT, ADA, "delivered to her hotel :tada: she says thanks &lt;3"),
    ),
)
REBOOKED = PastMessage(
    118,
    SUPPORT,
    HELPDESK,
    "Conversation solved: Tomas Berg (@tomasberg)",
    attachments=[
        {
            "color": "1d9bf0",
            "title": "Rebooked after cancellation of NW77",
            "title_link": "https://northwindair.freshdesk.com/a/tickets/9912",
            "text": "Thanks! Friday 07:40 works, seats 14A &amp; 14B are fine.",
            "fields": [
                {"title": "Customer", "value": "<https://x.com/tomasberg|@tomasberg>", "short": True},
                {"title": "Agent", "value": "Ben Castillo", "short": True},
            ],
            "footer": "Freshdesk | solved",
            "fallback": "Rebooked after cancellation of NW77",
        }
    ],
)
REFUND = PastMessage(
    87,
    SUPPORT,
    LEGACY_BOT,
    "*Ticket solved* - Refund of a seat fee\n"
    "From: <https://x.com/priya_k_iyer|@priya_k_iyer> | Ticket: "
    "<https://app.intercom.com/a/inbox/nwair/conversation/190022417|190022417>\n"
    "Last message: you're quick, that's &gt; I expected",
)
PUBLIC_POST = PastMessage(
    55,
    SUPPORT,
    BEN,
    "anyone on <https://x.com/hvandijk_/status/1978423901175328901>? wheelchair help in Oslo, he landed",
)
UNKNOWN_CUSTOMER = PastMessage(
    23,
    SUPPORT,
    HELPDESK,
    "New message on X: do you fly to Funchal in winter?",
    [
        _section("*New message on X* from an account without a name we know"),
        _section("&gt; do you fly to Funchal in winter?"),
        _context(
            "<https://northwindair.lightning.force.com/lightning/r/Case/500Qx00000Ab12/view|Case 00317>"
        ),
    ],
)
CREW_HOTEL = PastMessage(
    49,
    PARTNERS,
    SAM,
    "our crew hotel in Porto has no booking for tonight, can you check?",
    replies=(
        PastMessage(46, PARTNERS, ADA, "on it, the agency wrote to your old address"),
        PastMessage(33, PARTNERS, ADA, "booked, the confirmation is in your inbox"),
        PastMessage(30, PARTNERS, SAM, "got it, thanks a lot!"),
    ),
)
WHEELCHAIRS = PastMessage(
    27,
    PARTNERS,
    NOOR,
    "we're short of two wheelchairs at gate 14 for NW418",
    replies=(
        PastMessage(25, PARTNERS, CLEO, "two are on their way from gate 9"),
        PastMessage(16, PARTNERS, NOOR, "they're here, thank you"),
    ),
)
HISTORY = (
    LOST_BAG,
    REBOOKED,
    REFUND,
    PUBLIC_POST,
    UNKNOWN_CUSTOMER,
    PastMessage(
        9,
        SUPPORT,
        CLEO,
        "nice work on the Porto bag. please ask solved ones how we did, <!subteam^S07AGENTS3D>",
    ),
    PastMessage(
        96,
        ESCALATIONS,
        CLEO,
        "<https://x.com/marcelle_duval|@marcelle_duval> was double charged, finance is on it",
    ),
    PastMessage(64, LEADS, CLEO, "numbers for October are due on Monday"),
    PastMessage(140, LOUNGE, BEN, "cake in the kitchen"),
    PastMessage(
        77, PARTNERS, SAM, "Our side confirmed the interline claim of <https://x.com/joonas_ek|@joonas_ek>"
    ),
    PastMessage(70, PARTNERS, ADA, "great, I'll tell him"),
    CREW_HOTEL,
    WHEELCHAIRS,
    PastMessage(36, AIRPORT, RUI, "belt 3 runs again, all of your bags are out"),
    PastMessage(31, ADA_AND_BEN, BEN, "can you survey @tomasberg? I'm in a call"),
)


def post_history(state: WorkspaceState) -> None:
    """Post the messages, oldest first."""
    for message in sorted(HISTORY, key=lambda message: -message.minutes_ago):
        parent = _post(state, message, "")
        for reply in message.replies:
            _post(state, reply, parent.ts)


def _post(state: WorkspaceState, message: PastMessage, thread_ts: str) -> Message:
    by_helpdesk = message.user in {HELPDESK, LEGACY_BOT}
    return state.conversations.add_message(
        Message(
            state.ids.ts_at(state.clock() - timedelta(minutes=message.minutes_ago)),
            message.channel,
            message.user,
            message.text,
            add_missing_ids(message.blocks, state.ids.new_block_id),
            message.attachments,
            thread_ts=thread_ts,
            bot_id=HELPDESK_BOT if by_helpdesk else "",
            app_id=HELPDESK_APP if by_helpdesk else "",
            username="Northwind Helpdesk" if message.user == LEGACY_BOT else "",
        )
    )
