"""What is delivered in a journey, and what is true of each letter."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

OLD, ALL = 350, 500
SENT = 24
DAYS = 30
START_DAYS_AGO = 10
ZONE = ZoneInfo("Europe/Madrid")
LARGE = 200_000  # octets: the limit in the journeys that set one


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One letter as delivered. `number` is its place from 1, and so its UID.

    `letter`: the number of the first specimen that is the same letter. `sender`: as compared, ""
    for none. `names`: the Message-IDs that it answers. `returned`: a bounce's. `dated`: whether
    its octets tell when it was received, which is all that POP3 has.
    """

    number: int
    letter: int
    shape: str
    octets: bytes
    received_at: datetime
    sender: str
    kind: str = "person"
    message_id: str = ""
    names: tuple[str, ...] = ()
    returned: str = ""
    dated: bool = True
    forged: bool = False

    @property
    def is_new(self) -> bool:
        return self.number > OLD


@dataclass(frozen=True, slots=True)
class SentSpecimen:
    """A letter that the shop sent, in the folder of sent letters; `to` as compared."""

    number: int
    octets: bytes
    received_at: datetime
    message_id: str
    to: tuple[str, ...]


@dataclass(slots=True)
class Mail:
    """Everything that is delivered in a journey, and the moment at which it was written."""

    now: datetime
    letters: list[Specimen]
    sent: list[SentSpecimen]

    @property
    def start(self) -> datetime:
        """Midnight in the shop's time zone, START_DAYS_AGO days ago."""
        day = (self.now.astimezone(ZONE) - timedelta(days=START_DAYS_AGO)).date()
        return datetime(day.year, day.month, day.day, tzinfo=ZONE)
