"""How far a first download is, and how long it still takes: on servers of a known pace, whose
seconds are ours, so that nobody waits for them.
"""

from typing import Any

import pytest

from buzon.demo.server import ImapConnection, MailServer, Pop3Connection
from buzon.intake import first_download
from buzon.intake.ahead import Ahead
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.overview import overviews
from buzon.intake.runs import collect_once
from buzon.intake.totals import Progress
from buzon.lease import claim
from tests.intake.collecting import never
from tests.intake.scene import KNOWN, Scene, scene
from tests.intake.servers import HangsUp

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


class Paced(HangsUp):
    """Every octet that it writes takes this long."""

    seconds = 0.0
    of_an_octet = 2e-5


class _PacedImap(HangsUp.imap_connection):  # type: ignore[misc,name-defined]
    def write(self, data: bytes) -> None:
        Paced.seconds += len(data) * Paced.of_an_octet
        super().write(data)


class _PacedPop3(HangsUp.pop3_connection):  # type: ignore[misc,name-defined]
    def write(self, data: bytes) -> None:
        Paced.seconds += len(data) * Paced.of_an_octet
        super().write(data)


Paced.imap_connection = _PacedImap
Paced.pop3_connection = _PacedPop3


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's time is the only one. It passes as fast as the server can send: were a batch
    retrieved while another is stored, the time of both would pass before either is counted.
    """
    Paced.seconds = 0.0
    monkeypatch.setattr(first_download, "monotonic", lambda: Paced.seconds)
    monkeypatch.setattr(Ahead, "go_on", lambda _: None)


def fill(at: Scene, number: int) -> None:
    """Letters from a few hundred octets to 10 kB."""
    for place in range(number):
        at.deliver(KNOWN, body="Hola. " * (place * 7919 % 1_700))


def run(account: CollectionAccount, heard: Any = None) -> Any:
    lease = claim(Duty.objects.get(account=account, kind="collect"))
    assert lease is not None
    totals = collect_once(lease, stop=never, progress=heard)
    account.refresh_from_db()
    return totals


@BOTH
def test_the_time_left_is_right_within_a_quarter_after_the_first_tenth(protocol: str) -> None:
    with scene(protocol, server=Paced) as at:
        fill(at, 1_200)
        told: list[tuple[float, Progress]] = []
        run(at.account(), lambda progress: told.append((Paced.seconds, progress)))
        ended = Paced.seconds
        late = [(when, one) for when, one in told if one.done >= one.total / 10 and one.left]
        assert len(late) >= 3
        for when, one in late:
            assert one.left is not None
            assert one.phase == "history"
            assert 0.75 < (ended - when) / one.left.total_seconds() < 1.25


@BOTH
def test_it_survives_a_restart_where_it_was(protocol: str) -> None:
    """A night lies between: the pace is that of the work alone."""
    with scene(protocol, server=Paced) as at:
        fill(at, 900)
        where = {"imap": ("UID FETCH", 6), "pop3": ("RETR", 650)}[protocol]
        at.server.at(*where)  # type: ignore[attr-defined]
        account = at.account()
        assert run(account).error
        (found,) = overviews([account])
        assert found.first_download is not None
        before = found.first_download.whole
        assert 0 < before.done < before.total == 900
        assert before.octets == sum(row.size for row in account.arrivals.filter(outcome="filed"))
        Paced.seconds += 30_000
        told: list[Progress] = []
        run(account, told.append)
        history = [one for one in told if one.phase == "history"]
        assert all(before.done <= one.done <= one.total == 900 for one in history)
        assert all(one.left is None or one.left.total_seconds() < 30_000 for one in history)
        (found,) = overviews([account])
        assert found.first_download is None
        assert account.history_done_at is not None


def test_new_mail_meanwhile_is_no_part_of_it() -> None:
    with scene(server=Paced) as at:
        fill(at, 300)
        at.server.on("UID FETCH", lambda: at.deliver(KNOWN), times=(2, 3))  # type: ignore[attr-defined]
        told: list[Progress] = []
        account = at.account()
        run(account, told.append)
        assert {one.total for one in told if one.phase == "history"} == {300}
        assert account.arrivals.filter(outcome="filed").count() == 302


def test_messages_without_a_uidl_count_down_as_they_come() -> None:
    with scene("pop3", server=Paced, uidl=False) as at:
        fill(at, 120)
        account = at.account()
        at.server.at("RETR", 60)  # type: ignore[attr-defined]
        assert run(account).error
        folder = account.folders.get()
        assert (folder.history_total, folder.to_come) == (120, 70)
        run(account)
        folder.refresh_from_db()
        assert (folder.to_come, folder.octets_to_come, folder.low) == (0, 0, 1)
        assert folder.history_octets == sum(row.size for row in account.arrivals.all())


def test_a_look_is_taken_every_few_seconds_only(django_assert_num_queries: Any) -> None:
    with scene(server=Paced) as at:
        fill(at, 3)
        account = at.account()
        run(account)
        account.history_done_at = None
        account.save()
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        looks = first_download.Looks(account, lease)
        looks.take()
        with django_assert_num_queries(0):
            looks.take()
        Paced.seconds += first_download.EVERY
        looks.take()
        pace = account.folders.get().pace
        assert pace[-1][0] - pace[-2][0] == first_download.EVERY


assert issubclass(Paced, MailServer)
assert issubclass(_PacedImap, ImapConnection)
assert issubclass(_PacedPop3, Pop3Connection)
