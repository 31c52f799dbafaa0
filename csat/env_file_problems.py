"""Problems of a `.env` file: lines that can't be read, or are read differently by systemd or Docker."""

import io
import re
from collections.abc import Collection, Iterator

from dotenv.parser import Binding, parse_stream

_ASSIGNMENT = re.compile(
    r"""^[^\S\n]*(?:export\s+)?(?P<name>\w+)[^\S\n]*=[^\S\n]*
    (?P<quoted>'(?:\\'|[^'])*'|"(?:\\"|[^"])*")?(?P<rest>.*)""",
    re.MULTILINE | re.VERBOSE,
)
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<value>(?:(?!(?P=quote)).)*)(?P=quote)""", re.DOTALL)


def find_unreadable(text: str, names: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each line that sets nothing, or whose value holds settings of these names."""
    for binding in parse_stream(io.StringIO(text)):
        has_no_value = binding.key is not None and binding.value is None
        if binding.error or has_no_value or _holds_setting(binding.value or "", names):
            yield (
                f"Line {_number(binding)} of .env can't be read: write NAME=value, with quotes around the "
                "whole value or none. A value with an apostrophe needs double quotes."
            )


def _holds_setting(value: str, names: Collection[str]) -> bool:
    """Return True if a value goes on over lines that are settings, for want of a closing quote."""
    _, _, further_lines = value.partition("\n")
    return any(assignment["name"].upper() in names for assignment in _ASSIGNMENT.finditer(further_lines))


def _number(binding: Binding) -> int:
    """Return the number of the line, which may be read together with empty lines before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def find_ambiguous(text: str, names: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each of the named settings whose value is ambiguous, without the value."""
    for assignment in _ASSIGNMENT.finditer(text):
        name, quoted, rest = assignment["name"].upper(), assignment["quoted"] or "", assignment["rest"]
        if name not in names:
            continue
        if re.search("#" if quoted else r"\s#", rest):
            yield (
                f"{name} in .env has a # after a space, where a comment begins for some readers of the file: "
                "put the value into quotes, or the comment into a line of its own."
            )
        if "${" in quoted + rest:
            yield f"{name} in .env has ${{...}}, which not all readers of the file replace: write it out."


def unquote(value: str) -> str:
    """Return a value without a pair of quotes around it, which `docker run --env-file` does not remove."""
    quoted = _QUOTED.fullmatch(value)
    return quoted["value"] if quoted else value
