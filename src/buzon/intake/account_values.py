"""What may stand in a collection account: every field's check, one sentence for each wrong value.

The form, the API and the command line all come here, so a value that is stored has passed.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from buzon.desk.addresses import fold
from buzon.desk.entries import composed
from buzon.desk.models import Organization
from buzon.intake.models import CollectionAccount

Protocol = CollectionAccount.Protocol
Security = CollectionAccount.Security

# RFC 8314, 7.1: the ports of implicit TLS; RFC 9051 and 1939: those of STARTTLS and of the clear.
_PORTS = {
    (Protocol.IMAP, Security.TLS): 993,
    (Protocol.POP3, Security.TLS): 995,
    (Protocol.IMAP, Security.STARTTLS): 143,
    (Protocol.POP3, Security.STARTTLS): 110,
    (Protocol.IMAP, Security.NONE): 143,
    (Protocol.POP3, Security.NONE): 110,
}
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class AccountError(Exception):
    """A collection account cannot be made, changed or removed like this; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def default_port(protocol: str, security: str) -> int:
    """The port where a server of this protocol and encryption is found."""
    return _PORTS[Protocol(protocol), Security(security)]


def checked(organization: Organization, values: Mapping[str, Any]) -> dict[str, Any]:
    """All of an account's fields, tidied. Raises AccountError for the first wrong one.

    `values` holds every field of the form by the model's names, `port` None for the protocol's.
    """
    clean = {name: _CHECKS[name](value) for name, value in values.items() if name in _CHECKS}
    clean |= {name: value for name, value in values.items() if name not in _CHECKS}
    if clean["port"] is None:
        clean["port"] = default_port(clean["protocol"], clean["security"])
    _check_owner(organization, clean)
    _check_start(organization, clean)
    if clean["protocol"] == Protocol.POP3 and clean["after"] == CollectionAccount.After.READ:
        raise AccountError(
            "POP3 cannot mark messages as read: leave them as they are, delete them, or use IMAP."
        )
    return clean


def checked_folders(protocol: str, inbox: list[str], sent: list[str]) -> dict[str, str]:
    """Folder name → role, in the order given. Raises AccountError."""
    roles: dict[str, str] = {}
    for role, names in (("inbox", inbox), ("sent", sent)):
        for name in names:
            name = _folder_name(name)
            if roles.setdefault(name, role) != role:
                raise AccountError(f"The folder {name} is either incoming or sent, not both.")
    if not inbox:
        raise AccountError("An account needs at least one folder to collect.")
    if protocol == Protocol.POP3 and set(roles) != {"INBOX"}:
        raise AccountError("POP3 has no folders but INBOX: use IMAP to collect other folders.")
    return roles


def checked_secret(secret: str) -> str:
    """The password as it is. Raises AccountError, and never shows it."""
    if not secret:
        raise AccountError("The password is empty.")
    if not _printable(secret):
        raise AccountError("The password holds a line break or another control character.")
    return secret


def _check_owner(organization: Organization, clean: dict[str, Any]) -> None:
    for field, word in (("store", "store"), ("group", "agent group")):
        chosen = clean[field]
        if chosen is not None and chosen.organization_id != organization.pk:
            raise AccountError(f"{organization} has no {word} {chosen}.")


def _check_start(organization: Organization, clean: dict[str, Any]) -> None:
    day: date | None = clean["start_date"]
    if clean["start"] != CollectionAccount.Start.DATE:
        clean["start_date"] = None
    elif day is None:
        raise AccountError("To start from a date, the date is needed.")
    elif day > _today(organization):
        raise AccountError(f"The start date {day} is in the future: use now instead.")


def _today(organization: Organization) -> date:
    return timezone.localdate(timezone=ZoneInfo(organization.time_zone))


def _text(word: str, most: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = str(value).strip()
        if not text:
            raise AccountError(f"The account needs a {word}.")
        return _short(word, text, most)

    return check


def _short(word: str, text: str, most: int) -> str:
    if len(text) > most:
        raise AccountError(f"The {word} is longer than {most} characters.")
    if not _printable(text):
        raise AccountError(f"The {word} holds a line break or another control character.")
    return text


def _printable(text: str) -> bool:
    return not any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in text)


def _host(value: Any) -> str:
    host = str(value).strip().rstrip(".").lower()
    if not host:
        raise AccountError("The account needs the mail server's name.")
    if "://" in host:
        raise AccountError(f"The server is only its name, without {host.partition('://')[0]}://.")
    if _is_ip(host):
        return host
    if ":" in host:
        raise AccountError(f"The server {host!r} is not a name: give the port on its own.")
    if not _HOST.fullmatch(_ascii(host)) or len(_ascii(host)) > 253:
        raise AccountError(f"{host!r} is not the name of a server, such as imap.example.com.")
    return host


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _port(value: Any) -> int | None:
    return None if value is None else _whole("port", value, 1, 65_535)


def _whole(word: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise AccountError(f"The {word} is a whole number from {least} to {most}, not {value!r}.")
    return value


def _size(value: Any) -> int:
    return _whole("limit of a message in octets", value, 10_000, 1_000_000_000)


def _poll(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 86_400:
        raise AccountError("Between two collections there are from 1 to 86400 seconds.")
    return float(value)


def _choice(word: str, choices: list[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise AccountError(f"The {word} is {' or '.join(choices)}, not {value!r}.")
        return str(value)

    return check


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise AccountError(f"Yes or no is expected, not {value!r}.")
    return value


def _address(value: Any) -> str:
    written = str(value).strip()
    if written and not fold(written):
        raise AccountError(f"{written!r} is not an e-mail address.")
    return _short("address", written, 400)


def _pin(value: Any) -> str:
    written = str(value).strip().lower().replace(":", "")
    if written and not _SHA256.fullmatch(written):
        raise AccountError("A certificate is pinned by its SHA-256: 64 hexadecimal digits.")
    return written


def _authserv_id(value: Any) -> str:
    written = _short("server of Authentication-Results", str(value).strip(), 255)
    if any(c.isspace() or c == ";" for c in written):  # RFC 8601, 2.5: one token
        raise AccountError("The trusted server of Authentication-Results is one word.")
    return written


def _form_senders(value: Any) -> list[str]:
    wrong = [one for one in value if not fold(str(one).strip())]
    if wrong:
        raise AccountError(f"{wrong[0]!r} is not an e-mail address.")
    return sorted({fold(str(one).strip()) for one in value})


def _date(value: Any) -> date | None:
    if isinstance(value, datetime) or not isinstance(value, date | None):
        raise AccountError("The start date is a date, such as 2026-01-31.")
    if value is not None and value < date(1970, 1, 1) + timedelta(days=1):
        raise AccountError("The start date lies before 1970: use all instead.")
    return value


def _folder_name(value: str) -> str:
    name = value.strip()
    if not name:
        raise AccountError("The name of a folder is empty.")
    # RFC 9051, 5.1: INBOX alone is the same in small letters.
    return "INBOX" if name.upper() == "INBOX" else _short("name of a folder", name, 500)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: _text("name", 200)(composed(str(value))),
    "host": _host,
    "username": _text("login", 400),
    "protocol": _choice("protocol", list(Protocol.values)),
    "security": _choice("encryption", list(Security.values)),
    "after": _choice("treatment after download", list(CollectionAccount.After.values)),
    "start": _choice("start", list(CollectionAccount.Start.values)),
    "history": _choice("notifying of history", list(CollectionAccount.History.values)),
    "port": _port,
    "address": _address,
    "pinned_sha256": _pin,
    "max_message_bytes": _size,
    "poll_seconds": _poll,
    "trusted_authserv_id": _authserv_id,
    "reply_to_senders": _form_senders,
    "start_date": _date,
} | dict.fromkeys(
    (
        "active",
        "create_customer",
        "notify_agent",
        "lists_as_persons",
        "hand_out_existing",
        "fetch_skipped_at_once",
        "fold_dots",
        "fold_plus",
    ),
    _yes_or_no,
)
