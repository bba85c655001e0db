"""How long a first download still takes, from looks at it: in ratios, the clock is ours."""

import random

import pytest

from buzon.intake.pace import Look, pace_of, together, with_look


def looks_at(costs: list[float], sizes: list[int], *, every: int, upto: int) -> list[Look]:
    """Looks at a download of messages with these costs in seconds, one after every so many."""
    looks: list[list[float]] = []
    octets = sum(sizes)
    at = 0.0
    for number in range(upto + 1):
        if number % every == 0:
            left = len(sizes) - number
            looks = with_look(looks, at=at, messages=left, octets=octets)
        at += costs[number]
        octets -= sizes[number]
    return list(looks)


def test_one_look_tells_nothing() -> None:
    assert pace_of([]) is None
    assert pace_of([[0.0, 100, 1_000]]) is None
    assert pace_of([[0.0, 100, 1_000], [0.5, 80, 800]]) is None


def test_the_rest_at_the_pace_so_far() -> None:
    pace = pace_of([[0.0, 100, 10_000], [5.0, 80, 8_000]])
    assert pace is not None
    assert (pace.messages, pace.octets, pace.left) == (4, 400, pytest.approx(20))


def test_what_stands_still_promises_nothing() -> None:
    pace = pace_of([[0.0, 80, 8_000], [30.0, 80, 8_000]])
    assert pace is not None
    assert (pace.messages, pace.left) == (0, None)


def test_a_download_that_grows_is_never_negative() -> None:
    pace = pace_of([[0.0, 80, 8_000], [30.0, 90, 9_000]])
    assert pace is not None
    assert (pace.messages, pace.octets, pace.left) == (0, 0, None)


def test_only_the_last_minute_counts() -> None:
    looks = with_look([[0.0, 1_000, 0], [50.0, 990, 0]], at=100.0, messages=490, octets=0)
    assert looks == [[50.0, 990, 0], [100.0, 490, 0]]
    pace = pace_of(looks)
    assert pace is not None
    assert pace.messages == 10
    assert pace.left == pytest.approx(49)


def test_of_a_server_that_takes_longer_the_look_before_counts() -> None:
    assert with_look([[0.0, 90, 9], [100.0, 80, 8]], at=400.0, messages=70, octets=7) == [
        [100.0, 80, 8],
        [400.0, 70, 7],
    ]


def test_a_look_at_the_same_second_takes_the_place_of_the_one_before() -> None:
    """A run goes on from the seconds that the one before it had worked."""
    looks = with_look([[7.0, 100, 1_000]], at=7.0, messages=90, octets=900)
    assert looks == [[7.0, 90, 900]]


def test_folders_together() -> None:
    one: list[Look] = [[0.0, 10, 100], [2.0, 5, 50], [4.0, 0, 0]]
    other: list[Look] = [[2.0, 20, 200], [4.0, 20, 200]]
    assert together([one, other]) == [[2.0, 25, 250], [4.0, 20, 200]]
    assert together([]) == []


MEAN = 62_000


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("by_message", "by_octet"), [(1.0, 0.0), (0.0, 1 / MEAN), (0.5, 0.5 / MEAN)]
)
@pytest.mark.parametrize("older_are", [0.3, 1.0, 2.0])
def test_after_a_tenth_it_is_right_within_a_quarter(
    seed: int, by_message: float, by_octet: float, older_are: float
) -> None:
    """Of 20,000 varied messages, whatever the server takes its time for; letters grew with time."""
    rng = random.Random(seed)
    share = [1 + (older_are - 1) * (number > 4_000) for number in range(20_000)]
    sizes = [round(rng.expovariate(1 / MEAN) * part) for part in share]
    costs = [(by_message + by_octet * size) * 0.003 for size in sizes]
    looks = looks_at(costs, sizes, every=200, upto=2_000)
    pace = pace_of(looks)
    assert pace is not None
    assert pace.left is not None
    assert 0.75 < sum(costs[2_000:]) / pace.left < 1.25
