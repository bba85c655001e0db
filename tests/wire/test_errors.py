"""An error's sentence is a template and its values, so that it can be said in any language."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import buzon.wire
from buzon.wire import errors
from buzon.wire.errors import AuthRejected, ConnectFailed, MailError, NotPermitted
from buzon.wire.pop3.core import Reply
from buzon.wire.pop3.refusal import refused

ROOM = Path(buzon.wire.__file__).parent
CLASSES = {name for name, one in vars(errors).items() if isinstance(one, type)} | {"NotDeleted"}


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """(where, template, names of the values) of each error that is made with its template."""
    for file in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if not made or node.func.id not in CLASSES or not node.args:
                continue
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                values = {each.arg or "" for each in node.keywords}
                where = f"{file.relative_to(ROOM)}:{node.lineno}"
                yield where, node.args[0].value, values - {"answer", "numbers"}


FOUND = list(raised())


def test_there_are_such_errors() -> None:
    assert len(FOUND) > 50


@pytest.mark.parametrize(
    ("template", "values"), [one[1:] for one in FOUND], ids=[one[0] for one in FOUND]
)
def test_every_template_gets_the_values_that_it_names(template: str, values: set[str]) -> None:
    assert {name for _, name, _, _ in string.Formatter().parse(template) if name} == values
    assert template.endswith(".")


def test_the_sentence_is_the_template_with_its_values() -> None:
    error = ConnectFailed("{host} hung up on port {port}.", host="h{x}", port=9, answer="BYE\r\n")
    assert error.sentence == "h{x} hung up on port 9."
    assert (error.template, error.values) == (
        "{host} hung up on port {port}.",
        {"host": "h{x}", "port": 9},
    )
    assert str(error) == "h{x} hung up on port 9. The server said: BYE."


def test_a_refusal_that_says_no_more_keeps_template_and_values() -> None:
    otherwise = NotPermitted("The server refuses {what}.", what="it")
    error: MailError = refused(Reply(False, "no"), otherwise)
    assert (type(error), error.template, error.values, error.answer) == (
        NotPermitted,
        "The server refuses {what}.",
        {"what": "it"},
        "no",
    )
    assert isinstance(refused(Reply(False, "[AUTH] no"), otherwise), AuthRejected)
