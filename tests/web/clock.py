"""A clock that tests move."""

from datetime import timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands still, until it is moved."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = timezone.now()
        patch.setattr(timezone, "now", lambda: self.now)

    def moves(self, **span: float) -> None:
        """minutes=15, days=2, …"""
        self.now += timedelta(**span)
