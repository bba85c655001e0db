"""How long a first download still takes, from looks at it; the clock is ours."""

import pytest

from buzon.intake import pace
from buzon.intake.pace import Pace


def test_the_first_look_promises_nothing() -> None:
    assert Pace().left(1, done=10, total=100, now=0) is None


def test_the_rest_at_the_pace_so_far() -> None:
    looks = Pace()
    looks.left(1, done=0, total=100, now=0)
    assert looks.left(1, done=20, total=100, now=5) == pytest.approx(20)
    assert looks.left(1, done=100, total=100, now=10) == 0


def test_two_looks_at_once_tell_nothing() -> None:
    looks = Pace()
    looks.left(1, done=0, total=100, now=0)
    assert looks.left(1, done=20, total=100, now=0.5) is None


def test_what_stands_still_promises_nothing() -> None:
    looks = Pace()
    looks.left(1, done=20, total=100, now=0)
    assert looks.left(1, done=20, total=100, now=30) is None


def test_a_pause_is_forgotten_after_a_minute() -> None:
    looks = Pace()
    looks.left(1, done=0, total=1_000, now=0)
    assert looks.left(1, done=10, total=1_000, now=3_600) is None
    assert looks.left(1, done=110, total=1_000, now=3_610) == pytest.approx(89)


def test_a_download_that_begins_again_is_a_new_one() -> None:
    looks = Pace()
    looks.left(1, done=500, total=1_000, now=0)
    assert looks.left(1, done=0, total=1_000, now=10) is None
    assert looks.left(1, done=10, total=1_000, now=20) == pytest.approx(990)


def test_downloads_are_told_apart_and_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_MOST_KEYS", 2)
    looks = Pace()
    looks.left(1, done=0, total=100, now=0)
    assert looks.left(2, done=50, total=100, now=5) is None
    looks.left(3, done=0, total=100, now=6)
    assert len(looks._looks) == 1
