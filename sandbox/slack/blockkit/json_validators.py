"""Validators for JSON values; each takes a value and its JSON pointer, and yields the problems.

The problems have the format of Slack's `response_metadata.messages`.
"""

import math
from collections.abc import Callable, Iterator, Mapping

from sandbox.slack.json_types import Json

Validator = Callable[[object, str], Iterator[str]]
ObjectCheck = Callable[[Json, str], Iterator[str]]


def problem(message: str, pointer: str) -> str:
    """Return a problem with its place."""
    return f"{message} [json-pointer:{pointer}]"


def string(max_length: int, min_length: int = 1) -> Validator:
    """Return a validator for strings."""

    def validate(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", pointer)
        elif len(value) < min_length:
            yield problem(f"must be more than {min_length - 1} characters", pointer)
        elif len(value) > max_length:
            yield problem(f"must be less than {max_length + 1} characters", pointer)

    return validate


def integer(minimum: int, maximum: int) -> Validator:
    """Return a validator for integers."""

    def validate(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield problem("must provide an integer", pointer)
        elif not minimum <= value <= maximum:
            yield problem(f"must be between {minimum} and {maximum}", pointer)

    return validate


def number(value: object, pointer: str) -> Iterator[str]:
    """Validate a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        yield problem("must provide a number", pointer)


def boolean(value: object, pointer: str) -> Iterator[str]:
    """Validate a boolean."""
    if not isinstance(value, bool):
        yield problem("must provide a boolean", pointer)


def any_value(value: object, pointer: str) -> Iterator[str]:  # noqa: ARG001 - a validator takes both
    """Accept every value."""
    yield from ()


def one_of(*allowed: str) -> Validator:
    """Return a validator for a set of strings."""

    def validate(value: object, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of: {', '.join(allowed)}", pointer)

    return validate


def array(item: Validator, max_items: int, min_items: int = 1) -> Validator:
    """Return a validator for arrays."""

    def validate(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", pointer)
            return
        if len(value) > max_items:
            yield problem(f"no more than {max_items} items allowed", pointer)
        if len(value) < min_items:
            yield problem(f"no fewer than {min_items} items allowed", pointer)
        for index, element in enumerate(value):
            yield from item(element, f"{pointer}/{index}")

    return validate


def json_object(
    required: Mapping[str, Validator] | None = None,
    optional: Mapping[str, Validator] | None = None,
    *checks: ObjectCheck,
) -> Validator:
    """Return a validator for objects with these fields and `type`.

    The `checks` validate the object as a whole, if all its fields are valid.
    """
    required = required or {}
    fields = {"type": any_value, **required, **(optional or {})}

    def validate(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
            return
        problems = [
            problem(f"missing required field: {name}", pointer) for name in required if name not in value
        ]
        for name, content in value.items():
            if name not in fields:
                problems.append(problem(f"invalid additional property: {name}", pointer))
            elif content is not None:
                problems += fields[name](content, f"{pointer}/{name}")
        yield from problems or (found for check in checks for found in check(value, pointer))

    return validate


def by_type(validators: Mapping[str, Validator]) -> Validator:
    """Return a validator that depends on the object's `type`, and rejects other types."""

    def validate(value: object, pointer: str) -> Iterator[str]:
        type_ = value.get("type") if isinstance(value, dict) else None
        if isinstance(type_, str) and type_ in validators:
            yield from validators[type_](value, pointer)
        else:
            yield problem(f"unsupported type: {type_}", pointer)

    return validate


def exactly_one_of(*names: str) -> ObjectCheck:
    """Return a check that an object has exactly one of these fields."""

    def check(value: Json, pointer: str) -> Iterator[str]:
        if sum(name in value for name in names) != 1:
            yield problem(f"must define exactly one of: {', '.join(names)}", pointer)

    return check


def at_least_one_of(*names: str) -> ObjectCheck:
    """Return a check that an object has at least one of these fields."""

    def check(value: Json, pointer: str) -> Iterator[str]:
        if not any(name in value for name in names):
            yield problem(f"must define at least one of: {', '.join(names)}", pointer)

    return check
