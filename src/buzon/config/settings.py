"""Django's settings, made from the environment (`environment.py`)."""

from pathlib import Path
from typing import Any

import dj_database_url

from buzon.config.environment import read_environment

_values = read_environment()

# By name, so that a type checker and a reader see them; environment.py says what each means.
BUZON_DATA_DIR: Path = _values["BUZON_DATA_DIR"]
BUZON_DATABASE_URL: str = _values["BUZON_DATABASE_URL"]
BUZON_KEYS: str = _values["BUZON_KEYS"]
BUZON_MAX_ACCOUNTS: int = _values["BUZON_MAX_ACCOUNTS"]
BUZON_MAX_MESSAGE_BYTES: int = _values["BUZON_MAX_MESSAGE_BYTES"]
BUZON_POLL_SECONDS: float = _values["BUZON_POLL_SECONDS"]
BUZON_WORKERS: int = _values["BUZON_WORKERS"]
BUZON_LEASE_SECONDS: float = _values["BUZON_LEASE_SECONDS"]
BUZON_CONNECT_TIMEOUT_SECONDS: float = _values["BUZON_CONNECT_TIMEOUT_SECONDS"]
BUZON_READ_TIMEOUT_SECONDS: float = _values["BUZON_READ_TIMEOUT_SECONDS"]
BUZON_ALLOW_PRIVATE_HOSTS: bool = _values["BUZON_ALLOW_PRIVATE_HOSTS"]
BUZON_CA_FILE: str = _values["BUZON_CA_FILE"]
BUZON_SMTP_URL: str = _values["BUZON_SMTP_URL"]
BUZON_MAIL_FROM: str = _values["BUZON_MAIL_FROM"]
BUZON_READER_SECONDS: int = _values["BUZON_READER_SECONDS"]
BUZON_READER_MEGABYTES: int = _values["BUZON_READER_MEGABYTES"]
BUZON_LOG_LEVEL: str = _values["BUZON_LOG_LEVEL"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "buzon.desk",
    "buzon.intake",
    "buzon.notify",
]
AUTH_USER_MODEL = "desk.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LOGGING_CONFIG = None  # config/logs.py sets it up
LOCK_SECONDS = 60  # how long a statement waits for a lock that somebody else holds


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


def _database(url: str) -> dict[str, Any]:
    if not url:
        return _sqlite(BUZON_DATA_DIR / "buzon.sqlite3")
    parsed = dict(dj_database_url.parse(url))
    if str(parsed["ENGINE"]).endswith("sqlite3"):
        return _sqlite(Path(str(parsed["NAME"])))
    parsed["CONN_MAX_AGE"] = None
    parsed["CONN_HEALTH_CHECKS"] = True
    # No wait without a deadline: as long as SQLite's busy time-out.
    options: dict[str, Any] = parsed.setdefault("OPTIONS", {})  # type: ignore[assignment]
    options["options"] = f"{options.get('options', '')} -c lock_timeout={LOCK_SECONDS}s".strip()
    # Octets go to the server as they are, not as text twice as long inside the statement; and a
    # statement that runs for every letter is planned once.
    options |= {"server_side_binding": True, "prepare_threshold": 5}
    return parsed


DATABASES = {"default": _database(_values["BUZON_DATABASE_URL"])}
