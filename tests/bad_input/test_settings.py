"""Settings that make no sense, keys that are missing or open, a folder that cannot be written to.

Every one is refused before anything is made or changed, and the right one works again.
"""

import pytest

from buzon.config.environment import SettingError, read_environment
from tests.bad_input.shop import Shop, clear
from tests.config.conftest import Installation

URL = "BUZON_DATABASE_URL must be a URL such as postgresql://user:password@host/name, or empty."
WRONG = [
    ("BUZON_DATABASE_URL", "mysql://x:hunter2@x/y", URL),
    ("BUZON_DATABASE_URL", "nonsense", URL),
    ("BUZON_DATABASE_URL", "postgresql://u:hunter2@x:port/y", URL),
    ("BUZON_DATABASE_URL", "postgresql://u:hunter2@[::1/y", URL),
    ("BUZON_DATABASE_URL", "postgresql://u:hunter2@x", URL),
    ("BUZON_DATABASE_URL", "sqlite://", URL),
    ("BUZON_SMTP_URL", "smtp://u:hunter2@x:99999", "BUZON_SMTP_URL must be a URL such as smtp+"),
    ("BUZON_COLOUR", "red", "There is no setting BUZON_COLOUR; docs/settings.md lists them all."),
    ("BUZON_MAX_MESSAGE_BYTES", "50 MB", "must be a whole number from 10000 to 1000000000, not"),
    ("BUZON_READ_TIMEOUT_SECONDS", "nan", "must be a number of seconds from 0.1 to 600, not"),
    ("BUZON_CA_FILE", "/nowhere.pem", "must be a PEM file of certificates that can be read, or"),
    ("BUZON_CA_FILE", "/etc/hostname", "must be a PEM file of certificates that can be read, or"),
    ("BUZON_ALLOW_PRIVATE_HOSTS", "maybe", "must be yes or no, not 'maybe'."),
]


@pytest.mark.parametrize(("name", "value", "told"), WRONG)
def test_a_setting_that_makes_no_sense_is_told_without_its_password(
    name: str, value: str, told: str
) -> None:
    with pytest.raises(SettingError) as refused:
        read_environment({name: value})
    assert told in clear(str(refused.value))
    assert "hunter2" not in str(refused.value)


def test_a_database_url_that_makes_no_sense_makes_nothing(fresh: Installation) -> None:
    for url in ("postgresql://u:hunter2@x:port/y", "postgresql://127.0.0.1:1/x?colour=red"):
        told = clear(fresh("store", "add", "Sur", BUZON_DATABASE_URL=url).sentence())
        assert "BUZON_DATABASE_URL" in told
        nothing_was_made(fresh)


def test_a_file_of_authorities_that_is_missing_makes_nothing(fresh: Installation) -> None:
    told = clear(fresh("store", "add", "Sur", BUZON_CA_FILE="/nowhere.pem").sentence())
    assert told.startswith("BUZON_CA_FILE must be a PEM file")
    nothing_was_made(fresh)


def test_keys_that_make_no_sense_make_nothing(fresh: Installation) -> None:
    for keys in ("nonsense", "first:AAAA"):
        told = clear(fresh("store", "add", "Sur", BUZON_KEYS=keys).sentence())
        assert told.startswith("BUZON_KEYS makes no sense at its entry 1")
        nothing_was_made(fresh)
    assert fresh("store", "add", "Sur").status == 0


def nothing_was_made(fresh: Installation) -> None:
    """At most the empty folder, and the lock by which two first commands wait for each other."""
    made = {file.name for file in fresh.folder.iterdir()} if fresh.folder.exists() else set()
    assert made <= {"setup.lock"}


def test_a_key_file_that_others_can_read(shop: Shop) -> None:
    keys = shop.installation.folder / "keys"
    keys.chmod(0o640)
    assert "chmod 600" in shop.refused("store", "add", "Sur")
    keys.chmod(0o600)
    shop.do("store", "add", "Sur")


def test_a_key_file_that_is_missing_while_there_are_secrets(shop: Shop) -> None:
    shop.accounts([{"name": "a", "host": "h.example", "username": "u", "secret": "s3cret"}])
    keys = shop.installation.folder / "keys"
    kept = keys.read_bytes()
    keys.unlink()
    assert "put it back from your backup" in shop.refused("store", "add", "Sur")
    assert not keys.exists()
    other = "other:" + "A" * 43 + "="
    assert "key" in shop.fails("a", BUZON_KEYS=other)
    keys.touch(0o600)
    keys.write_bytes(kept)
    shop.do("store", "add", "Sur")
