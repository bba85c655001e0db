"""What may stand in a collection account: every field's check, one sentence for each wrong value.

The form, the API and the command line all come here, so a value that is stored has passed.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext_lazy

from buzon.desk.addresses import fold
from buzon.desk.entries import composed, no_address
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
    """A collection account cannot be made, changed or removed like this.

    `sentence` says why, in the language that was active; `field` is the model's field that is
    wrong, "secret", "folders" or "sent_folders", or "" where it is none of them. `all` holds
    (field, sentence) of everything that is wrong, the error's own first.
    """

    def __init__(
        self, sentence: str, *, field: str = "", more: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.sentence = sentence
        self.field = field
        self.all: list[tuple[str, str]] = [(field, sentence), *more]
        super().__init__(sentence)


class Findings:
    """Collects what is wrong, so that a person sees all of it at once.

    with findings:
        …one check…       its AccountError is noted, and the next check goes on
    findings.refuse()     raises the first, with all
    """

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []

    def __enter__(self) -> "Findings":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> bool:
        if isinstance(error, AccountError):
            self.all += error.all
            return True
        return False

    def refuse(self) -> None:
        """Raises AccountError where anything was found."""
        if self.all:
            (field, sentence), *more = self.all
            raise AccountError(sentence, field=field, more=more)


def default_port(protocol: str, security: str) -> int:
    """The port where a server of this protocol and encryption is found."""
    return _PORTS[Protocol(protocol), Security(security)]


def checked(organization: Organization, values: Mapping[str, Any]) -> dict[str, Any]:
    """All of an account's fields, tidied. Raises AccountError, with all that is wrong.

    `values` holds every field of the form by the model's names, `port` None for the protocol's.
    """
    findings = Findings()
    clean = {name: value for name, value in values.items() if name not in _CHECKS}
    for name, value in values.items():
        if name in _CHECKS:
            with findings:
                clean[name] = _CHECKS[name](name, value)
    for check in (_check_owner, _check_start, _check_after):
        with findings:
            check(organization, clean)
    findings.refuse()
    if clean["port"] is None:
        clean["port"] = default_port(clean["protocol"], clean["security"])
    return clean


def checked_folders(protocol: str, inbox: list[str], sent: list[str]) -> dict[str, str]:
    """Folder name → role, in the order given. Raises AccountError."""
    roles: dict[str, str] = {}
    for role, field, names in (("inbox", "folders", inbox), ("sent", "sent_folders", sent)):
        for name in names:
            name = _folder_name(field, name)
            if roles.setdefault(name, role) != role:
                told = _("The folder {name} is either incoming or sent, not both.")
                raise AccountError(told.format(name=name), field="sent_folders")
    if not inbox:
        told = _("Name at least one folder to collect.")
        raise AccountError(told, field="folders")
    if protocol == Protocol.POP3 and set(roles) != {"INBOX"}:
        told = _("POP3 has no folders but INBOX: use IMAP to collect other folders.")
        raise AccountError(told, field="sent_folders" if sent else "folders")
    return roles


def checked_secret(secret: str) -> str:
    """The password as it is. Raises AccountError, and never shows it."""
    if not secret:
        raise AccountError(_("The password is empty."), field="secret")
    if not _printable(secret):
        told = _("The password holds a line break or another control character.")
        raise AccountError(told, field="secret")
    return secret


# What belongs together is compared only where each of the values makes sense by itself.


def _check_owner(organization: Organization, clean: dict[str, Any]) -> None:
    refusals = {
        "store": _("{organization} has no store {name}."),
        "group": _("{organization} has no agent group {name}."),
    }
    for field, told in refusals.items():
        chosen = clean.get(field)
        if chosen is not None and chosen.organization_id != organization.pk:
            raise AccountError(told.format(organization=organization, name=chosen), field=field)


def _check_start(organization: Organization, clean: dict[str, Any]) -> None:
    if not {"start", "start_date"} <= clean.keys():
        return
    day: date | None = clean["start_date"]
    if clean["start"] != CollectionAccount.Start.DATE:
        clean["start_date"] = None
    elif day is None:
        told = _("To start from a date, the date is needed.")
        raise AccountError(told, field="start_date")
    elif day > _today(organization):
        told = _("The start date {day} is in the future: use now instead.").format(day=day)
        raise AccountError(told, field="start_date")


def _check_after(_organization: Organization, clean: dict[str, Any]) -> None:
    reading = clean.get("after") == CollectionAccount.After.READ
    if reading and clean.get("protocol") == Protocol.POP3:
        told = _(
            "POP3 cannot mark messages as read: leave them as they are, delete them, or use IMAP."
        )
        raise AccountError(told, field="after")


def _today(organization: Organization) -> date:
    return timezone.localdate(timezone=ZoneInfo(organization.time_zone))


def _text(empty: str, most: int) -> Callable[[str, Any], str]:
    """A check of a text that may not be empty; `empty` is what is said where it is."""

    def check(field: str, value: Any) -> str:
        text = str(value).strip()
        if not text:
            raise AccountError(_(empty), field=field)
        return _short(field, text, most)

    return check


def _name(field: str, value: Any) -> str:
    return _text(gettext_noop("A name is needed."), 200)(field, composed(str(value)))


def _short(field: str, text: str, most: int) -> str:
    if len(text) > most:
        told = _("The {field} is longer than {most} characters.")
        raise AccountError(told.format(field=_WORDS[field], most=most), field=field)
    if not _printable(text):
        told = _("The {field} holds a line break or another control character.")
        raise AccountError(told.format(field=_WORDS[field]), field=field)
    return text


def _printable(text: str) -> bool:
    return not any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in text)


def _host(field: str, value: Any) -> str:
    host = str(value).strip().rstrip(".").lower()
    if not _is_ip(host):
        told = _no_host(host)
        if told:
            raise AccountError(told, field=field)
    return host


def _no_host(host: str) -> str:
    """What is wrong with the name of a server; "" if nothing is."""
    if not host:
        return _("The mail server's name is needed.")
    if "://" in host:
        told = _("The server is only its name, without {scheme}://.")
        return told.format(scheme=host.partition("://")[0])
    if ":" in host:
        told = _("The server {host!r} is not a name: give the port on its own.")
        return told.format(host=host)
    if not _HOST.fullmatch(_ascii(host)) or len(_ascii(host)) > 253:
        told = _("{host!r} is not the name of a server, such as imap.example.com.")
        return told.format(host=host)
    return ""


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


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def check(field: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            told = _("The {field} is a whole number from {least} to {most}, not {value!r}.")
            told = told.format(field=_WORDS[field], least=least, most=most, value=value)
            raise AccountError(told, field=field)
        return value

    return check


def _port(field: str, value: Any) -> int | None:
    return None if value is None else _whole(1, 65_535)(field, value)


def _days(field: str, value: Any) -> int:
    if value is None:  # an emptied field is no wish to delete at once
        told = _("Say for how many days a downloaded message stays there; 0 is for none.")
        raise AccountError(told, field=field)
    return _whole(0, 365)(field, value)


def _poll(field: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 86_400:
        told = _("Between two collections there are from 1 to 86400 seconds.")
        raise AccountError(told, field=field)
    return float(value)


def _choice(choices: list[str]) -> Callable[[str, Any], str]:
    def check(field: str, value: Any) -> str:
        if value not in choices:
            told = _("The {field} is {choices}, not {value!r}.")
            known = f" {_('or')} ".join(choices)
            told = told.format(field=_WORDS[field], choices=known, value=value)
            raise AccountError(told, field=field)
        return str(value)

    return check


def _yes_or_no(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        told = _("Yes or no is expected, not {value!r}.").format(value=value)
        raise AccountError(told, field=field)
    return value


def _address(field: str, value: Any) -> str:
    written = str(value).strip()
    if written and not fold(written):
        raise AccountError(no_address(written), field=field)
    return _short(field, written, 400)


def _pin(field: str, value: Any) -> str:
    written = str(value).strip().lower().replace(":", "")
    if written and not _SHA256.fullmatch(written):
        told = _("A certificate is pinned by its SHA-256: 64 hexadecimal digits.")
        raise AccountError(told, field=field)
    return written


def _authserv_id(field: str, value: Any) -> str:
    written = _short(field, str(value).strip(), 255)
    if any(c.isspace() or c == ";" for c in written):  # RFC 8601, 2.5: one token
        told = _("The trusted server of Authentication-Results is one word.")
        raise AccountError(told, field=field)
    return written


def _form_senders(field: str, value: Any) -> list[str]:
    wrong = [one for one in value if not fold(str(one).strip())]
    if wrong:
        raise AccountError(no_address(str(wrong[0])), field=field)
    return sorted({fold(str(one).strip()) for one in value})


def _date(field: str, value: Any) -> date | None:
    if isinstance(value, datetime) or not isinstance(value, date | None):
        raise AccountError(_("The start date is a date, such as 2026-01-31."), field=field)
    if value is not None and value < date(1970, 1, 1) + timedelta(days=1):
        told = _("The start date lies before 1970: use all instead.")
        raise AccountError(told, field=field)
    return value


def _folder_name(field: str, value: str) -> str:
    name = value.strip()
    if not name:
        raise AccountError(_("The name of a folder is empty."), field=field)
    # RFC 9051, 5.1: INBOX alone is the same in small letters.
    return "INBOX" if name.upper() == "INBOX" else _short(field, name, 500)


# The fields as sentences name them, in the active language.
_WORDS = {
    "name": pgettext_lazy("field", "name"),
    "username": pgettext_lazy("field", "login"),
    "protocol": pgettext_lazy("field", "protocol"),
    "security": pgettext_lazy("field", "encryption"),
    "after": pgettext_lazy("field", "treatment after download"),
    "start": pgettext_lazy("field", "start"),
    "history": pgettext_lazy("field", "notifying of history"),
    "port": pgettext_lazy("field", "port"),
    "address": pgettext_lazy("field", "address"),
    "max_message_bytes": pgettext_lazy("field", "limit of a message in octets"),
    "trusted_authserv_id": pgettext_lazy("field", "server of Authentication-Results"),
    "delete_after_days": pgettext_lazy("field", "number of days before a message is deleted"),
    "folders": pgettext_lazy("field", "name of a folder"),
    "sent_folders": pgettext_lazy("field", "name of a folder"),
}

_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "host": _host,
    "username": _text(gettext_noop("A login is needed."), 400),
    "protocol": _choice(list(Protocol.values)),
    "security": _choice(list(Security.values)),
    "after": _choice(list(CollectionAccount.After.values)),
    "start": _choice(list(CollectionAccount.Start.values)),
    "history": _choice(list(CollectionAccount.History.values)),
    "port": _port,
    "address": _address,
    "pinned_sha256": _pin,
    "max_message_bytes": _whole(10_000, 1_000_000_000),
    "poll_seconds": _poll,
    "delete_after_days": _days,
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
        "history_to_whole_group",
        "fetch_skipped_at_once",
        "fold_dots",
        "fold_plus",
    ),
    _yes_or_no,
)
