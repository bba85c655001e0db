"""Every sentence of the source that a person may read, found where it is written.

*.py    the first argument of gettext's functions, and of wire's error classes: their first
        argument is a template, because wire knows no gettext
*.html, *.txt under templates/: Jinja's `_()`, `{% trans %}`, `{% pluralize %}`
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import TemplateSyntaxError
from jinja2.ext import babel_extract

# Where the context, the sentence and its plural stand among the arguments; -1: nowhere.
_PLAIN, _PLURAL, _CONTEXT, _BOTH = (-1, 0, -1), (-1, 0, 1), (0, 1, -1), (0, 1, 2)
KEYWORDS = {
    "_": _PLAIN,
    "gettext": _PLAIN,
    "gettext_lazy": _PLAIN,
    "gettext_noop": _PLAIN,
    "ngettext": _PLURAL,
    "ngettext_lazy": _PLURAL,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": _BOTH,
    "npgettext_lazy": _BOTH,
}
MARK = "template"
_TEMPLATES = ("*.html", "*.txt")
_OPTIONS = {
    "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols",
    "trimmed": "true",
    "newstyle_gettext": "true",
    "silent": "false",
}


class SourceError(Exception):
    """A file of the source cannot be read for its sentences; says which, where and why."""


class Sentence(NamedTuple):
    """What is translated: `plural` is "" where there is one form, `context` mostly ""."""

    text: str
    plural: str = ""
    context: str = ""


def sentences(source: Path) -> set[Sentence]:
    """All of a source folder. Raises SourceError."""
    keywords = KEYWORDS | dict.fromkeys([MARK, *_error_classes(source)], _PLAIN)
    found = {one for file in sorted(source.rglob("*.py")) for one in _of_python(file, keywords)}
    for pattern in _TEMPLATES:
        for file in sorted(source.rglob(pattern)):
            if "templates" in file.parts:
                found |= set(_of_template(file))
    return _apart({one for one in found if one.text})


def _apart(found: set[Sentence]) -> set[Sentence]:
    """Gettext looks a plural up by its first form, so one that also stands alone is one entry."""
    plurals: dict[tuple[str, str], Sentence] = {}
    for one in sorted(found):
        if one.plural and plurals.setdefault((one.context, one.text), one) != one:
            raise SourceError(f"{one.text!r} has two plurals; word one of them differently.")
    return {one for one in found if one.plural or (one.context, one.text) not in plurals}


def _error_classes(source: Path) -> set[str]:
    """Those whose first argument is called `template`, and what derives from them."""
    classes = [
        node
        for file in source.rglob("*.py")
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.ClassDef)
    ]
    found = {one.name for one in classes if _takes_template(one)}
    before = -1
    while len(found) > before:
        before = len(found)
        found |= {one.name for one in classes if found & {_called(base) for base in one.bases}}
    return found


def _takes_template(node: ast.ClassDef) -> bool:
    return any(
        isinstance(each, ast.FunctionDef)
        and each.name == "__init__"
        and [argument.arg for argument in each.args.args[1:2]] == [MARK]
        for each in node.body
    )


def _of_python(file: Path, keywords: dict[str, tuple[int, int, int]]) -> Iterator[Sentence]:
    for node in ast.walk(_tree(file)):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node.func)
        if name not in keywords:
            continue
        found = _sentence([_literal(each) for each in node.args], keywords[name])
        if found is not None:
            yield found
        elif _is_made_up(node):
            raise SourceError(
                f"{file}:{node.lineno}: {name}() wants the sentence itself, with {{names}} for "
                "what is put in later: what is made up at run time has no translation."
            )


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise SourceError(f"{file}:{error.lineno}: this is not Python: {error.msg}.") from None


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _literal(argument: ast.expr) -> str | None:
    literal = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return argument.value if literal else None  # type: ignore[attr-defined]


def _is_made_up(call: ast.Call) -> bool:
    return any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in call.args[:1])


def _of_template(file: Path) -> Iterator[Sentence]:
    try:
        with file.open("rb") as octets:
            extracted = list(babel_extract(octets, tuple(KEYWORDS), (), _OPTIONS))
    except TemplateSyntaxError as error:
        raise SourceError(f"{file}:{error.lineno}: {error.message}") from None
    for _line, keyword, message, _comments in extracted:
        arguments: list[Any] = list(message) if isinstance(message, tuple) else [message]
        found = _sentence(arguments, KEYWORDS[keyword])
        if found is not None:
            yield found


def _sentence(arguments: list[str | None], shape: tuple[int, int, int]) -> Sentence | None:
    if len(arguments) <= max(shape):
        return None
    context, text, plural = (arguments[place] if place >= 0 else "" for place in shape)
    if context is None or text is None or plural is None:
        return None
    return Sentence(text, plural, context)
