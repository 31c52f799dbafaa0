"""The rules that the tables are made of: each takes a value and where it stands, and yields what is wrong.

Sentences and pointers are in the manner of Slack's own `response_metadata.messages`.
"""

import math
from collections.abc import Callable, Iterator, Mapping

from sandbox.slack.json_types import Json

Rule = Callable[[object, str], Iterator[str]]


def wrong(what: str, at: str) -> str:
    """Say what is wrong, and where."""
    return f"{what} [json-pointer:{at}]"


def string(most: int, least: int = 1) -> Rule:
    """Allow a string of so many characters."""

    def rule(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield wrong("must provide a string", at)
        elif len(value) < least:
            yield wrong(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            yield wrong(f"must be less than {most + 1} characters", at)

    return rule


def integer(least: int, most: int) -> Rule:
    """Allow a whole number in these bounds."""

    def rule(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield wrong("must provide an integer", at)
        elif not least <= value <= most:
            yield wrong(f"must be between {least} and {most}", at)

    return rule


def number(value: object, at: str) -> Iterator[str]:
    """Allow a number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        yield wrong("must provide a number", at)


def boolean(value: object, at: str) -> Iterator[str]:
    """Allow true and false."""
    if not isinstance(value, bool):
        yield wrong("must provide a boolean", at)


def anything(value: object, at: str) -> Iterator[str]:  # noqa: ARG001 - a rule takes both
    """Allow whatever stands there."""
    yield from ()


def exactly(*allowed: str) -> Rule:
    """Allow these values alone."""

    def rule(value: object, at: str) -> Iterator[str]:
        if value not in allowed:
            yield wrong(f"must be one of: {', '.join(allowed)}", at)

    return rule


def items(each: Rule, most: int, least: int = 1) -> Rule:
    """Allow a list of so many items."""

    def rule(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield wrong("must provide an array", at)
            return
        if len(value) > most:
            yield wrong(f"no more than {most} items allowed", at)
        if len(value) < least:
            yield wrong(f"no fewer than {least} items allowed", at)
        for index, item in enumerate(value):
            yield from each(item, f"{at}/{index}")

    return rule


def record(
    required: Mapping[str, Rule] | None = None,
    optional: Mapping[str, Rule] | None = None,
    *checks: Callable[[Json, str], Iterator[str]],
) -> Rule:
    """Allow an object with these fields and its `type`.

    The `checks` look at it as a whole, once its fields are fine.
    """
    needed = required or {}
    fields = {"type": anything, **needed, **(optional or {})}

    def rule(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield wrong("must provide an object", at)
            return
        found = [wrong(f"missing required field: {name}", at) for name in needed if name not in value]
        for name, content in value.items():
            if name not in fields:
                found.append(wrong(f"invalid additional property: {name}", at))
            elif content is not None:
                found += fields[name](content, f"{at}/{name}")
        yield from found or (problem for check in checks for problem in check(value, at))

    return rule


def by_type(rules: Mapping[str, Rule]) -> Rule:
    """Choose the rule by the object's `type`; other types are refused."""

    def rule(value: object, at: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in rules:
            yield from rules[kind](value, at)
        else:
            yield wrong(f"unsupported type: {kind}", at)

    return rule


def only(*names: str) -> Callable[[Json, str], Iterator[str]]:
    """Demand exactly one of these fields."""

    def check(value: Json, at: str) -> Iterator[str]:
        if sum(name in value for name in names) != 1:
            yield wrong(f"must define exactly one of: {', '.join(names)}", at)

    return check


def some(*names: str) -> Callable[[Json, str], Iterator[str]]:
    """Demand at least one of these fields."""

    def check(value: Json, at: str) -> Iterator[str]:
        if not any(name in value for name in names):
            yield wrong(f"must define at least one of: {', '.join(names)}", at)

    return check
