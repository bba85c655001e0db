"""Which lines of collected replies are new: the numbers fit the files."""

import json
from itertools import pairwise

from tests.wire.reading.corpus import GOLDEN, OTHERS, collected, needs_others

REPLIES: dict[str, list[list[int]] | None] = json.loads((GOLDEN / "replies.json").read_text())


def test_ranges_are_in_order_and_do_not_overlap() -> None:
    assert len(REPLIES) > 150
    for name, ranges in REPLIES.items():
        assert all(first <= last for first, last in ranges or []), name
        assert all(one[1] < other[0] for one, other in pairwise(ranges or [])), name


@needs_others
def test_every_file_is_named_and_as_long_as_its_numbers_say() -> None:
    files = {str(path.relative_to(OTHERS / "replies")): path for path in collected("replies")}
    assert files.keys() == REPLIES.keys()
    for name, ranges in REPLIES.items():
        lines = files[name].read_bytes().split(b"\n")
        assert not ranges or 1 <= ranges[0][0] <= ranges[-1][1] <= len(lines), name
        assert all(b"".join(lines[first - 1 : last]).strip() for first, last in ranges or []), name
