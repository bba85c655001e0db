"""Secrets at rest: AES-GCM, bound to the row that they belong to, with keys kept apart from it.

    box = version (1) · length of the key's name (1) · name · nonce (12) · ciphertext and tag

The ring is `BUZON_KEYS`, or the file `keys` in the data folder, in the same form:
`name:base64[,name:base64…]`, also one a line. The first key seals, all of them unseal.
"""

import base64
import binascii
import os
import re
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_VERSION = 1
_KEY_OCTETS = 32
_NONCE_OCTETS = 12
_ENTRY = re.compile(r"([A-Za-z0-9_-]{1,64}):([A-Za-z0-9+/=_-]+)")


class KeyringError(Exception):
    """A secret cannot be sealed or unsealed; `sentence` says why and what to do, in English.

    `template` is the sentence with {names} for its `values`, so that it can be shown in another
    language; nobody but us says anything here, so there is never an `answer`.
    """

    answer = ""

    def __init__(self, template: str, **values: Any) -> None:
        self.template = template
        self.values = values
        self.sentence = template.format_map(values) if values else template
        super().__init__(self.sentence)


def seal(plain: str, *, row: str) -> bytes:
    """Encrypt a secret for one row ("account:7:secret"); only that row opens it.

    Raises KeyringError: no keys, or keys that make no sense.
    """
    name, key = next(iter(_ring().items()))
    nonce = os.urandom(_NONCE_OCTETS)
    head = bytes([_VERSION, len(name)]) + name.encode("ascii")
    sealed = AESGCM(key).encrypt(nonce, plain.encode("utf-8", "surrogatepass"), _bound(head, row))
    return head + nonce + sealed


def unseal(sealed: bytes, *, row: str) -> str:
    """The secret that was sealed for this row.

    Raises KeyringError: an unknown key, another row's box, a damaged box. Never returns anything
    but what was sealed.
    """
    sealed = bytes(sealed)
    head, name = _head(sealed)
    key = _ring().get(name)
    if key is None:
        raise KeyringError(
            "The secret was encrypted with the key {name!r}, which is not in the key ring; "
            "put that key back into BUZON_KEYS or the key file, or enter the secret again.",
            name=name,
        )
    nonce, box = sealed[len(head) :][:_NONCE_OCTETS], sealed[len(head) + _NONCE_OCTETS :]
    try:
        return AESGCM(key).decrypt(nonce, box, _bound(head, row)).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError):
        raise KeyringError(
            "The stored secret is damaged or belongs to another record; enter it again."
        ) from None


def make_key_file(path: Path) -> bool:
    """Write a new key to `path` (0600), whole or not at all; False if a file is there already.

    A file that is there is never touched: what was sealed with its keys would be lost. Raises
    KeyringError where the folder cannot be written to.
    """
    line = f"{secrets.token_hex(4)}:{base64.b64encode(os.urandom(_KEY_OCTETS)).decode('ascii')}\n"
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_durably(draft, line.encode("ascii"))
        try:
            os.link(draft, path)  # unlike a rename it never replaces a file
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyringError(
            "The key file {path} cannot be written: {why}.", path=str(path), why=error.strerror
        ) from None
    return True


def check_keys() -> list[str]:
    """The names of the keys in the ring, the sealing one first. Raises KeyringError."""
    return list(_ring())


def _bound(head: bytes, row: str) -> bytes:
    return head + b"\0" + row.encode("utf-8")


def _head(sealed: bytes) -> tuple[bytes, str]:
    if len(sealed) < 2 or sealed[0] != _VERSION or len(sealed) < 2 + sealed[1] + _NONCE_OCTETS:
        raise KeyringError("The stored secret is damaged; enter it again.")
    head = sealed[: 2 + sealed[1]]
    return head, head[2:].decode("ascii", "replace")


def _ring() -> dict[str, bytes]:
    written = str(settings.BUZON_KEYS).strip()
    if written:
        return _parsed(written, None)
    path = Path(settings.BUZON_DATA_DIR) / "keys"
    return _parsed(_read(path), path)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise KeyringError(
                    "The key file {path} can be read by others (mode {mode}); "
                    "run `chmod 600 {path}`.",
                    path=str(path),
                    mode=f"{mode & 0o777:04o}",
                )
            return file.read(1_000_000).decode("ascii", "replace")
    except FileNotFoundError:
        raise KeyringError(
            "There is no key file {path}, which the first start makes; put it back from your "
            "backup, or set BUZON_KEYS.",
            path=str(path),
        ) from None
    except OSError as error:
        raise KeyringError(
            "The key file {path} cannot be read: {why}.", path=str(path), why=error.strerror
        ) from None


def _parsed(written: str, file: Path | None) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for place, entry in enumerate(re.split(r"[,\s]+", written.strip()), start=1):
        name, key = _entry(entry)
        # The entry itself must not show up in a message: it is, or nearly is, a key.
        if key is None or name in ring:
            raise _senseless(file, place)
        ring[name] = key
    return ring


def _senseless(file: Path | None, place: int) -> KeyringError:
    if file is None:
        return KeyringError(
            "BUZON_KEYS makes no sense at its entry {place}; expected is "
            "name:base64, 32 octets in base64, each name once.",
            place=place,
        )
    return KeyringError(
        "The key file {path} makes no sense at its entry {place}; expected is "
        "name:base64, 32 octets in base64, each name once.",
        path=str(file),
        place=place,
    )


def _entry(entry: str) -> tuple[str, bytes | None]:
    matched = _ENTRY.fullmatch(entry)
    if not matched:
        return "", None
    try:
        key = base64.b64decode(matched[2].replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        return "", None
    return matched[1], key if len(key) == _KEY_OCTETS else None


def _write_durably(path: Path, octets: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
