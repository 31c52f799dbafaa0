from collections.abc import Callable
from itertools import permutations
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.surveys.questions import Metric
from csat.surveys.recipients import MAX_ID, InvalidRecipient, Recipient, XAccount, parse_recipient
from handlers.command_args import CommandArgs, InvalidArguments, parse_command_args, split_reason
from handlers.commands import KNOWN_WORDS
from tests.strategies import TEXT

HANDLES = st.from_regex(r"\A[A-Za-z0-9_]{1,15}\Z")
IDS = st.integers(1, MAX_ID).map(str)
RECIPIENTS = st.builds(XAccount, handle=HANDLES) | st.builds(XAccount, id=IDS)

GRACE = XAccount(handle="grace")
JACK = XAccount(id="783214")

T = TypeVar("T")


def try_parse(parse: Callable[[str], T], text: str) -> T | str:
    """Return the result of parsing a text, or the error's sentence."""
    try:
        return parse(text)
    except (InvalidArguments, InvalidRecipient) as refusal:
        return str(refusal)


def parse_in_csat(text: str) -> CommandArgs:
    """Parse the text that follows `/csat`."""
    return parse_command_args(text, known_words=KNOWN_WORDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stop @grace sick of us", ("stop @grace", "sick of us")),
        ("stop  @grace,  sick of  us ", ("stop  @grace,", "sick of  us")),
        ("STOP 783214 2 complaints", ("STOP 783214", "2 complaints")),
        (
            "stop <@U012AB3CD|Ada Lovelace> told <@U012AB3CE|ben>",
            ("stop <@U012AB3CD|Ada Lovelace>", "told @ben"),
        ),
        ("stop <https://x.com/grace> &lt;no&gt;", ("stop <https://x.com/grace>", "<no>")),
    ],
)
def test_a_text_that_follows_a_customer_is_a_reason(text: str, expected: tuple[str, str]) -> None:
    assert split_reason(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "stop", "stop @grace", "stop @grace ,", "stop @grace nps", "stop @grace @ada", "stop @grace #5555",
     "stop grace wrote", "stop asking @grace", "stop <@U012AB3CD|Ada Lovelace>", "stop https://x.com/grace"],
)  # fmt: skip
def test_more_arguments_and_texts_without_a_customer_in_front_are_no_reasons(text: str) -> None:
    assert split_reason(text) == (text, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", CommandArgs()),
        ("  \t ", CommandArgs()),
        ("@grace", CommandArgs(recipient=GRACE)),
        ("  @grace  ", CommandArgs(recipient=GRACE)),
        ("783214", CommandArgs(recipient=JACK)),
        ("@783214", CommandArgs(recipient=XAccount(handle="783214"))),
        ("000783214", CommandArgs(recipient=JACK)),
        ("9223372036854775807", CommandArgs(recipient=XAccount(id="9223372036854775807"))),
        ("nps", CommandArgs(Metric.NPS)),
        ("CSAT", CommandArgs(Metric.CSAT)),
        ("nps @grace", CommandArgs(Metric.NPS, GRACE)),
        ("@grace nps", CommandArgs(Metric.NPS, GRACE)),
        ("@nps", CommandArgs(recipient=XAccount(handle="nps"))),
        ("csat 783214", CommandArgs(Metric.CSAT, JACK)),
        ("\u200e@grace", CommandArgs(recipient=GRACE)),
        ("\u2066@grace\u2069", CommandArgs(recipient=GRACE)),
        ("@grace,", CommandArgs(recipient=GRACE)),
        ("'@grace'", CommandArgs(recipient=GRACE)),
        ("“@grace”.", CommandArgs(recipient=GRACE)),
        ("nps, (783214) .", CommandArgs(Metric.NPS, JACK)),
        ("<https://x.com/grace>, nps;", CommandArgs(Metric.NPS, GRACE)),
        ("grace", CommandArgs(recipient=GRACE)),
        ("“grace”,", CommandArgs(recipient=GRACE)),
        ("grace nps", CommandArgs(Metric.NPS, GRACE)),
        ("nps grace", CommandArgs(Metric.NPS, GRACE)),
        ("@@grace", CommandArgs(recipient=GRACE)),
        ("\uff20grace", CommandArgs(recipient=GRACE)),
        ("@grace's", CommandArgs(recipient=GRACE)),
        ("nps @grace\u2019s", CommandArgs(Metric.NPS, GRACE)),
        ("fifteen_letters", CommandArgs(recipient=XAccount(handle="fifteen_letters"))),
    ],
)
def test_the_command_s_text_is_parsed_into_recipient_and_metric(text: str, expected: CommandArgs) -> None:
    assert parse_command_args(text) == expected


@pytest.mark.parametrize(
    "link",
    [
        "https://x.com/grace",
        "http://x.com/grace",
        "x.com/grace",
        "X.com/grace",
        "https://X.COM/grace",
        "https://x.com/@grace",
        "https://x.com/grace/",
        "https://x.com/grace?s=21&t=abc",
        "https://x.com/grace#top",
        "https://www.x.com/grace",
        "https://mobile.x.com/grace",
        "https://twitter.com/grace",
        "twitter.com/grace/status/1234567890123456789",
        "https://mobile.twitter.com/grace/status/1?s=20",
        "https://m.twitter.com/grace/with_replies",
        "https://twitter.com/intent/user?screen_name=grace",
        "https://x.com/intent/follow?screen_name=grace&amp;tw_p=followbutton",
        "<https://x.com/grace>",
        "<https://x.com/grace|x.com/grace>",
        "<http://x.com/grace|x.com/grace>",
        "<https://x.com/grace?s=21&amp;t=abc>",
        "<https://x.com/grace|Grace on X>",
    ],
)
def test_a_pasted_link_is_parsed_into_its_handle(link: str) -> None:
    assert parse_command_args(link) == CommandArgs(recipient=GRACE)
    assert parse_command_args(f"nps {link}") == CommandArgs(Metric.NPS, GRACE)


@pytest.mark.parametrize(
    "link",
    [
        "https://x.com/i/user/783214",
        "<https://twitter.com/i/user/783214>",
        "https://twitter.com/intent/user?user_id=783214",
        "https://x.com/intent/follow?user_id=783214&amp;x=1",
        "https://x.com/messages/compose?recipient_id=783214",
    ],
)
def test_a_pasted_link_with_an_id_is_parsed_into_the_id(link: str) -> None:
    assert parse_command_args(link) == CommandArgs(recipient=JACK)


@given(RECIPIENTS, st.sampled_from(Metric), st.sampled_from([str.upper, str.lower, str.title]))
def test_arguments_may_come_in_any_order(
    recipient: Recipient, metric: Metric, change_case: Callable[[str], str]
) -> None:
    words = [recipient.label, change_case(metric.value)]

    results = {parse_command_args(" ".join(order)) for order in permutations(words)}

    assert results == {CommandArgs(metric, recipient)}


@given(RECIPIENTS)
def test_a_recipient_s_label_is_parsed_into_the_same_recipient(recipient: Recipient) -> None:
    assert parse_recipient(recipient.label) == recipient
    assert parse_command_args(recipient.label).recipient == recipient


@given(HANDLES, st.sampled_from(["https://x.com/{}", "twitter.com/{}/status/1", "<https://x.com/{}|{}>"]))
def test_a_link_with_any_handle_is_parsed_or_refused_as_a_page_of_x(handle: str, link: str) -> None:
    result = try_parse(parse_command_args, link.format(handle, handle))

    assert result == CommandArgs(recipient=XAccount(handle=handle)) or "is not a customer's" in str(result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<@U012AB3CD>", "That's somebody in Slack"),
        ("<@U012AB3CD|ada>", "That's somebody in Slack"),
        ("<@W012AB3CD|ada>", "That's somebody in Slack"),
        ("nps <@U012AB3CD|Ada Lovelace>", "That's somebody in Slack"),
        ("@grace <@U012AB3CD>", "That's somebody in Slack"),
        (
            "grace lovelace",
            "I don't understand “grace”. Try /csat @handle. For a handle, put @ in front.",
        ),
        ("settings", "I don't understand “settings”. Try /csat @handle, or /csat help."),
        ("nonsense!", "I don't understand “nonsense!”. Try /csat @handle, or /csat help."),
        ("ces @grace", "I don't understand “ces”"),
        ("sixteen_letters_", "I don't understand “sixteen_letters_”"),
        ("gräce", "I don't understand “gräce”"),
        ("<#C012AB3CD|support>", "I don't understand “<#C012AB3CD|support>”"),
        ("<!channel>", "I don't understand “<!channel>”"),
        ("&lt;b&gt;", "I don't understand “<b>”"),
        ("grace@example.com", "This is an email address."),
        ("<mailto:grace@example.com|grace@example.com>", "This is an email address."),
        ("https://example.com/grace", "This link isn't to X."),
        ("https://netflix.com/grace", "This link isn't to X."),
        ("csat nps", "Choose one type"),
        ("nps nps", "Choose one type"),
        ("@grace @lovelace", "one customer at a time"),
        (
            "@grace 783214",
            "Name one customer at a time. A case number goes into the form, below More options.",
        ),
        ("783214 @grace", "A case number goes into the form, below More options."),
        ("@grace #48213", "A case number goes into the form, below More options."),
        ("#48213", "A case number goes into the form, below More options."),
        ("783214 48213", "one customer at a time: each gets their own survey"),
        ("@", "I don't understand “@”"),
        ("@sixteen_letters_", "at most 15 characters; this one has 16"),
        ("@grace@mastodon.social", "letters a-z"),
        ("@gräce", "letters a-z"),
        ("@grace🎉", "letters a-z"),
        ("0", "not an X ID"),
        ("9223372036854775808", "not an X ID"),
        ("1234567890123456789012345", "not an X ID"),
        ("https://x.com/i/user/9223372036854775808", "not an X ID"),
        ("https://x.com/home", "This link is not a customer's. Paste a link to their profile or a post."),
        (
            "https://x.com/i/bookmarks",
            "This link is not a customer's. Paste a link to their profile or a post.",
        ),
        (
            "https://x.com/search?q=grace",
            "This link is not a customer's. Paste a link to their profile or a post.",
        ),
        (
            "https://x.com/intent/tweet?text=hi",
            "This link is not a customer's. Paste a link to their profile or a post.",
        ),
        (
            "https://x.com/compose/post",
            "This link is not a customer's. Paste a link to their profile or a post.",
        ),
        (
            "https://x.com/messages/783214-2244994945",
            "This link is not a customer's. Paste a link to their profile or a post.",
        ),
        ("x" * 5000, "“" + "x" * 39 + "…”"),
        ("&#" + "9" * 5000 + ";", "9…”"),
    ],
)
def test_invalid_arguments_say_what_to_do(text: str, expected: str) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        parse_command_args(text)

    assert expected in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("stats", "status"),
        ("Stat", "status"),
        ("reprot", "report"),
        ("rport", "report"),
        ("hepl", "help"),
        ("hel", "help"),
        ("halp", "help"),
        ("np", "nps"),
        ("csta", "csat"),
        ("nsp", "nps"),
        ("nsp nps", "nps nps"),
    ],
)
def test_a_misspelled_word_of_the_command_is_not_a_handle(text: str, meant: str) -> None:
    misspelled = text.split(maxsplit=1)[0]

    assert try_parse(parse_in_csat, text) == (
        f"There's no “{misspelled}”. Did you mean /csat {meant}? For a handle, put @ in front."
    )


@pytest.mark.parametrize(
    ("text", "misspelled", "meant"),
    [
        ("statsu @grace", "statsu", "status @grace"),
        ("reports 30d nps", "reports", "report 30d nps"),
        ("exprot 90d", "exprot", "export 90d"),
        ("nsp @grace", "nsp", "nps @grace"),
        ("@grace npss", "npss", "nps @grace"),
        ("csatt grace", "csatt", "csat grace"),
    ],
)
def test_a_command_with_a_misspelled_word_is_offered_to_copy(text: str, misspelled: str, meant: str) -> None:
    assert try_parse(parse_in_csat, text) == (
        f"There's no “{misspelled}”. Did you mean /csat {meant}? See /csat help."
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("nps status", "status nps"),
        ("help.", "help"),
        ("@grace stop", "stop @grace"),
        ("@grace status", "status @grace"),
    ],
)
def test_a_subcommand_in_the_wrong_place_is_offered_in_its_place(text: str, meant: str) -> None:
    assert f"Did you mean /csat {meant}?" in str(try_parse(parse_in_csat, text))
    assert "There's no" not in str(try_parse(parse_in_csat, text))


def test_a_long_command_is_not_repeated() -> None:
    answer = str(try_parse(parse_in_csat, f"stopp {'a ' * 500}"))

    assert answer == "There's no “stopp”. Did you mean /csat stop? See /csat help."


@pytest.mark.parametrize(
    "handle",
    ["tomasberg", "mira_k", "ada", "ben", "sam", "stan", "nasa", "helen", "helpdesk", "statsguy", "support"],
)
def test_a_handle_that_only_resembles_a_word_of_the_command_needs_no_at_sign(handle: str) -> None:
    assert parse_in_csat(handle) == CommandArgs(recipient=XAccount(handle=handle))


@pytest.mark.parametrize("handle", ["reprot", "expert", "help", "npss"])
def test_with_an_at_sign_every_word_is_a_handle(handle: str) -> None:
    assert parse_in_csat(f"@{handle}") == CommandArgs(recipient=XAccount(handle=handle))


@given(TEXT)
def test_any_text_is_parsed_or_refused_with_a_sentence(text: str) -> None:
    result = try_parse(parse_in_csat, text)

    assert isinstance(result, CommandArgs) or result.endswith(".")


@given(TEXT)
def test_any_recipient_is_parsed_or_refused_with_a_sentence(text: str) -> None:
    result = try_parse(parse_recipient, text)

    assert isinstance(result, Recipient) or result.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/mira_k",
        "http://linkedin.com/in/mira",
        "www.instagram.com/mira_k",
        "facebook.com/mira",
        "https://notx.com/mira_k",
        "https://x.com.example.org/mira_k",
    ],
)
def test_a_link_that_is_not_to_x_is_refused_as_such(text: str) -> None:
    refusal = "This link isn't to X. Paste one to their profile or a post on X."

    assert try_parse(parse_recipient, text) == refusal
    if text.startswith("http"):
        assert try_parse(parse_in_csat, f"<{text}>") == refusal


@pytest.mark.parametrize(
    "text", ["https://x.com", "https://help.x.com/en", "x.com/mira-k", "https://x.com/?lang=en"]
)
def test_a_link_to_x_that_names_nobody_is_not_said_to_lead_elsewhere(text: str) -> None:
    assert "not a customer's" in str(try_parse(parse_recipient, text))


@pytest.mark.parametrize(
    "link",
    ["https://x.com/i/status/1", "twitter.com/i/web/status/17?s=20", "https://x.com/i/statuses/1"],
)
def test_a_link_to_a_post_without_its_author_is_refused_as_such(link: str) -> None:
    refusal = "This link doesn't name its author. Type their handle, or paste a link to their profile."

    assert try_parse(parse_recipient, link) == refusal
    assert try_parse(parse_in_csat, link) == refusal


@pytest.mark.parametrize(
    "typed", ["@grace @lovelace", "@grace, @lovelace", "@grace and \uff20lovelace", "x.com/grace x.com/ada"]
)
def test_two_customers_in_one_field_are_refused_as_such(typed: str) -> None:
    refusal = "Name one customer at a time: each gets their own survey."

    assert try_parse(parse_recipient, typed) == refusal


def test_an_email_address_is_refused_as_such() -> None:
    refusal = "This is an email address. Enter their X handle, like @handle, instead."

    assert try_parse(parse_recipient, "mira.k@example.com") == refusal
    assert try_parse(parse_in_csat, "<mailto:mira.k@example.com|mira.k@example.com>") == refusal


@pytest.mark.parametrize("blank", ["", "  ", "\n", "\u200e", "\ufeff \u200b"])
def test_an_empty_recipient_is_refused_with_a_sentence(blank: str) -> None:
    with pytest.raises(InvalidRecipient, match=r"Enter the customer's X handle"):
        parse_recipient(blank)
