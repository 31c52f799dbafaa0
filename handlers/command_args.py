"""Parse the arguments of `/csat`: a customer and a metric, in any order."""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from blocks.help import AT_SIGN_HINT, HELP, name_example
from csat.slack_api.message_to_text import to_plain_text, unescape
from csat.surveys.networks import Network
from csat.surveys.questions import Metric
from csat.surveys.recipients import (
    HOSTS,
    INVISIBLE_CHARACTERS,
    MAX_HANDLE_LENGTH,
    ONE_AT_A_TIME,
    RESERVED_PATHS,
    InvalidRecipient,
    Recipient,
    parse_recipient,
)

_MEMBER = re.compile(r"<@(?P<user>[UW][A-Z0-9]+)(\|[^>]*)?>")
_LINK = re.compile(r"<(?:mailto:)?(?P<url>(?:https?://|[^@|>]+@)[^|>]+)(\|[^>]*)?>")
_CUSTOMER = re.compile(rf"<@\w+>|[@\uff20].+|[^@]+@.+\..+|[0-9]+|{HOSTS}/.+|https?://.+", re.IGNORECASE)
_CASE_NUMBER = re.compile("#[0-9]+")
_MENTION = re.compile(r"<(?P<sign>[@#])[^<>|]*\|(?P<name>[^<>]+)>")
_WITH_REASON = re.compile(
    r"(?P<command>\S+\s+(?P<customer>(?:<[^<>]+>|[^\s<])\S*))\s+(?P<reason>.+)", re.DOTALL
)
_HANDLE = re.compile(rf"\w{{1,{MAX_HANDLE_LENGTH}}}", re.ASCII)
_PUNCTUATION = ",;:.'\"`\u2018\u2019“”()[]"
_MAX_QUOTED_LENGTH = 40
_MISSPELLING_CUTOFF = 0.75
"""The similarity of "hepl" and "help"; that of "helen" and "help" is 0.67."""


SOMEBODY_IN_SLACK = (
    "That's somebody in Slack. Type the customer's X handle, or paste a link to their profile."
)
SLACK_ONLY = "This app asks people in Slack. Type {command} @ and choose the customer from Slack's list."
FROM_LIST = "To name somebody in Slack, choose them from the list that Slack shows after @."
CASE_NUMBER = "A case number goes into the form, below More options."


class InvalidArguments(ValueError):
    """The arguments can't be understood; `str()` is the advice for the person."""


class CommandArgs(NamedTuple):
    """The arguments of `/csat`."""

    metric: Metric | None = None
    recipient: Recipient | None = None


def parse_command_args(
    text: str,
    command: str = "/csat",
    known_words: Collection[str] = (),
    networks: Collection[Network] = (Network.X,),
    team: str = "",
) -> CommandArgs:
    """Parse the text of a command as Slack sends it; raises `InvalidArguments`.

    A customer's handle needs no "@" where nobody else is named, unless it resembles one of the known words.
    A mention is a customer in the workspace `team`. Only customers in these networks can be named.
    """
    if Network.SLACK not in networks and _MEMBER.search(text):
        raise InvalidArguments(SOMEBODY_IN_SLACK)
    words = _split_words(text)
    others = [word for word in words if not _is_metric(word)]
    args = CommandArgs()
    for word in words:
        if _is_metric(word):
            args = _with_metric(args, word)
        elif _CUSTOMER.fullmatch(word):
            args = _with_recipient(args, word, team)
        elif _CASE_NUMBER.fullmatch(word):
            raise InvalidArguments(CASE_NUMBER)
        else:
            _check_spelling(word, words, known_words, networks)
            if not _is_handle(word) or len(others) > 1:
                raise InvalidArguments(_unknown_word(word, words, command, networks))
            args = _with_recipient(args, word, team)
    if args.recipient and args.recipient.network not in networks:
        raise InvalidArguments(SLACK_ONLY.format(command=command))
    return args


def split_reason(text: str) -> tuple[str, str]:
    """Split the reason off "stop @grace they wrote so"; it is "" without words that are no arguments."""
    match = _WITH_REASON.fullmatch(text.strip())
    if match is None or not all(map(_CUSTOMER.fullmatch, _split_words(match["customer"]))):
        return text, ""
    if all(map(_is_argument, _split_words(match["reason"]))):
        return text, ""
    return match["command"], to_plain_text(_MENTION.sub(r"\g<sign>\g<name>", match["reason"])).strip()


def _split_words(text: str) -> list[str]:
    """Return the words of a command as they were typed, without punctuation around them."""
    text = _MEMBER.sub(r" <@\g<user>> ", text)
    typed = INVISIBLE_CHARACTERS.sub("", unescape(_LINK.sub(r"\g<url>", text))).split()
    return [word for word in (word.strip(_PUNCTUATION) for word in typed) if word]


def _is_argument(word: str) -> bool:
    return _is_metric(word) or bool(_CUSTOMER.fullmatch(word) or _CASE_NUMBER.fullmatch(word))


def _is_metric(word: str) -> bool:
    return word.lower() in list(Metric)


def _is_handle(word: str) -> bool:
    return _HANDLE.fullmatch(word) is not None and word.lower() not in RESERVED_PATHS


def _check_spelling(
    word: str, words: Sequence[str], known_words: Collection[str], networks: Collection[Network]
) -> None:
    """Raise `InvalidArguments` if a word resembles a known one, with the command that was probably meant."""
    meant = _find_similar(word.lower(), known_words)
    if not meant or not _is_handle(word):
        return
    unknown = "" if word.lower() == meant else f"There's no “{word}”. "
    others = [other for other in words if other != word]
    command = " ".join(("/csat", meant, *others))
    shown = command if len(command) <= _MAX_QUOTED_LENGTH else f"/csat {meant}"
    may_be_handle = Network.X in networks and all(map(_is_metric, others))
    hint = AT_SIGN_HINT if may_be_handle else f"See {HELP}."
    raise InvalidArguments(f"{unknown}Did you mean {shown}? {hint}")


def _find_similar(word: str, known_words: Collection[str]) -> str | None:
    swapped = {f"{word[:i]}{word[i + 1]}{word[i]}{word[i + 2 :]}" for i in range(len(word) - 1)}
    similar = get_close_matches(word, known_words, n=1, cutoff=_MISSPELLING_CUTOFF)
    return next(iter((*similar, *swapped.intersection(known_words))), None)


def _with_metric(args: CommandArgs, word: str) -> CommandArgs:
    if args.metric:
        raise InvalidArguments("Choose one type: csat or nps.")
    return args._replace(metric=Metric(word.lower()))


def _with_recipient(args: CommandArgs, word: str, team: str) -> CommandArgs:
    try:
        recipient = parse_recipient(word, team)
    except InvalidRecipient as error:
        raise InvalidArguments(str(error)) from error
    if args.recipient is None:
        return args._replace(recipient=recipient)
    is_on_x = args.recipient.network is recipient.network is Network.X
    if is_on_x and bool(args.recipient.id) != bool(recipient.id):
        raise InvalidArguments(f"Name one customer at a time. {CASE_NUMBER}")
    raise InvalidArguments(ONE_AT_A_TIME)


def _unknown_word(word: str, words: Sequence[str], command: str, networks: Collection[Network]) -> str:
    quoted = word if len(word) <= _MAX_QUOTED_LENGTH else f"{word[: _MAX_QUOTED_LENGTH - 1]}…"
    advice, is_somebody_named = f", or {HELP}.", any(map(_CUSTOMER.fullmatch, words))
    if is_somebody_named and Network.SLACK in networks:
        advice += f" {FROM_LIST}"
    elif not is_somebody_named and Network.X in networks and _is_handle(word):
        advice = f". {AT_SIGN_HINT}"
    return f"I don't understand “{quoted}”. Try {command} {name_example(networks)}{advice}"
