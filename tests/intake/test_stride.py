"""How large the next batch may be, by what the last ones took; the clock is ours."""

import pytest

from buzon.intake.batches import MOST_BODIES, MOST_OCTETS, within
from buzon.intake.stride import FEWEST, LEAST_OCTETS, LONGEST, Stride

KB = 1_000


def sizes(stride: Stride, letters: int, octets: int) -> list[int]:
    """Of the batches of so many letters; nothing is learnt in between."""
    return [len(batch) for batch in within(stride, range(letters), lambda _: octets)]


def test_quick_batches_grow_until_they_are_full() -> None:
    stride, seen = Stride(MOST_BODIES), list[int]()
    for batch in within(stride, range(1_000), lambda _: 60 * KB):
        seen.append(len(batch))
        stride.took(0.01, messages=len(batch), octets=60 * KB * len(batch))
    assert seen[0] == 17  # a megabyte
    assert max(seen) == MOST_BODIES
    assert (stride.most, stride.octets) == (MOST_BODIES, MOST_OCTETS)


@pytest.mark.parametrize("rate", [20 * KB, 100 * KB, 1_000 * KB])
@pytest.mark.parametrize("size", [2 * KB, 60 * KB])
@pytest.mark.parametrize("overhead", [0.0, 0.2])
def test_on_any_line_a_batch_soon_takes_two_seconds_at_most(
    rate: int, size: int, overhead: float
) -> None:
    stride, took = Stride(MOST_BODIES), list[float]()
    for batch in within(stride, range(3_000), lambda _: size):
        seconds = overhead + len(batch) * size / rate
        stride.took(seconds, messages=len(batch), octets=len(batch) * size)
        took.append(seconds)
    one_letter = overhead + size / rate
    assert max(took[5:]) <= 2 * LONGEST + one_letter
    within_bounds = [seconds for seconds in took if seconds <= LONGEST + one_letter]
    assert len(within_bounds) >= 0.5 * len(took)


def test_a_server_slow_for_each_letter_is_asked_for_fewer() -> None:
    stride = Stride(MOST_BODIES)
    stride.took(5.0, messages=50, octets=100 * KB)
    assert stride.most == 20
    assert sizes(stride, 100, 2 * KB) == [20] * 5


def test_where_sizes_are_understated_fewer_letters_are_asked_for() -> None:
    stride = Stride(MOST_BODIES)
    stride.took(0.1, messages=50, octets=16_000 * KB)
    assert sizes(stride, 30, 2 * KB) == [FEWEST] * 3
    for _ in range(20):
        stride.took(0.1, messages=10, octets=3_200 * KB)
        assert stride.most * 320 * KB <= MOST_OCTETS + 320 * KB * FEWEST


def test_however_slow_there_is_a_least() -> None:
    stride = Stride(MOST_BODIES)
    stride.took(3_600.0, messages=1, octets=10)
    assert (stride.most, stride.octets) == (FEWEST, LEAST_OCTETS)


def test_few_quick_letters_say_nothing_about_many() -> None:
    stride = Stride(MOST_BODIES)
    before = (stride.most, stride.octets)
    for _ in range(10):
        stride.took(0.001, messages=1, octets=100)
    assert (stride.most, stride.octets) == before


def test_a_batch_that_fails_is_no_lesson() -> None:
    stride = Stride(MOST_BODIES)
    with pytest.raises(ZeroDivisionError), stride.measured(messages=50, octets=MOST_OCTETS):
        raise ZeroDivisionError
    assert (stride.most, stride.octets) == (50, MOST_OCTETS // 16)
