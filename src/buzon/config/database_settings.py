"""Which database, and how long anybody waits for it: Django's DATABASES from `BUZON_DATABASE_URL`.

No wait is without an end. On PostgreSQL:

    for a lock that another session holds        LOCK_SECONDS, as SQLite's busy time-out
    for the other end of a transaction           IDLE_SECONDS: who was stopped, or whose machine is
                                                 gone, in the middle of one must not hold its locks
    for a peer that has vanished                 GONE_SECONDS, asked for in between (keepalives)
"""

from pathlib import Path
from typing import Any

import dj_database_url

LOCK_SECONDS = 60  # how long a statement waits for a lock that somebody else holds
# Less than LOCK_SECONDS, so that who waits for the locks gets them; longer than any work of ours
# between two statements of a transaction (a backup and a restore, which may wait for a slow disk
# or pipe, say so to the server: `snapshot`, `load_into_postgresql`).
IDLE_SECONDS = 30
GONE_SECONDS = 60
_CONNECTED_WITHIN = 30  # seconds, for each of the server's addresses
_ASKED_AFTER, _ASKED_EVERY = 30, 10  # seconds of silence on a connection; three times in all


def database(url: str, folder: Path) -> dict[str, Any]:
    """The entry of DATABASES; without a URL, SQLite's file in the data folder."""
    if not url:
        return _sqlite(folder / "buzon.sqlite3")
    parsed = dict(dj_database_url.parse(url))
    if str(parsed["ENGINE"]).endswith("sqlite3"):
        return _sqlite(Path(str(parsed["NAME"])))
    return _postgresql(parsed)


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": LOCK_SECONDS,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-64000;"
                "PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY"
            ),
        },
    }


def _postgresql(parsed: dict[str, Any]) -> dict[str, Any]:
    # A request's thread ends with it, and with it goes its connection: none may be kept.
    parsed["CONN_MAX_AGE"] = 0
    asked: dict[str, Any] = parsed.get("OPTIONS", {})
    parsed["OPTIONS"] = {
        **_patience_of_ours(),
        **asked,
        # Of two settings of the same name the server takes the later one: the operator's.
        "options": f"{_patience_of_the_server()} {asked.get('options', '')}".strip(),
        # Octets go to the server as they are, not as text twice as long inside the statement; and
        # a statement that runs for every letter is planned once.
        "server_side_binding": True,
        "prepare_threshold": 5,
    }
    return parsed


def _patience_of_ours() -> dict[str, int]:
    """libpq's, with the server's machine (PostgreSQL manual, 34.1.2)."""
    return {
        "connect_timeout": _CONNECTED_WITHIN,
        "keepalives_idle": _ASKED_AFTER,
        "keepalives_interval": _ASKED_EVERY,
        "keepalives_count": (GONE_SECONDS - _ASKED_AFTER) // _ASKED_EVERY,
        "tcp_user_timeout": GONE_SECONDS * 1000,
    }


def _patience_of_the_server() -> str:
    """The server's, with us (PostgreSQL manual, 20.3.2 and 20.11.1)."""
    limits = {
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "tcp_keepalives_idle": _ASKED_AFTER,
        "tcp_keepalives_interval": _ASKED_EVERY,
        "tcp_keepalives_count": (GONE_SECONDS - _ASKED_AFTER) // _ASKED_EVERY,
        "tcp_user_timeout": GONE_SECONDS * 1000,
    }
    return " ".join(f"-c {name}={limit}" for name, limit in limits.items())
