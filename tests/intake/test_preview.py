"""What a first download would bring, said before it begins; then it brings just that."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Agent, AgentGroup, Customer, Membership, Message
from buzon.desk.models.people import PRESENCE
from buzon.intake import preview as previewing
from buzon.intake.models import Arrival
from buzon.intake.preview import preview
from buzon.wire.errors import MailError
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
OLD = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = f"Received: from a by b; {timezone.now():%a, %d %b %Y %H:%M:%S +0000}\r\n"


def group_of(at: Scene, *agents: str) -> AgentGroup:
    group = AgentGroup.objects.create(organization=at.organization, name="Sales")
    for name in agents:
        email = f"{name}@shop.example"
        agent = Agent.objects.create(organization=at.organization, name=name, email=email)
        Membership.objects.create(group=group, agent=agent)
    return group


def dated(at: Scene, when: datetime, *senders: str) -> None:
    received = f"Received: from a by b; {when:%a, %d %b %Y %H:%M:%S +0000}\r\n"
    for sender in senders:
        at.box.deliver(received.encode() + at.letter(sender), internal_date=when)


@BOTH
def test_it_says_what_the_download_then_brings(protocol: str) -> None:
    with scene(protocol) as at:
        at.customer(KNOWN)
        dated(at, OLD, KNOWN, KNOWN, STRANGER, "Zoe@Stranger.example", "third@else.example")
        dated(at, timezone.now() - timedelta(days=2), STRANGER, "fourth@else.example")
        at.deliver("news@list.example", extra=f"List-Id: <x.list.example>\r\n{TODAY}")
        at.deliver("shop@shop.example", extra=TODAY)  # our own address
        account = at.account(group=group_of(at, "bea", "carl"))
        told = preview(account)
        assert (told.messages, told.outside, told.looked_at) == (9, 0, 9)
        assert not told.is_sample
        assert not told.is_estimate
        assert (told.senders, told.known) == (6, 1)
        assert (told.creates, told.creates_most) == (3, 3)
        assert told.downloads == 8
        assert sorted((each.agent, each.now) for each in told.shares) == [("bea", 2), ("carl", 1)]
        assert told.takes > timedelta(0)
        assert not told.is_summed_up
        assert not Arrival.objects.exists()
        assert account.folders.get().baseline_at is None
        assert at.bodies() == []
        collect(account)
        assert Customer.objects.count() == 1 + told.creates
        assert Message.objects.count() == told.downloads
        kept = Arrival.objects.filter(outcome="filed")
        assert told.octets == sum(row.size for row in kept)
        closed = Message.objects.filter(conversation__closed_at__isnull=False).count()
        assert closed == 5
        assert told.stays_open == 4  # of 9, one is ours


@BOTH
def test_mail_of_strangers_is_not_counted_where_it_is_not_downloaded(protocol: str) -> None:
    """R9."""
    with scene(protocol) as at:
        at.customer(KNOWN)
        at.deliver(KNOWN, *[STRANGER] * 9)
        told = preview(at.account(create_customer=False, group=group_of(at, "bea")))
        assert (told.messages, told.downloads, told.creates, told.shares) == (10, 1, 0, [])
        assert told.octets * 9 < sum(len(m.octets) for m in at.box.messages)


@BOTH
@pytest.mark.parametrize(
    ("start", "inside"),
    [({"start": "all"}, 7), ({"start": "now"}, 0),
     ({"start": "date", "start_date": date(2026, 6, 1)}, 3)],
)  # fmt: skip
def test_the_window(protocol: str, start: dict[str, Any], inside: int) -> None:
    with scene(protocol) as at:
        dated(at, OLD, *[KNOWN] * 4)
        dated(at, datetime(2026, 7, 1, tzinfo=UTC), *[KNOWN] * 3)
        told = preview(at.account(**start))
        assert (told.messages, told.outside) == (inside, 7 - inside)
        assert told.downloads == inside


@BOTH
def test_of_a_huge_folder_a_sample_spread_over_all_of_it(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "MOST", 20)
    with scene(protocol) as at:
        at.deliver(*[f"a{number}@else.example" for number in range(200)])
        account = at.account(group=group_of(at, "bea"))
        heard: list[tuple[int, int]] = []
        told = preview(account, lambda done, total: heard.append((done, total)))
        assert (told.messages, told.looked_at, told.is_sample) == (200, 20, True)
        assert (told.creates, told.creates_most) == (20, 200)
        assert told.downloads == 200
        assert told.is_summed_up
        assert heard[0] == (0, 20)
        assert heard == sorted(heard)
        got = {reading.sender for reading in _read(at)}
        assert len(got) == 20
        assert {"a0@else.example", "a190@else.example"} <= got


def _read(at: Scene) -> Any:
    from types import SimpleNamespace

    uids = {deed.uid for deed in at.store.deeds("fetched-header", "top")}
    octets = [message.octets for message in at.box.messages if message.uid in uids]
    return [SimpleNamespace(sender=each.split(b"\r\n")[0][6:].decode()) for each in octets]


@BOTH
def test_a_time_that_is_up_leaves_a_smaller_sample(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10_000, 8))
    monkeypatch.setattr(previewing, "monotonic", lambda: next(seconds))
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 100)
        told = preview(at.account())
        assert told.messages == 100
        assert 0 < told.looked_at < 100
        assert told.downloads == 100


def test_without_top_nothing_is_said_of_senders() -> None:
    with scene("pop3", top=False) as at:
        at.deliver(*[KNOWN] * 5)
        told = preview(at.account())
        assert (told.messages, told.looked_at, told.senders, told.downloads) == (5, 0, 0, 5)
        assert at.bodies() == []


def test_sent_folders_make_no_customers() -> None:
    with scene() as at:
        sent = at.box.login.add_folder("Sent", special_use="\\Sent")
        at.deliver(STRANGER)
        sent.deliver(at.letter("shop@shop.example", to=KNOWN))
        told = preview(at.account(sent_folders=["Sent"], group=group_of(at, "bea")))
        assert (told.messages, told.senders, told.creates, told.downloads) == (2, 1, 1, 1)


def test_a_server_that_refuses() -> None:
    with scene() as at, pytest.raises(MailError):
        preview(at.account(secret="wrong"))


def test_r10_the_whole_group_shares_where_the_account_says_so() -> None:
    """Of the first download alone: Bea is Free and signed in, Carl is not."""
    with scene() as at:
        group = group_of(at, "bea", "carl")
        Agent.objects.filter(name="bea").update(present_until=timezone.now() + PRESENCE)
        at.deliver(*[f"a{number}@else.example" for number in range(4)])
        account = at.account(group=group, history_to_whole_group=True)
        told = preview(account)
        shares = {each.agent: (each.now, each.whole_group) for each in told.shares}
        assert shares == {"bea": (4, 2), "carl": (0, 2)}
        collect(account)
        assert Customer.objects.filter(agent__name="carl").count() == 2
        at.deliver("late@else.example", "later@else.example")
        Agent.objects.filter(name="bea").update(present_until=timezone.now() + PRESENCE)
        collect(account)
        assert Customer.objects.filter(agent__name="carl").count() == 2
        assert Customer.objects.filter(agent__name="bea").count() == 4
