"""Secrets at rest: bound to their row, and never given out wrong."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.desk import keyring
from buzon.desk.keyring import KeyringError, make_key_file, seal, unseal

ROW = "account:1:secret"


def _key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.fixture
def keys(settings, tmp_path: Path) -> Path:
    settings.BUZON_KEYS, settings.BUZON_DATA_DIR = "", tmp_path
    assert make_key_file(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.mark.parametrize("plain", ["secret", "", "contraseña ñ€😀", "x" * 10_000, "\udcff"])
def test_what_was_sealed_is_unsealed(keys: Path, plain: str) -> None:
    box = seal(plain, row=ROW)
    assert unseal(box, row=ROW) == plain
    assert unseal(memoryview(box), row=ROW) == plain  # as PostgreSQL gives it
    assert not plain or plain.encode("utf-8", "surrogatepass") not in box


def test_the_same_secret_is_never_sealed_alike(keys: Path) -> None:
    assert seal("secret", row=ROW) != seal("secret", row=ROW)


def test_another_row_does_not_open_it(keys: Path) -> None:
    with pytest.raises(KeyringError, match="belongs to another record"):
        unseal(seal("secret", row=ROW), row="account:2:secret")


def test_the_first_key_seals_and_all_unseal(settings) -> None:
    old, new = _key("old"), _key("new")
    settings.BUZON_KEYS = old
    box = seal("secret", row=ROW)
    settings.BUZON_KEYS = f"{new},{old}"
    assert unseal(box, row=ROW) == "secret"
    rotated = seal("secret", row=ROW)
    settings.BUZON_KEYS = new
    assert unseal(rotated, row=ROW) == "secret"
    with pytest.raises(KeyringError, match="the key 'old', which is not in the key ring"):
        unseal(box, row=ROW)
    assert keyring.check_keys() == ["new"]


@given(data=st.data())
def test_a_damaged_box_is_never_opened(data: st.DataObject) -> None:
    box = bytearray(_sealed())
    place = data.draw(st.integers(0, len(box) - 1))
    box[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeyringError):
        unseal(bytes(box), row=ROW)
    with pytest.raises(KeyringError):
        unseal(bytes(box[:place]), row=ROW)


def _sealed() -> bytes:
    from django.conf import settings  # the fixture of that name does not go with @given

    settings.BUZON_KEYS = "k:" + base64.b64encode(b"k" * 32).decode()
    return seal("secret", row=ROW)


@pytest.fixture(autouse=True)
def _own_keys(settings) -> None:
    settings.BUZON_KEYS = ""


def test_a_key_file_is_made_for_its_owner_alone_and_never_replaced(keys: Path) -> None:
    assert keys.stat().st_mode & 0o777 == 0o600
    before = keys.read_bytes()
    assert not make_key_file(keys)
    assert keys.read_bytes() == before
    assert list(keys.parent.iterdir()) == [keys]


def test_a_key_file_that_others_can_read_is_refused(keys: Path) -> None:
    keys.chmod(0o640)
    with pytest.raises(KeyringError, match=r"can be read by others.*chmod 600"):
        seal("secret", row=ROW)


def test_a_key_file_may_hold_several_lines(keys: Path) -> None:
    box = seal("secret", row=ROW)
    keys.write_text(_key("new") + "\n" + keys.read_text() + "\n")
    assert unseal(box, row=ROW) == "secret"
    assert keyring.check_keys()[0] == "new"


def test_without_keys_a_sentence_says_what_to_do(settings, tmp_path: Path) -> None:
    settings.BUZON_DATA_DIR = tmp_path
    with pytest.raises(KeyringError, match=r"There is no key file .*BUZON_KEYS"):
        seal("secret", row=ROW)
    with pytest.raises(KeyringError, match="cannot be written"):
        make_key_file(tmp_path / "missing" / "keys")


@pytest.mark.parametrize(
    "written",
    ["abc", "a:", "a:AAAA", f"{'a:' + 'A' * 43 + '='},{'a:' + 'A' * 43 + '='}", "a b:AAAA", "a:?"],
)
def test_keys_that_make_no_sense_are_refused_without_showing_them(settings, written: str) -> None:
    settings.BUZON_KEYS = written
    with pytest.raises(KeyringError, match="BUZON_KEYS makes no sense at its entry") as raised:
        seal("secret", row=ROW)
    assert "AAAA" not in raised.value.sentence
