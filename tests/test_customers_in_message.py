import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.question_and_ticket_files import load_ticket_patterns
from csat.slack_api.message_to_text import MAX_DEPTH, extract_text
from csat.surveys.customers_in_message import find_external_id, find_recipients
from csat.surveys.survey import MAX_EXTERNAL_ID_LENGTH
from tests.strategies import JSON, TEXT

Message = dict[str, Any]

TICKETS = load_ticket_patterns()


def found_recipients(text: str) -> list[str]:
    return [person.label for person in find_recipients(text)]


def found_external_id(text: str) -> str:
    return find_external_id([text], TICKETS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please ask @grace how it went", ["@grace"]),
        ("@grace", ["@grace"]),
        (".@grace asked again", ["@grace"]),
        ("from (@grace), @joonas_ek; cc: @priya!", ["@grace", "@joonas_ek", "@priya"]),
        ("“@grace” said", ["@grace"]),
        ("Thanks @grace.", ["@grace"]),
        ("Thanks @grace. @grace", ["@grace"]),
        ("@grace's bag", ["@grace"]),
        ("@783214", ["@783214"]),
        ("お客様@graceさん", ["@grace"]),
        ("见https://x.com/grace。谢谢", ["@grace"]),
        ("@grace then @joonas then @GRACE", ["@grace", "@joonas"]),
        ("https://x.com/joonas and @grace and @joonas", ["@joonas", "@grace"]),
    ],
)
def test_handles_are_found_once_and_in_order(text: str, expected: list[str]) -> None:
    assert [typed.lower() for typed in found_recipients(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://x.com/grace",
        "http://www.x.com/grace.",
        "see x.com/grace, please",
        "(https://twitter.com/grace)",
        "<https://mobile.twitter.com/grace>",
        "https://m.twitter.com/@grace",
        "https://x.com/grace/status/1234567890123456789?s=20",
        "https://twitter.com/grace/status/1/photo/1",
        "https://x.com/grace?s=21&t=AbC-1_2",
        "https://twitter.com/intent/user?screen_name=grace",
        "https://twitter.com/intent/follow?screen_name=grace&tw_p=x",
        "https://l.example/?u=https://x.com/grace",
        "HTTPS://X.COM/grace",
    ],
)
def test_a_link_is_the_recipient_of_its_profile(text: str) -> None:
    assert found_recipients(text) == ["@grace"]


@pytest.mark.parametrize(
    "text",
    [
        "https://x.com/i/user/783214",
        "https://twitter.com/intent/user?user_id=783214&x=1",
        "https://twitter.com/messages/compose?recipient_id=783214",
        "X ID: 783214",
        "x id 783214",
        "Twitter ID: 783214.",
        "Twitter user ID\n783214",
        "twitter_user_id=783214",
        '{"twitter_id": "783214"}',
        "to_user_id: 783214",
    ],
)
def test_a_labelled_id_is_found(text: str) -> None:
    assert found_recipients(text) == ["783214"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody here",
        "write to grace@example.com",
        "grace.lopez+x@example.com, <grace@x.com>",
        "grace-@example.com",
        "josé@example.com",
        "@grace@mastodon.social",
        "mail@grace@mastodon.social",
        "@grace.bsky.social",
        "https://mastodon.social/@grace",
        "https://youtube.com/@grace",
        "@sixteen_letters_",
        "@gracé",
        "a lone @ sign, and 1 @ 2 euros",
        "https://x.com",
        "https://x.com/",
        "https://x.com/home",
        "https://x.com/i/bookmarks",
        "https://x.com/i/web/status/1234567890123456789",
        "https://twitter.com/search?q=grace",
        "https://twitter.com/hashtag/help",
        "https://twitter.com/intent/tweet?text=hello",
        "https://x.com/sixteen_letters_",
        "https://netflix.com/grace",
        "https://linux-x.com/grace",
        "https://example.com/x.com/grace",
        "https://help.x.com/en/rules",
        "https://business.twitter.com/en",
        "pic.twitter.com/AbCdEfGhIj",
        "order 783214",
        "fax id 783214",
        "x id 0",
        "x id 9223372036854775808",
        "x id 12345678901234567890",
    ],
)
def test_a_text_without_a_customer_has_no_recipient(text: str) -> None:
    assert found_recipients(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ticket #5555", "ticket_5555"),
        ("ticket 5555", "ticket_5555"),
        ("TICKET: #5555", "ticket_5555"),
        ("Ticket ID: 5555", "ticket_5555"),
        ("ticket no. 5555", "ticket_5555"),
        ("Ticket Number #5555.", "ticket_5555"),
        ("[ticket#5555] Lost bag", "ticket_5555"),
        ("Ticket\n5555", "ticket_5555"),
        ("case 5555", "case_5555"),
        ("Case 00317", "case_00317"),
        ("Case Number: 00317", "case_00317"),
        ("about case #1, not ticket #2", "ticket_2"),
        ("https://acme.zendesk.com/agent/tickets/5555", "zendesk_5555"),
        ("https://acme.zendesk.com/agent/#/tickets/5555", "zendesk_5555"),
        ("https://acme-eu.zendesk.com/tickets/5555?x=1", "zendesk_5555"),
        ("https://acme.zendesk.com/hc/requests/5555", "zendesk_5555"),
        ("https://acme.zendesk.com/hc/en-us/requests/5555", "zendesk_5555"),
        ("https://acme.zendesk.com/requests/5555", "zendesk_5555"),
        ("https://acme.zendesk.com/api/v2/tickets/5555.json", "zendesk_5555"),
        ("https://acme.freshdesk.com/a/tickets/5555", "freshdesk_5555"),
        ("https://acme.freshdesk.com/helpdesk/tickets/5555", "freshdesk_5555"),
        ("https://acme.freshdesk.com/support/tickets/5555", "freshdesk_5555"),
        ("https://acme.freshdesk.com/en/support/tickets/5555", "freshdesk_5555"),
        (
            "https://app.intercom.com/a/apps/ab12cd34/conversations/137324500000000",
            "intercom_137324500000000",
        ),
        ("https://app.intercom.com/a/apps/ab12cd34/inbox/inbox/all/conversations/36687", "intercom_36687"),
        ("https://app.intercom.com/a/inbox/ab12cd34/inbox/conversation/36687", "intercom_36687"),
        ("https://app.eu.intercom.com/a/inbox/ab12cd34/conversation/36687?view=List", "intercom_36687"),
        ("https://app.au.intercom.com/a/inbox/ab/inbox/admin/7/conversation/36687#part", "intercom_36687"),
        ("https://acme.atlassian.net/browse/SUP-42", "jira_SUP-42"),
        ("https://acme.atlassian.net/browse/SUP-42?focusedCommentId=7", "jira_SUP-42"),
        ("https://acme.atlassian.net/servicedesk/customer/portal/2/SUP-42", "jira_SUP-42"),
        ("https://acme.atlassian.net/jira/servicedesk/projects/SUP/queues/custom/33/SUP-42", "jira_SUP-42"),
        ("https://acme.atlassian.net/jira/servicedesk/projects/SUP/queues/issue/SUP-42", "jira_SUP-42"),
        (
            "https://acme.atlassian.net/jira/servicedesk/projects/SUP/section/incidents/custom/6/SUP-42",
            "jira_SUP-42",
        ),
        ("Ticket #1: https://acme.zendesk.com/agent/tickets/5555", "zendesk_5555"),
    ],
)
def test_a_ticket_number_becomes_the_external_id(text: str, expected: str) -> None:
    assert found_external_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5555",
        "the ticket is lost",
        "tickets: 5555 sold",
        "showcase 5555",
        "case 5555th",
        "ticket 123456789012345678901",
        "https://zendesk.com/agent/tickets/5555",
        "https://acme.zendesk.com/agent/dashboard",
        "https://acme.zendesk.com/hc/en-us/articles/5555",
        "https://acme.freshdesk.com/support/solutions/articles/5555",
        "https://acme.freshdesk.com/support/tickets/new",
        "https://app.intercom.com/a/apps/ab12cd34/users/5555",
        "https://acme.atlassian.net/jira/servicedesk/projects/SUP/queues/custom/33",
        "https://acme.atlassian.net/wiki/spaces/SUP-42",
        "We moved to Zendesk 2 years ago",
        "Intercom 3 is out",
    ],
)
def test_a_text_without_a_ticket_number_has_no_external_id(text: str) -> None:
    assert found_external_id(text) == ""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            [
                "https://acme.zendesk.com/agent/tickets/5555",
                "http://acme.zendesk.com/agent/tickets/5555",  # Slack's link for a typed address
                "Zendesk ticket #5555",
                "Zendesk #5555",
                "Case number: zendesk_5555",
            ],
            "zendesk_5555",
        ),
        (
            [
                "https://acme.freshdesk.com/a/tickets/5555",
                "http://acme.freshdesk.com/a/tickets/5555",
                "Freshdesk ticket 5555",
                "freshdesk_5555",
            ],
            "freshdesk_5555",
        ),
        (
            [
                "https://app.intercom.com/a/inbox/ab12cd34/inbox/conversation/36687",
                "http://app.intercom.com/a/inbox/ab12cd34/inbox/conversation/36687",
                "Intercom conversation 36687",
                "intercom_36687",
            ],
            "intercom_36687",
        ),
        (
            [
                "https://acme.atlassian.net/browse/SUP-42",
                "http://acme.atlassian.net/browse/SUP-42",
                "https://acme.atlassian.net/browse/sup-42",
                "Jira SUP-42",
                "jira request sup-42",
                "Case number: jira_SUP-42",
            ],
            "jira_SUP-42",
        ),
        (["ticket 5555", "Case number: ticket_5555"], "ticket_5555"),
        (["case 00317", "Case number: case_00317"], "case_00317"),
    ],
)
def test_a_ticket_has_one_external_id_however_it_is_written(texts: list[str], expected: str) -> None:
    assert [found_external_id(text) for text in texts] == [expected] * len(texts)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["ticket 5555", "https://acme.zendesk.com/agent/tickets/5555"], "zendesk_5555"),
        (["ticket 7", "https://acme.zendesk.com/agent/tickets/5555"], "ticket_7"),
        (["no number", "case 00317"], "case_00317"),
    ],
)
def test_the_first_text_names_the_ticket_and_a_later_one_its_help_desk(
    texts: list[str], expected: str
) -> None:
    assert find_external_id(texts, TICKETS) == expected


def test_a_bot_s_message_with_fields_has_a_customer_and_a_ticket() -> None:
    message = {
        "type": "message",
        "subtype": "bot_message",
        "text": "",
        "attachments": [
            {
                "fallback": "New direct message",
                "title": "Ticket #5555: Lost bag",
                "title_link": "https://acme.zendesk.com/agent/tickets/5555",
                "fields": [
                    {"title": "X ID", "value": "783214", "short": True},
                    {"title": "Profile", "value": "<https://x.com/grace|Grace López>", "short": True},
                ],
            }
        ],
    }

    text = extract_text(message)

    assert found_recipients(text) == ["783214", "@grace"]
    assert found_external_id(text) == "zendesk_5555"


def test_in_rich_text_a_mentioned_colleague_is_no_recipient() -> None:
    link = {"type": "link", "url": "https://x.com/grace/status/1", "text": "this"}
    colleague = {"type": "user", "user_id": "U012AB3CD"}
    words = {"type": "text", "text": " look at case 00317, and at @joonas & co"}
    section = {"type": "rich_text_section", "elements": [colleague, words, link]}
    quoted = {"type": "rich_text_list", "elements": [section]}
    message = {
        "user": "U012AB3CE",
        "text": "<@U012AB3CD> look at case 00317, and at @joonas &amp; co <https://x.com/grace/status/1|this>",
        "blocks": [{"type": "rich_text", "block_id": "b", "elements": [quoted]}],
    }

    assert found_recipients(extract_text(message)) == ["@joonas", "@grace"]
    assert found_recipients(extract_text({"blocks": message["blocks"]})) == ["@joonas", "@grace"]
    assert found_external_id(extract_text(message)) == "case_00317"


@pytest.mark.parametrize(
    "message",
    [
        {"text": "<https://x.com/grace|Grace>"},
        {"text": "<https://example.com|@grace>"},
        {"text": "ask &lt;@grace&gt;"},
        {"attachments": [{"from_url": "https://x.com/grace/status/1"}]},
        {"attachments": [{"author_name": "Grace (@grace)", "text": "My bag is lost"}]},
        {"attachments": [{"author_link": "https://twitter.com/grace"}]},
        {"attachments": [{"fallback": "X: @grace wrote"}]},
        {"attachments": [{"pretext": "@grace"}]},
        {"attachments": [{"footer": "via @grace"}]},
        {"attachments": [{"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*@grace*"}}]}]},
        {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "Customer:\n@grace"}]}]},
        {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "@grace"}}]},
        {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "*@grace* on X"}]}]},
        {"blocks": [{"type": "section", "accessory": {"type": "button", "url": "https://x.com/grace"}}]},
        {"blocks": [{"type": "actions", "elements": [{"type": "button", "url": "https://x.com/grace"}]}]},
        {"blocks": [{"type": "image", "alt_text": "a photo of @grace", "title": {"text": "Bag"}}]},
        {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "@grace"}]]}]},
        {"blocks": [{"type": "markdown", "text": "**@grace**"}]},
        {"files": [{"mode": "email", "title": "Re: bag", "plain_text": "I am @grace on X"}]},
        {"files": [{"title": "Chat with @grace"}]},
    ],
)
def test_a_customer_is_found_in_every_part_of_a_message(message: Message) -> None:
    assert found_recipients(extract_text(message)) == ["@grace"]


@pytest.mark.parametrize(
    "message",
    [
        {"text": "<@U012AB3CD> <@U012AB3CD|grace> <!subteam^S012|@agents> <#C012|support> <!here|@here>"},
        {"text": "<mailto:grace@x.com|grace@x.com>"},
        {"user": "@grace", "username": "@grace", "ts": "@grace"},
        {"blocks": [{"type": "rich_text", "elements": [{"type": "user", "user_id": "@grace"}]}]},
    ],
)
def test_slack_mentions_and_email_addresses_are_no_recipients(message: Message) -> None:
    assert found_recipients(extract_text(message)) == []


def test_text_is_not_extracted_twice() -> None:
    message = {"text": "Hello", "attachments": [{"text": "Hello", "fallback": "Hello"}]}

    assert extract_text(message) == "Hello"


@given(st.dictionaries(st.sampled_from(["text", "blocks", "attachments", "elements", "title", "rows"]), JSON))
def test_any_message_can_be_searched(message: Message) -> None:
    text = extract_text(message)

    find_recipients(text)
    assert len(found_external_id(text)) <= MAX_EXTERNAL_ID_LENGTH


def test_a_deeply_nested_message_is_read_to_slack_s_limit() -> None:
    message: Message = {"text": "deepest"}
    for _ in range(MAX_DEPTH * 100):
        message = {"text": "above", "elements": [message]}

    assert extract_text(message) == "above"


@given(TEXT)
def test_every_recipient_found_occurs_in_the_text(text: str) -> None:
    for person in find_recipients(text):
        assert (person.handle or person.id or "?").lower() in text.lower()


PIECES = st.sampled_from(
    ["ticket", "case", " ", "#", ":", "no", "1" * 19, "9" * 300, "https://a.zendesk.com/tickets/", "/", "٣"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_an_external_id_always_fits(text: str) -> None:
    assert len(found_external_id(text)) <= MAX_EXTERNAL_ID_LENGTH


@pytest.mark.parametrize(
    "piece",
    [
        "ticket" + " " * 200,
        " ",
        "ticket ",
        "case\n\n\n",
        "ticket no",
        "x" + " " * 200,
        "twitter_user",
        "x user id ",
        "@",
        "@a.",
        "<",
        "<a|",
        "<@",
        "&#9999999;",
        "https://",
        "https://a.zendesk.com/",
        "https://app.intercom.com/a/apps/",
        "conversation",
        "https://app.intercom.com/a/apps/conversation/",
        "https://a.atlassian.net/jira/servicedesk/projects/A/",
        "a/",
        "x.com/",
        "x.com/a",
        "1",
    ],
)
def test_hostile_messages_are_searched_quickly(piece: str) -> None:
    text = (piece * 40_000)[:40_000]

    find_recipients(extract_text({"text": text}))
    found_external_id(text)
    found_external_id("ticket" + text)
    found_external_id("https://app.intercom.com/a/inbox/" + text)
    found_external_id("https://a.atlassian.net/jira/servicedesk/projects/A/" + text)


def test_every_pattern_has_a_name_and_a_number_group() -> None:
    assert len({pattern.name for pattern in TICKETS}) == len(TICKETS)
    for pattern in TICKETS:
        assert list(pattern.find.groupindex) == ["number"]
        assert pattern.find.flags & re.IGNORECASE
        assert pattern.external_id.format(number=1)
