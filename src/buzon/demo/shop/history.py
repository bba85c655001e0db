"""The letters of the last three months: each gets a time, and is made into a message.

Most of them are recent, the newest of today. Whoever answers writes later than whom they answer.
"""

from datetime import datetime, timedelta
from random import Random

from buzon.demo.shop.book import BookError, Entry, read_all
from buzon.demo.shop.letter import Letter, compose
from buzon.demo.shop.places import ZONES

SPAN = timedelta(days=90)
_NIGHT = range(1, 7)  # hours at which few people write; moved to the same day's morning


def past_letters(*, now: datetime, seed: int) -> list[Letter]:
    """All letters of `past-*.txt`, oldest first. The same seed gives the same ones, but for times.

    `now` is aware. Raises BookError.
    """
    entries = read_all("past-")
    random = Random(seed)  # noqa: S311 (when a letter was written is no secret)
    ages = _ages(len(entries), random)
    made: dict[str, Letter] = {}
    for entry, age in zip(entries, ages, strict=True):
        earlier = _earlier(entry, made)
        if earlier is None:
            own = timedelta(days=entry.days) if entry.days is not None else age
            date = _by_day(now - own, now, entry)
        else:
            date = _after(earlier, now, random)
        made[entry.name] = compose(entry, date=date.replace(microsecond=0), earlier=earlier)
    return sorted(made.values(), key=lambda letter: letter.date)


def _ages(count: int, random: Random) -> list[timedelta]:
    """One for each letter, in no order: squares, so that the last days have the most."""
    ages = [SPAN * ((place + random.random()) / count) ** 2 for place in range(count)]
    random.shuffle(ages)
    return ages


def _by_day(date: datetime, now: datetime, entry: Entry) -> datetime:
    local = date.astimezone(ZONES[entry.language])
    later = local + timedelta(hours=7)
    return later if local.hour in _NIGHT and later < now else local


def _after(earlier: Letter, now: datetime, random: Random) -> datetime:
    """Some hours later, but in time for answers to come still."""
    patience = timedelta(hours=random.uniform(1.5, 40))
    return earlier.date + min(patience, (now - earlier.date) * 0.6)


def _earlier(entry: Entry, made: dict[str, Letter]) -> Letter | None:
    if not entry.after:
        return None
    if entry.after not in made:
        raise BookError(f"{entry.name}: it answers {entry.after!r}, which does not stand above it.")
    return made[entry.after]
