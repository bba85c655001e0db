"""Fields that take whatever was typed: the verb that gets it refuses what makes no sense, together
with everything else.
"""

import re
from datetime import date
from typing import Any

from django import forms
from django.conf import settings

from buzon.web.forms import LinesField

MEGABYTE = 1_048_576


class Typed(forms.Field):
    """What was typed, as it is; `required` is said to the reader and checked by the verb."""

    def to_python(self, value: Any) -> Any:
        return "" if value is None else str(value)

    def validate(self, value: Any) -> None:
        """Nothing here: the verb checks it together with everything else."""


class Whole(Typed):
    """A whole number, or the text that is none; None where nothing was typed."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


class Decimals(Typed):
    """A number with or without decimals (1.5 and 1,5), or the text that is none, or None."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value:g}" if isinstance(value, int | float) else value

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        plain = text.replace(",", ".")
        return float(plain) if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", plain) else text


class Megabytes(Decimals):
    """A size in MB, kept in octets; empty is the installation's limit."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value / MEGABYTE:g}" if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        if typed is None:
            return settings.BUZON_MAX_MESSAGE_BYTES
        return round(typed * MEGABYTE) if isinstance(typed, float) else typed


class Day(Typed):
    """A date as browsers send it, or the text that is none, or None."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            return text


class Lines(LinesField):
    """A few values; as with `Typed`, the verb says where one is needed."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def validate(self, value: Any) -> None:
        """Nothing here."""


class YesOrNo(Typed):
    """Two choices whose difference matters: both are explained."""

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value)

    def to_python(self, value: Any) -> Any:
        return {"yes": True, "no": False}.get(str(value), value)
