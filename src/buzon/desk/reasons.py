"""Reasons are data: {"code": …, and what the sentence needs}. Here they become words.

Every automatic decision stores such a reason. Each code is listed in `docs/path.md`.
"""

from collections.abc import Mapping
from typing import Any

REASONS: dict[str, str] = {}


def reason(code: str, **details: Any) -> dict[str, Any]:
    """Make a reason; the code must be one of those with a sentence."""
    if code not in REASONS:
        raise KeyError(f"no sentence for the reason {code!r}")
    return {"code": code, **details}


def sentence(why: Mapping[str, Any]) -> str:
    """The reason in words, without a full stop; "" for an empty reason."""
    if not why:
        return ""
    return REASONS[why["code"]].format_map(why)
