"""A browser's windows, watched: what a page complains of, and whom else it asks, fails a test."""

import re
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from tools.stage import Stage

WAIT = 10_000.0  # milliseconds, far more than anything takes
OWN = ("data:", "blob:", "about:", "chrome-error:")


Served = TypeVar("Served", bound="Serving")


class Serving(Protocol):
    """Where pages are, and what makes a browser somebody's."""

    @property
    def url(self) -> str: ...

    def cookies(self, who: str) -> list[dict[str, str]]: ...


@dataclass
class Windows(Generic[Served]):
    """Opens pages of what is served; `complaints` is what the browser found wrong with them."""

    browser: Browser
    stage: Served
    complaints: list[str] = field(default_factory=list)
    _forgiven: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        who: str = "stranger",
        *,
        language: str = "en-GB",
        width: int = 1440,
        dark: bool = False,
        script: bool = True,
        time_zone: str = "Europe/Madrid",
    ) -> Page:
        """A window of a browser of its own; `who` is stranger, agent or administrator."""
        context = self.browser.new_context(
            base_url=self.stage.url,
            locale=language,
            timezone_id=time_zone,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        self._contexts.append(context)
        context.set_default_timeout(WAIT)
        context.add_cookies(self.stage.cookies(who))  # type: ignore[arg-type]  # a dict of them
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("request", self._asked)
        return context.new_page()

    def forgive(self, pattern: str) -> None:
        """A complaint that the test provokes, such as "404"."""
        self._forgiven.append(pattern)

    def close(self) -> None:
        """All windows; what there was to complain of."""
        for context in self._contexts:
            context.close()
        found = [c for c in self.complaints if not any(re.search(f, c) for f in self._forgiven)]
        assert not found, "\n".join(found)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where: Any = message.location
            self.complaints.append(f"{message.type}: {message.text} ({where.get('url', '')})")

    def _asked(self, request: Request) -> None:
        ours = urlsplit(self.stage.url).netloc
        if not request.url.startswith(OWN) and urlsplit(request.url).netloc != ours:
            self.complaints.append(f"asks another host: {request.url}")


StageWindows = Windows[Stage]
