"""The two languages: `python -m tools.messages VERB`.

update        find the sentences of the source, drop those that are gone, write django.po and .mo
missing       the sentences without Spanish, as a JSON object on stdout; a plural's value is a list
fill FILE     put Spanish in: a JSON object, sentence → Spanish, or → [one, many] for a plural
check         one line for each sentence that is missing, stale or has other placeholders, and one
              where the .mo is not made from the .po; exit status 1 if there is any
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tools.catalog import LANGUAGE, Translations, locked, write_whole
from tools.sentences import Sentence, SourceError, sentences

SOURCE = Path(__file__).parent.parent / "src" / "buzon"
# A sentence with a context is written as gettext itself does: context, U+0004, sentence.
_CONTEXT_END = "\u0004"


class Refused(Exception):
    """What was asked makes no sense; its sentence says what."""


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; the exit status: 0, 1 for findings of `check`, 2 for what makes no sense."""
    given = _parser().parse_args(arguments)
    source: Path = given.source
    po = source / "config" / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"
    try:
        if given.verb == "update":
            return _update(source, po)
        if given.verb == "missing":
            return _missing(source, po)
        return _fill(source, po, given.file) if given.verb == "fill" else _check(source, po)
    except (Refused, SourceError) as error:
        print(error, file=sys.stderr)
        return 2


def _update(source: Path, po: Path) -> int:
    known = sentences(source)
    with locked(po):
        translations = Translations.read(po).merged(known)
        _write(po, translations)
    print(f"{len(known)} sentences, {len(translations.missing())} without Spanish.")
    return 0


def _missing(source: Path, po: Path) -> int:
    untold = Translations.read(po).merged(sentences(source)).missing()
    shown: dict[str, Any] = {_name(one): ["", ""] if one.plural else "" for one in untold}
    print(json.dumps(shown, ensure_ascii=False, indent=1))
    return 0


def _fill(source: Path, po: Path, file: Path) -> int:
    written = _written(file)
    known = sentences(source)
    by_name = {_name(one): one for one in known}
    with locked(po):
        translations = Translations.read(po).merged(known)
        for name, spanish in written.items():
            one = by_name.get(name)
            if one is None:
                raise Refused(f"No sentence of the source is {name!r}; nothing was filled in.")
            translations.of[one] = _checked(one, spanish)
        if wrong := [_name(one) for one in translations.mismatching() if _name(one) in written]:
            raise Refused(f"Other placeholders than in {wrong[0]!r}; nothing was filled in.")
        _write(po, translations)
    print(f"{len(written)} filled in, {len(translations.missing())} without Spanish.")
    return 0


def _check(source: Path, po: Path) -> int:
    known = sentences(source)
    stored = Translations.read(po)
    findings = [f"missing: {_name(one)}" for one in stored.merged(known).missing()]
    findings += [f"stale: {_name(one)}" for one in sorted(set(stored.of) - known)]
    findings += [f"other placeholders: {_name(one)}" for one in stored.mismatching()]
    mo = po.with_suffix(".mo")
    if not mo.exists() or mo.read_bytes() != stored.mo():
        findings.append("django.mo is not made from django.po: run python -m tools.messages update")
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def _write(po: Path, translations: Translations) -> None:
    write_whole(po, translations.po())
    write_whole(po.with_suffix(".mo"), translations.mo())


def _name(one: Sentence) -> str:
    return f"{one.context}{_CONTEXT_END}{one.text}" if one.context else one.text


def _written(file: Path) -> dict[str, Any]:
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{file} cannot be read as JSON: {error}.") from None
    if not isinstance(written, dict):
        raise Refused(f"{file} must hold a JSON object, sentence → Spanish.")
    return written


def _checked(one: Sentence, spanish: Any) -> list[str]:
    forms = spanish if isinstance(spanish, list) else [spanish]
    wanted = 2 if one.plural else 1
    if len(forms) != wanted or not all(isinstance(form, str) and form for form in forms):
        raise Refused(
            f"{one.text!r} wants {'[one, many]' if one.plural else 'one string'}, not empty; "
            "nothing was filled in."
        )
    return forms


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.messages", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--source", type=Path, default=SOURCE, help="instead of src/buzon")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("update", "missing", "check"):
        verbs.add_parser(verb)
    verbs.add_parser("fill").add_argument("file", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
