"""Find the sentences in source code that people can read, through its syntax tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MIN_WORDS = 3
INSERTION = "…"
"""Stands for what an f-string or a template inserts."""

_IGNORED_CALLS = frozenset({"log", "logging", "logger", "re"})
_TEMPLATE_FIELD = re.compile(r"\{[^{}]*\}")


def find_sentences(source: Path) -> list[str]:
    """Return the strings of several words, without docstrings, log messages and patterns."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    strings = (_TEMPLATE_FIELD.sub(INSERTION, string).strip() for string in _strings(tree))
    return list(dict.fromkeys(string for string in strings if len(string.split()) >= MIN_WORDS))


def _strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else INSERTION for part in node.values
        )
        for part in node.values:
            yield from _strings(part) if isinstance(part, ast.FormattedValue) else ()
    else:
        for child in ast.iter_child_nodes(node):
            if not _is_ignored(child):
                yield from _strings(child)


def _is_ignored(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    called_on = node.func.value
    name = called_on.attr if isinstance(called_on, ast.Attribute) else getattr(called_on, "id", "")
    return name in _IGNORED_CALLS
