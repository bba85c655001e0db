"""Secrets that one person reads out to another, or types from a screen."""

import secrets

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


def spelled(*, groups: int, of: int) -> str:
    """A secret of so many groups of so many letters and digits: 4.95 bits for each of them."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(of)) for _ in range(groups))
