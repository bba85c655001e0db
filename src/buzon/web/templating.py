"""The templates' environment: Jinja2, strict about what it does not know, in the person's language.

A page extends `layout.html` and is made of the components in `ui.html`. Filters give dates,
numbers and reasons in the person's way.
"""

from typing import Any

from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment, StrictUndefined

from buzon.desk.reasons import sentence
from buzon.web import shown
from buzon.web.static_files import static_url


def environment(**options: Any) -> Environment:
    """Called by Django with its own options (loader, autoescape)."""
    options |= {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    # S701: Django's options turn autoescape on.
    made = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], **options)  # noqa: S701
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(  # type: ignore[attr-defined]  # by the i18n extension
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    made.globals |= {
        "url": _url,
        "static": static_url,
        "ui": Components(made),
        "told": get_messages,
        "language": translation.get_language,
        "query": shown.query,
    }
    made.filters |= {
        "number": shown.number,
        "size": shown.size,
        "moment": shown.moment,
        "day": shown.day,
        "clock": shown.clock,
        "ago": shown.ago,
        "why": sentence,
        "breakable": shown.breakable,
        "initials": shown.initials,
        "stamp": shown.stamp,
    }
    return made


class Components:
    """The macros of `ui.html`, known to every template without an import."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment.get_template("ui.html").module, name)


def _url(name: str, *args: object, **kwargs: object) -> str:
    return reverse(name, args=args or None, kwargs=kwargs or None)
