"""The users, user groups and conversations that every workspace starts with, and names for their ids."""

from sandbox.slack.conversations import Channel
from sandbox.slack.ids import IdGenerator
from sandbox.slack.manifest import Manifest
from sandbox.slack.user_directory import Directory, Team, User, Usergroup

TEAM = "T07N0RTHW1N"
"""The workspace of Northwind Air."""
OTHER_TEAM = "T09SKYL1NKR"
"""The workspace of a partner."""
AIRPORT_TEAM = "T0P0RT0A1RX"
"""The workspace of an airport."""
NORTHWIND = Team(TEAM, "Northwind Air", "northwindair")
SKYLINKER = Team(OTHER_TEAM, "Skylinker", "skylinker")
PORTO_AIRPORT = Team(AIRPORT_TEAM, "Porto Airport", "portoairport")

ADA = "U07ADA4K2QX"
"""A support agent."""
BEN = "U07BEN9M3RT"
"""Another agent."""
CLEO = "U07CLE06F8W"
"""The support lead."""
GUS = "U07GUS2H5PL"
"""A guest (`is_restricted`)."""
SAM = "U09SAM1V7NC"
"""A customer of another team, a member of `PARTNERS`."""
NOOR = "U09N00R4HDD"
"""A colleague of Sam's whom the app may not message directly."""
RUI = "U0RUI3TVRSX"
"""A user of a third team who shares no channel with the app (`is_stranger`)."""
HELPDESK = "U07HELPDSK1"
"""The bot of the help desk, which mirrors customers' conversations."""
HELPDESK_BOT = "B07HELPDSK1"

AGENTS = "S07AGENTS3D"
"""The user group of the support agents: Ada, Ben and Cleo."""

SUPPORT = "C07SUPP0RT1"
"""Public; the bot is a member; customers' conversations are mirrored here."""
ESCALATIONS = "G07ESCAL8TN"
"""Private; the bot is a member."""
LEADS = "G07LEADS2MW"
"""Private, with Ada and Cleo; the bot is not a member."""
RESULTS = "G07CSATRSLT"
"""Private, with Cleo and the bot: the channel for results."""
LOUNGE = "C07L0UNGE4B"
"""Public; the bot is not a member."""
PARTNERS = "C07PARTN3RS"
"""Shared with another team (Slack Connect), with Sam and Noor; the bot is a member."""
AIRPORT = "C07A1RP0RTX"
"""Shared with a third team, with Rui; the bot is not a member."""
OLD_SUPPORT = "C070LDSUPP2"
"""Public and archived; the bot is a member."""
ADA_AND_BEN = "D07ADABEN5Y"
"""A direct message between Ada and Ben."""


def build_directory(manifest: Manifest, ids: IdGenerator, team: Team) -> Directory:
    """Return the users and user groups of a workspace, including the app's bot user."""
    handle = manifest.bot_name.lower().replace(" ", "")
    bot = User(ids.new_id("U"), handle, manifest.bot_name, team.id, is_bot=True, bot_id=ids.new_id("B"))
    users = [
        User(ADA, "ada", "Ada Okafor", team.id, "Support agent"),
        User(
            BEN, "ben", "Ben Castillo", team.id, "Support agent", "America/New_York", "Eastern Time", -18_000
        ),
        User(CLEO, "cleo", "Cleo Marchetti", team.id, "Support lead", is_admin=True),
        User(GUS, "gus", "Gus Lindqvist", team.id, "Contractor", is_restricted=True),
        User(SAM, "sam", "Sam Adeyemi", OTHER_TEAM, "Account manager, Skylinker"),
        User(NOOR, "noor", "Noor Haddad", OTHER_TEAM, "Ground services, Skylinker", accepts_dms=False),
        User(RUI, "rui", "Rui Tavares", AIRPORT_TEAM, "Baggage desk, Porto airport", is_stranger=True),
        User(HELPDESK, "helpdesk", "Northwind Helpdesk", team.id, is_bot=True, bot_id=HELPDESK_BOT),
        bot,
    ]
    return Directory(
        team,
        (SKYLINKER, PORTO_AIRPORT),
        bot,
        ids.new_id("A"),
        {user.id: user for user in users},
        {AGENTS: Usergroup(AGENTS, "agents", "Support agents", [ADA, BEN, CLEO])},
    )


def build_channels(bot: str) -> dict[str, Channel]:
    """Return the conversations, without messages."""
    staff = {ADA, BEN, CLEO}
    channels = [
        Channel(SUPPORT, "support", {*staff, GUS, HELPDESK, bot}),
        Channel(ESCALATIONS, "escalations", {ADA, CLEO, bot}, is_private=True),
        Channel(LEADS, "leads", {ADA, CLEO}, is_private=True),
        Channel(RESULTS, "csat-results", {CLEO, bot}, is_private=True),
        Channel(LOUNGE, "lounge", set(staff)),
        Channel(PARTNERS, "ext-skylinker", {ADA, CLEO, SAM, NOOR, bot}, is_ext_shared=True),
        Channel(AIRPORT, "ext-porto", {ADA, BEN, RUI}, is_ext_shared=True),
        Channel(OLD_SUPPORT, "support-2024", {*staff, bot}, is_archived=True),
        Channel(ADA_AND_BEN, "", {ADA, BEN}, is_im=True),
    ]
    return {channel.id: channel for channel in channels}
