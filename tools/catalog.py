"""The Spanish of every sentence: django.po, which people read, and django.mo, which Django reads.

Sorted, without dates and line numbers, so that a change of one sentence is a change of one entry.
"""

import fcntl
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tools.sentences import Sentence

LANGUAGE = "es"
# {name}, {size:,}, {name!r} and %(name)s
_PLACES = re.compile(r"\{(\w+)[^{}\s]*\}|%\((\w+)\)[a-z]")
_HEADERS = [
    ("Language", LANGUAGE),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
    ("Plural-Forms", "nplurals=2; plural=(n != 1);\n"),
]


@dataclass
class Translations:
    """Sentence → its Spanish: one string, or [one, many] where it has a plural."""

    of: dict[Sentence, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, po: Path) -> "Translations":
        """From a .po file; none where there is no file."""
        if not po.exists():
            return cls()
        with po.open("rb") as file:
            catalog = read_po(file, locale=LANGUAGE)
        return cls(
            {_key(each.id, each.context): _forms(each.string) for each in catalog if each.id}
        )

    def merged(self, known: set[Sentence]) -> "Translations":
        """Exactly the known sentences, with the Spanish that there is for them."""
        return Translations({one: self.of.get(one, _empty(one)) for one in known})

    def missing(self) -> list[Sentence]:
        """Those without Spanish, or with one form where two are needed; sorted."""
        return sorted(one for one, forms in self.of.items() if not _is_whole(one, forms))

    def mismatching(self) -> list[Sentence]:
        """Those whose Spanish has other placeholders than the sentence; sorted."""
        whole = (one for one, forms in self.of.items() if _is_whole(one, forms))
        return sorted(one for one in whole if not _fits(one, self.of[one]))

    def po(self) -> bytes:
        """The .po file."""
        octets = io.BytesIO()
        write_po(octets, self._catalog(), width=0, no_location=True, sort_output=True)
        return octets.getvalue()

    def mo(self) -> bytes:
        """The .mo file; what has no Spanish stays out of it, and so is shown in English."""
        octets = io.BytesIO()
        write_mo(octets, self._catalog())
        return octets.getvalue()

    def _catalog(self) -> Catalog:
        catalog = _Undated(locale=LANGUAGE, fuzzy=False, header_comment="# Spanish")
        untold = set(self.missing())
        for one in sorted(self.of):
            forms = [] if one in untold else self.of[one]
            if one.plural:
                catalog.add((one.text, one.plural), tuple(forms) or ("", ""), context=_context(one))
            else:
                catalog.add(one.text, "".join(forms), context=_context(one))
        return catalog


class _Undated(Catalog):
    """Babel's catalogue with a header that never changes."""

    mime_headers = _HEADERS


@contextmanager
def locked(po: Path) -> Iterator[None]:
    """While it lasts, nobody else reads and then writes this .po file."""
    po.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(po.parent, os.O_RDONLY)  # the folder itself: no file is left behind
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, octets: bytes) -> None:
    """By rename: a reader sees the old file or the new one, never a part."""
    if path.exists() and path.read_bytes() == octets:
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(octets)
    beside.replace(path)


def _key(ids: object, context: str | None) -> Sentence:
    text, plural = ids if isinstance(ids, list | tuple) else (ids, "")
    return Sentence(text, plural, context or "")


def _forms(string: object) -> list[str]:
    return list(string) if isinstance(string, list | tuple) else [str(string)]


def _empty(one: Sentence) -> list[str]:
    return ["", ""] if one.plural else [""]


def _context(one: Sentence) -> str | None:
    return one.context or None


def _is_whole(one: Sentence, forms: list[str]) -> bool:
    return len(forms) == (2 if one.plural else 1) and all(forms)


def _fits(one: Sentence, forms: list[str]) -> bool:
    """One form may leave the number out ("una carta"); the many may not."""
    if not one.plural:
        return _places(forms[0]) == _places(one.text)
    return _places(forms[0]) <= _places(one.plural) == _places(forms[1])


def _places(text: str) -> set[str]:
    return {braces or percent for braces, percent in _PLACES.findall(text)}
