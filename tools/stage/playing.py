"""One stage, played: filled, served, and given orders.

It says in one line of JSON where its pages are and what is there, obeys orders from stdin, a line
of JSON each, and ends with stdin. `tools.stage.opening` is the other end.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.http import HttpRequest

from buzon.config import logs
from buzon.config.installation import open_installation
from buzon.config.serving import PageServer
from buzon.desk.models import User
from buzon.fleet.dispatcher import Embedded
from buzon.intake.runs import collect_once, process_once
from buzon.web.sessions import begin
from tools.stage.addresses import addresses
from tools.stage.filling import PASSWORD, Filled, fill

FILLED_WITHIN = 120.0  # seconds
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
BROWSERS = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_WEBKIT} Version/18.1 Safari/604.1",
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/140.0 Safari/537.36",
)


def play(kind: str) -> None:
    """Fill, serve, obey, end."""
    warnings.simplefilter("default")
    logs.set_up(level="warning")
    open_installation(create=True, upgrade=True, organization="Casa Olivo")
    filled = fill(kind)
    pages = PageServer.open()
    if pages is None:
        raise SystemExit("BUZON_LISTEN is off")
    work = Embedded(collect=collect_once, process=process_once, workers=4)
    work.start()
    pages.start()
    try:
        _await_mail(filled)
        _say(_described(pages.url, filled))
        _obey(filled)
    finally:
        pages.stop()
        work.stop()
        filled.close()
        connections.close_all()


def _await_mail(filled: Filled) -> None:
    """Until every letter that was there is decided, and every account was tried."""
    deadline = time.monotonic() + FILLED_WITHIN
    while not filled.is_quiet():
        if time.monotonic() > deadline:
            raise SystemExit("the mail of this stage is not collected in time")
        time.sleep(0.1)
    filled.finish()


def _described(url: str, filled: Filled) -> dict[str, Any]:
    return {
        "url": url,
        "password": PASSWORD,
        "people": {who: user.email for who, user in filled.people.items()},
        "cookie": settings.SESSION_COOKIE_NAME,
        "sessions": {who: _session(user) for who, user in filled.people.items()},
        "addresses": _addresses(filled),
        "code": filled.setup_code,
    }


def _addresses(filled: Filled) -> list[dict[str, str]]:
    rows = addresses(filled.people.get("administrator"), filled.people.get("agent"))
    return [one._asdict() for one in rows]


def _session(user: User) -> str:
    """Signed in as by the sign-in page, also elsewhere."""
    for browser in BROWSERS:
        request = HttpRequest()
        request.META |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_USER_AGENT": browser}
        request.session = SessionStore()
        begin(request, user)
        request.session.save()
    assert request.session.session_key
    return request.session.session_key


def _obey(filled: Filled) -> None:
    verbs: dict[str, Callable[..., Any]] = {
        "letter": filled.letter,
        "mailbox": filled.mailbox,
        "write": filled.write,
    }
    for line in sys.stdin:
        order = json.loads(line)
        _say(verbs[order.pop("do")](**order))


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)
