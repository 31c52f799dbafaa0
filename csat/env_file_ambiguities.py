"""What is ambiguous in a `.env` file: the app, systemd and Docker would each read something else."""

import re
from collections.abc import Collection, Iterator

_ASSIGNMENT = re.compile(
    r"""^[^\S\n]*(?:export\s+)?(?P<name>\w+)[^\S\n]*=[^\S\n]*
    (?P<quoted>'(?:\\'|[^'])*'|"(?:\\"|[^"])*")?(?P<rest>.*)""",
    re.MULTILINE | re.VERBOSE,
)
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<value>(?:(?!(?P=quote)).)*)(?P=quote)""", re.DOTALL)


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
