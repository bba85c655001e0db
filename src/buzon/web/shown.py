"""Values as people read them: dates, numbers and sizes in the active language and time zone."""

import re
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

ABSENT = "\u2013"  # an en dash: nothing to show
LONG_LOCAL_PART = 20  # characters; a shorter one is not cut at its dots, so that it is read at once


def number(value: float) -> str:
    """1234567 → 1,234,567 or 1.234.567."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def size(octets: int) -> str:
    """In kB and MB of 1,000: 1,234,567 octets → 1.2 MB."""
    if octets < 1_000:
        return ngettext("{n} byte", "{n} bytes", octets).format(n=number(octets))
    for unit, of in (("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)):
        if octets < of * 999.5 or unit == "GB":
            few = octets < of * 10 and unit != "kB"
            places = 1 if few else 0
            # Rounded here: number_format cuts off what it does not show.
            return f"{formats.number_format(round(octets / of, places), places)} {unit}"
    raise AssertionError


def breakable(words: str) -> SafeString:
    """An address that may go on in the next line; copied, it is whole. Likewise a domain alone,
    and the addresses in a sentence.
    """
    split = escape(words).split(" ")
    shown = [_breakable(w) if "@" in w or len(split) == 1 else w for w in split]
    # S308: escaped above, and nothing but <wbr> is added.
    return mark_safe(" ".join(shown))  # noqa: S308


def _breakable(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if len(local) > LONG_LOCAL_PART:
        local = _after_dots(local)
    return local + (at and "@<wbr>") + _after_dots(domain)


def _after_dots(words: str) -> str:
    return re.sub(r"\.(?=.)", ".<wbr>", words)


def moment(at: datetime | None, absent: str = ABSENT) -> SafeString:
    """When, as short as can be told, with the whole of it on hovering: 14:05, 3 Nov, 3 Nov 2025."""
    if at is None:
        return format_html("{}", absent)
    local, now = timezone.localtime(at), timezone.localtime()
    if local.date() == now.date():
        short = clock(at)
    elif abs(now - local) < timedelta(days=300):
        short = formats.date_format(local, pgettext("day and month", "j M"))
    else:
        short = formats.date_format(local, pgettext("day, month and year", "j M Y"))
    return _time(at, short)


def stamp(at: datetime | None, absent: str = ABSENT) -> SafeString:
    """Day and time: 3 Nov 2026, 14:05."""
    if at is None:
        return format_html("{}", absent)
    local = timezone.localtime(at)
    written = formats.date_format(local, pgettext("day, month, year and time", "j M Y, H:i"))
    return _time(at, written)


def day(at: date | None, absent: str = ABSENT) -> str:
    """3 November 2026, 3 de noviembre de 2026."""
    if at is None:
        return absent
    local = timezone.localtime(at).date() if isinstance(at, datetime) else at
    return formats.date_format(local, pgettext("whole date", "j F Y"))


def clock(at: datetime) -> str:
    """14:05."""
    return formats.date_format(timezone.localtime(at), "H:i")


def ago(at: datetime | None, absent: str = ABSENT) -> SafeString:
    """How long ago, or in how long: 5 min ago, in 20 s; from a day on, the moment."""
    if at is None:
        return format_html("{}", absent)
    seconds = round((timezone.now() - at).total_seconds())
    if abs(seconds) >= 86_400:
        return moment(at)
    span = _span(abs(seconds))
    if abs(seconds) < 5:
        return _time(at, _("just now") if seconds >= 0 else _("at once"))
    told = _("{span} ago") if seconds > 0 else _("in {span}")
    return _time(at, told.format(span=span))


def initials(name: str) -> str:
    """Of the first and the last word: Ana Ruiz → AR."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    picked = words[:1] + words[1:][-1:]
    return "".join(word[0] for word in picked).upper() or "?"


def query(request: HttpRequest, **changes: object) -> str:
    """The page's own address with some of its filters changed; None takes one away."""
    kept = {name: value for name, value in request.GET.items() if name not in changes}
    kept |= {name: str(value) for name, value in changes.items() if value is not None}
    return "?" + urlencode(kept)


def _span(seconds: int) -> str:
    if seconds < 60:
        return _("{n} s").format(n=seconds)
    if seconds < 3_600:
        return _("{n} min").format(n=seconds // 60)
    return _("{n} h").format(n=seconds // 3_600)


def _time(at: datetime, written: str) -> SafeString:
    whole = formats.date_format(
        timezone.localtime(at), pgettext("whole date and time", "j F Y, H:i")
    )
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(timespec="seconds"), whole, written
    )
