"""A real browser, the real product in a process of its own, and windows that are watched.

Playwright's loop runs in the thread of whoever started it, where Django then refuses its database:
so the browser lives as long as one test file, and no test here touches the database itself.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from tools.stage import Stage, open_stage

from tests.browser.window import StageWindows
from tests.lease.real_database import no_database

CHROMIUM = Path("/usr/bin/chromium")
OpenStage = Callable[[str], StageWindows]
MISSING = "There is no chromium here: `apt install chromium`, or `make test`, which does that."


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for each test file."""
    if not CHROMIUM.exists():
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def full() -> Iterator[Stage]:
    """The demonstration shop, its mail collected: for tests that leave it as it is."""
    with stage_on_this_database("full") as stage:
        yield stage


@pytest.fixture
def windows(chromium: Browser, full: Stage) -> Iterator[StageWindows]:
    """On the shared stage; after the test nobody may have complained."""
    opened = StageWindows(chromium, full)
    yield opened
    opened.close()


@pytest.fixture
def stage_of_its_own(chromium: Browser) -> Iterator[OpenStage]:
    """For a test that changes what others would see: `stage_of_its_own("empty")`."""
    with ExitStack() as running:

        def opened(kind: str) -> StageWindows:
            windows = StageWindows(chromium, running.enter_context(stage_on_this_database(kind)))
            running.callback(windows.close)
            return windows

        yield opened


@contextmanager
def stage_on_this_database(kind: str) -> Iterator[Stage]:
    """On the database that this run of the tests is about."""
    database = no_database()
    url = database.environ.get("BUZON_DATABASE_URL")
    try:
        with open_stage(kind, environ={"BUZON_DATABASE_URL": url} if url else {}) as stage:
            yield stage
    finally:
        database.remove()
