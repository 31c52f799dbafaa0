"""The languages of the page: gettext catalogues, read when the app starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from babel import Locale
from babel.messages.pofile import read_po

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE_LANGUAGE = "en"
"""The language of the texts in the code."""
CODES = (SOURCE_LANGUAGE, "de", "es", "fr", "pt", "ja", "ar")

_MAX_PREFERENCES = 20


@dataclass(frozen=True)
class Language:
    """A language of the page."""

    code: str
    texts: Mapping[str, str]
    """The translations by the English text."""
    name: str
    """The language's own name."""
    direction: str
    """Either "ltr" or "rtl"."""

    @classmethod
    def load(cls, code: str) -> Self:
        """Read a language's catalogue."""
        locale = Locale.parse(code)
        name = locale.get_display_name() or code
        return cls(code, _read_texts(code), name[0].upper() + name[1:], locale.text_direction)

    def translate(self, text: str) -> str:
        """Return a text in this language, or in English if the translation is missing."""
        return self.texts.get(text, text)

    def has(self, text: str) -> bool:
        """Return True if a text exists in this language."""
        return self.code == SOURCE_LANGUAGE or text in self.texts


def _read_texts(code: str) -> dict[str, str]:
    if code == SOURCE_LANGUAGE:
        return {}
    with (TRANSLATIONS / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code, abort_invalid=True)
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


class Languages:
    """All languages of the page."""

    def __init__(self) -> None:
        self.all = tuple(Language.load(code) for code in CODES)
        self._by_code = {language.code: language for language in self.all}

    def choose(self, requested: str, accept_language: str) -> Language:
        """Return the requested language, or else the one that the browser prefers, or else English."""
        for tag in (requested, *_parse_accept_language(accept_language)):
            if language := self._by_code.get(tag.partition("-")[0].lower()):
                return language
        return self._by_code[SOURCE_LANGUAGE]


def _parse_accept_language(header: str) -> list[str]:
    """Return the language tags that a browser accepts, the preferred ones first."""
    weighted = list[tuple[float, str]]()
    for part in header.split(",")[:_MAX_PREFERENCES]:
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.partition("q=")[2] or 1)
        except ValueError:
            continue
        if quality > 0:
            weighted.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
