"""The documentation is tested: what the code has is in it, and what it names exists."""

import re
from pathlib import Path

import pytest

from buzon.config.command.nouns import NOUNS
from buzon.config.environment import SETTINGS
from buzon.config.settings_page import page
from buzon.desk.models import Event
from buzon.desk.reasons import REASONS
from buzon.intake.models import Arrival, CollectionAccount
from buzon.notify.models import Notification

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "STYLE.md", *sorted(DOCS.rglob("*.md"))]
# A path as our pages write it: in backticks or a link, beginning with a folder of the project.
PATH = re.compile(r"(?<![\w/.])((?:docs|src|tests|bench|\.ci)/[\w./-]*)")


def text_of(*names: str) -> str:
    return "\n".join((DOCS / name).read_text(encoding="utf-8") for name in names)


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
