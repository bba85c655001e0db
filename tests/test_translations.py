"""Everything that a person reads exists in both languages, and the tool that says so can fail."""

import json
import shutil
from pathlib import Path

import pytest
from tools.messages import main

PLACE = Path("config", "locale", "es", "LC_MESSAGES")
PYTHON = '''"""A module."""

told = _("The store {name} is open.").format(name="A")
many = ngettext("{number} letter", "{number} letters", 3)
raised = ConnectFailed(
    "{host} does not answer "
    "on port {port}.", host="h", port=1)
'''
ERRORS = '''"""A module."""
class MailError(Exception):
    def __init__(self, template, **values): ...
class Transient(MailError): ...
class ConnectFailed(Transient): ...
TABLE = {1: template("A sentence in a table.")}
'''
TEMPLATE = """
{% trans name=who %}
  Good morning,
  {{ name }}
{% endtrans %} {{ pgettext("verb", "Open") }}
"""
SPANISH = {
    "The store {name} is open.": "La tienda {name} está abierta.",
    "{number} letter": ["una carta", "{number} cartas"],
    "{host} does not answer on port {port}.": "{host} no responde en el puerto {port}.",
    "A sentence in a table.": "Una frase en una tabla.",
    "Good morning, %(name)s": "Buenos días, %(name)s",
    "verb\u0004Open": "Abrir",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "errors.py").write_text(ERRORS)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / "module.py").write_text(PYTHON)
    return tmp_path


def run(source: Path, *verb: str) -> int:
    return main(["--source", str(source), *verb])


def fill(source: Path, spanish: object) -> int:
    file = source / "spanish.json"
    file.write_text(json.dumps(spanish))
    return run(source, "fill", str(file))


def translated(source: Path) -> Path:
    assert run(source, "update") == 0
    assert fill(source, SPANISH) == 0
    assert run(source, "check") == 0
    return source


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_every_kind_of_sentence_is_found(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, "missing") == 0
    assert set(json.loads(capsys.readouterr().out)) == set(SPANISH)


def test_what_is_filled_in_is_complete_and_compiled(source: Path) -> None:
    place = translated(source) / PLACE
    assert b"no responde en el puerto" in (place / "django.mo").read_bytes()
    assert "Buenos días, %(name)s" in (place / "django.po").read_text(encoding="utf-8")


def test_an_update_without_a_change_changes_nothing(source: Path) -> None:
    place = translated(source) / PLACE
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    assert run(source, "update") == 0
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_a_missing_sentence_is_found(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (translated(source) / "new.py").write_text('_("Not yet in Spanish.")')
    said(capsys)
    assert run(source, "check") == 1
    assert said(capsys) == ["missing: Not yet in Spanish."]


def test_a_stale_sentence_is_found_and_dropped(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (translated(source) / "module.py").write_text(PYTHON.replace("is open", "opened"))
    said(capsys)
    assert run(source, "check") == 1
    assert "stale: The store {name} is open." in said(capsys)
    run(source, "update")
    said(capsys)
    assert run(source, "check") == 1
    assert said(capsys) == ["missing: The store {name} opened."]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("La tienda {name}", "La tienda {nombre}"),
        ("Buenos días, %(name)s", "Buenos días"),
        ("{number} cartas", "varias cartas"),
    ],
)
def test_other_placeholders_are_found(
    source: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str
) -> None:
    po = translated(source) / PLACE / "django.po"
    text = po.read_text(encoding="utf-8")
    assert right in text
    po.write_text(text.replace(right, wrong), encoding="utf-8")
    run(source, "update")
    said(capsys)
    assert run(source, "check") == 1
    assert [line.partition(":")[0] for line in said(capsys)] == ["other placeholders"]


def test_an_old_mo_is_found(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mo = translated(source) / PLACE / "django.mo"
    mo.write_bytes(mo.read_bytes().replace(b"abierta", b"cerrada"))
    said(capsys)
    assert run(source, "check") == 1
    assert len(said(capsys)) == 1


@pytest.mark.parametrize(
    "spanish",
    [
        {"A sentence that nobody wrote.": "Nada."},
        {"The store {name} is open.": "La tienda está abierta."},
        {"The store {name} is open.": ""},
        {"{number} letter": "{number} cartas"},
        ["The store {name} is open."],
    ],
)
def test_what_does_not_fit_is_not_filled_in(
    source: Path, capsys: pytest.CaptureFixture[str], spanish: object
) -> None:
    run(source, "update")
    before = (source / PLACE / "django.po").read_bytes()
    assert fill(source, spanish) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (source / PLACE / "django.po").read_bytes() == before


@pytest.mark.parametrize(
    "made_up", ['_(f"The store {name}.")', 'ConnectFailed(f"{host} hung up.")', '_("a" + b)']
)
def test_a_sentence_made_up_at_run_time_is_refused(
    source: Path, capsys: pytest.CaptureFixture[str], made_up: str
) -> None:
    (source / "new.py").write_text(made_up)
    assert run(source, "update") == 2
    assert "new.py:1" in capsys.readouterr().err


def test_one_sentence_with_two_plurals_is_refused(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "new.py").write_text('ngettext("{number} letter", "{number} notes", 2)')
    assert run(source, "update") == 2
    assert "two plurals" in capsys.readouterr().err


def test_a_template_that_makes_no_sense_is_named(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "templates" / "page.html").write_text("{% trans %}never closed")
    assert run(source, "update") == 2
    assert "page.html:1" in capsys.readouterr().err


def test_a_source_without_a_catalogue_misses_all(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(source / PLACE, ignore_errors=True)
    assert run(source, "check") == 1
    assert len(said(capsys)) == len(SPANISH) + 1


def test_everything_is_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the product itself: nothing missing, nothing stale, and the .mo made from the .po."""
    status = main(["check"])
    assert (status, said(capsys)) == (0, [])
