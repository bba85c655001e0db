"""The time zones that a form offers: by region, each with the name of its city."""

from zoneinfo import available_timezones

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# The regions in which people live; the rest of the list are old names of the same zones.
_REGIONS = {
    "Africa": gettext_noop("Africa"),
    "America": gettext_noop("America"),
    "Antarctica": gettext_noop("Antarctica"),
    "Arctic": gettext_noop("Arctic"),
    "Asia": gettext_noop("Asia"),
    "Atlantic": gettext_noop("Atlantic Ocean"),
    "Australia": gettext_noop("Australia"),
    "Europe": gettext_noop("Europe"),
    "Indian": gettext_noop("Indian Ocean"),
    "Pacific": gettext_noop("Pacific Ocean"),
}
Choices = list[tuple[str, list[tuple[str, str]]]]


def time_zones(also: str = "") -> Choices:
    """[(region in the active language, [(zone, city)])], for the choices of a select.

    `also`: a zone that is in use and must not be missing, whatever its name.
    """
    of: dict[str, list[tuple[str, str]]] = {region: [] for region in _REGIONS}
    others = {"UTC"}
    known = available_timezones()
    for zone in sorted(known):
        region, _slash, city = zone.partition("/")
        if region in of:
            of[region].append((zone, _city(city)))
        elif zone == also:
            others.add(zone)
    named = [(_(_REGIONS[region]), zones) for region, zones in of.items()]
    return [*sorted(named), (_("Other"), [(zone, zone) for zone in sorted(others)])]


def _city(path: str) -> str:
    """Argentina/Buenos_Aires → Argentina: Buenos Aires."""
    return path.replace("/", ": ").replace("_", " ")
