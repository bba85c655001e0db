"""How a collection account is doing, in words: what it is, why, and what to do about it."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from buzon.desk.reasons import sentence
from buzon.intake.first_download import Reach
from buzon.intake.models import CollectionAccount
from buzon.intake.overview import Overview
from buzon.web.shown import number, size

State = CollectionAccount.State

# By the kind of error that put the account into its state (wire/errors.py).
_REMEDIES = {
    "AuthRejected": gettext_noop(
        "Check the user name and the password; many providers want an app password, or IMAP "
        "and POP3 to be switched on first."
    ),
    "TlsRefused": gettext_noop(
        "Check the connection: it shows the certificate, which you can trust if the server's "
        "owner confirms it."
    ),
    "FolderMissing": gettext_noop("Choose other folders, or make the folder on the server."),
    "NotPermitted": gettext_noop("Check the connection: it shows where it fails and what to do."),
    "ConnectFailed": gettext_noop(
        "Buzón tries again by itself. If it lasts, check the server's name and the port."
    ),
    "TimedOut": gettext_noop(
        "Buzón tries again by itself. If it lasts, check the server's name and the port."
    ),
    "ServerBusy": gettext_noop("Buzón tries again by itself; there is nothing for you to do."),
    "NoRoom": gettext_noop(
        "Make room on the disk of Buzón's data folder, or of its database; then it goes on by "
        "itself. Nothing is lost: the mail stays on the server meanwhile."
    ),
    "Behind": gettext_noop(
        "It is collected as soon as a worker is free. If it lasts, raise BUZON_WORKERS."
    ),
    "Slow": gettext_noop(
        "If it lasts, check the connection, or ask whoever runs that mail server."
    ),
    "Malformed": gettext_noop(
        "Buzón tries again by itself. If it lasts, check the server's name and the port: perhaps "
        "another service answers there."
    ),
    "DayLimit": gettext_noop(
        "There is nothing for you to do. Whoever runs Buzón sets the limit (BUZON_HOST_LIMITS)."
    ),
    "DayUsed": gettext_noop(
        "New mail waits on the server until then. Whoever runs Buzón sets the limit "
        "(BUZON_HOST_LIMITS)."
    ),
    "Throttled": gettext_noop(
        "Buzón waits longer and goes on by itself; there is nothing for you to do."
    ),
}
_TONES = {
    State.WORKING: ("good", "check"),
    State.BEHIND: ("warn", "clock"),
    State.THROTTLED: ("warn", "clock"),
    State.UNREACHABLE: ("warn", "warning"),
    State.FULL: ("bad", "warning"),
    State.REJECTED: ("bad", "warning"),
    State.STOPPED: ("bad", "warning"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`label` with a `tone` and an `icon` of `ui.html`; `why` and `remedy` are sentences, or ""."""

    label: str
    tone: str
    icon: str
    why: str = ""
    remedy: str = ""


def condition_of(overview: Overview) -> Condition:
    """The account's state for a person; being paused hides what the server said before."""
    account = overview.account
    if not account.active:
        return Condition(_("Paused"), "quiet", "clock")
    if account.state == State.WORKING:
        return _working(overview)
    tone, icon = _TONES[State(account.state)]
    return Condition(
        account.get_state_display(),
        tone,
        icon,
        why=_with_stop(sentence(account.state_reason)),
        remedy=_remedy(account),
    )


def pace_of(reach: Reach) -> str:
    """What is here of how much, how fast it goes, how long it takes; as far as that is known."""
    told = []
    if reach.octets:
        said = _("{size} of {all} downloaded")
        told.append(said.format(size=size(reach.octets), all=size(reach.octets_total)))
    if reach.rate:
        told.append(_rate(reach.rate))
    if reach.left is not None:
        told.append(_("{time} left").format(time=time_left(reach.left)))
    return " · ".join(told)


def _rate(of_a_second: float) -> str:
    if of_a_second >= 1:
        many = round(of_a_second)
        return ngettext("{n} letter a second", "{n} letters a second", many).format(n=number(many))
    many = max(round(of_a_second * 60), 1)
    return ngettext("{n} letter a minute", "{n} letters a minute", many).format(n=number(many))


def time_left(left: timedelta) -> str:
    """Roughly how long: about 40 seconds, about 5 minutes, about 2 hours."""
    seconds = max(round(left.total_seconds()), 1)
    if seconds < 90:
        return ngettext("about %(num)s second", "about %(num)s seconds", seconds) % {"num": seconds}
    minutes = round(seconds / 60)
    if minutes < 90:
        return ngettext("about %(num)s minute", "about %(num)s minutes", minutes) % {"num": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(num)s hour", "about %(num)s hours", hours) % {"num": hours}


def _working(overview: Overview) -> Condition:
    if overview.first_download is not None and overview.first_download.paused:
        return Condition(_("First download paused"), "quiet", "clock")
    if overview.first_download is not None:
        return Condition(_("First download"), "info", "download")
    if overview.account.last_collected_at is None:
        return Condition(_("First look is due"), "info", "clock")
    return Condition(overview.account.get_state_display(), *_TONES[State.WORKING])


def _remedy(account: CollectionAccount) -> str:
    if account.state == State.STOPPED:
        return _("Open it and decide whether to go on.")
    told = _REMEDIES.get(account.state_reason.get("kind", ""), "")
    return _(told) if told else ""


def _with_stop(told: str) -> str:
    """Reasons come without a full stop, sentences of errors with one."""
    return told if not told or told.endswith((".", "!", "?")) else told + "."
