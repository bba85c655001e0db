"""The documentation is tested: what the code has is in it, and what it names exists."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from buzon.config.command.nouns import NOUNS
from buzon.config.environment import SETTINGS
from buzon.config.settings_page import page
from buzon.desk.models import Event
from buzon.desk.reasons import REASONS
from buzon.intake import custody, process_batch, renaming_pop3, renumbering, settle
from buzon.intake.models import Arrival, CollectionAccount
from buzon.notify.models import Notification
from buzon.wire.errors import MailError, Permanent, Transient

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "STYLE.md", *sorted(DOCS.rglob("*.md"))]
PROCEDURES = [custody, process_batch, settle, renumbering, renaming_pop3]
# A path as our pages write it: in backticks or a link, beginning with a folder of the project.
PATH = re.compile(r"(?<![\w/.])((?:docs|src|tests|bench|\.ci)/[\w./-]*)")


def text_of(*names: str) -> str:
    return "\n".join((DOCS / name).read_text(encoding="utf-8") for name in names)


def first_columns(name: str) -> str:
    rows = [line for line in text_of(name).splitlines() if line.startswith("| ")]
    return "\n".join(line.split(" | ")[0] for line in rows)


def steps_of(text: str) -> list[str]:
    """The numbered steps, each in one line."""
    found = re.findall(
        r"^ *(\d+\. .*(?:\n {3,}(?!\d+\.)\S.*)*)", inspect.cleandoc(text), re.MULTILINE
    )
    return [" ".join(step.split()) for step in found]


def test_settings_page_is_what_the_code_says() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == page(), "run make docs"


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in text_of("settings.md")


@pytest.mark.parametrize("outcome", Arrival.Outcome.values)
def test_every_outcome_is_documented(outcome: str) -> None:
    assert f"| `{outcome}` |" in text_of("path.md")
    assert f"| `{outcome}` |" in text_of("operate.md")


@pytest.mark.parametrize("event", Event.Kind.values)
def test_every_event_is_documented(event: str) -> None:
    assert f"| `{event}` |" in text_of("path.md")


@pytest.mark.parametrize("kind", Notification.Kind.values)
def test_every_notification_is_documented(kind: str) -> None:
    assert f"`{kind}`" in text_of("path.md")


@pytest.mark.parametrize("state", CollectionAccount.State.values)
def test_every_account_state_is_documented(state: str) -> None:
    assert f"| `{state}` |" in text_of("operate.md")


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_is_documented(code: str) -> None:
    assert f"`{code}`" in text_of("path.md")


@pytest.mark.parametrize("code", sorted(REASONS))
def test_what_to_do_about_every_reason_is_documented(code: str) -> None:
    """In the first column of a table of operate.md, whose last one says what to do."""
    assert f"`{code}`" in first_columns("operate.md")


@pytest.mark.parametrize("kind", [*Transient.__subclasses__(), *Permanent.__subclasses__()])
def test_what_to_do_about_every_kind_of_error_is_documented(kind: type[MailError]) -> None:
    assert f"`{kind.__name__}`" in first_columns("operate.md")


@pytest.mark.parametrize("module", PROCEDURES, ids=lambda module: module.__name__)
def test_the_steps_of_custody_are_numbered_as_in_the_code(module: ModuleType) -> None:
    """A decision names the file in a heading; beneath it stand the steps of its docstring."""
    decision = text_of("decisions/0014-custody-and-how-it-is-tried.md")
    place = module.__name__.replace(".", "/")
    parts = decision.split("\n## ")
    (part,) = (part for part in parts if f"`src/{place}.py`" in part.splitlines()[0])
    steps = steps_of(inspect.getdoc(module) or "")
    assert len(steps) >= 4
    assert steps_of(part) == steps


@pytest.mark.parametrize("command", NOUNS)
def test_every_command_is_documented(command: str) -> None:
    assert f"`buzon {command}`" in text_of("operate.md")


def test_documented_commands_exist() -> None:
    written = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"(?:^|`)buzon ([a-z]+)", written, re.MULTILINE))
    assert named <= set(NOUNS)
    assert len(named) > 10


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_path_named_exists(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    missing = [found for found in PATH.findall(written) if not (ROOT / found.rstrip(".")).exists()]
    assert missing == []


def test_the_project_speaks_of_itself_alone() -> None:
    """No page names a path of some machine, or the folder beside the project."""
    for path in PAGES:
        written = path.read_text(encoding="utf-8")
        assert "../shared" not in written
        assert not re.search(r"/work/|/root/|/tmp/", written), path
