"""Fewer octets than the server said: never filed at once, so never removed from the server."""

import pytest
from django.utils import timezone

from buzon.desk.models import Message
from buzon.intake.models import Arrival, CollectionAccount
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, scene
from tests.servers.faults import Lie, Plan
from tests.servers.faults.imap import FaultyImap
from tests.servers.faults.server import FaultServer

pytestmark = pytest.mark.django_db(transaction=True)


class HalfBodies(FaultyImap):
    """Gives the first fifth of each message as if it were the whole."""

    def _changed_body(self, data: bytes, body: "object") -> bytes:
        if self._server.is_honest:
            return data
        size = int(body[1])  # type: ignore[index]
        start, end = body.start(), body.end()  # type: ignore[attr-defined]
        label = body[0].rpartition(b"{")[0]  # type: ignore[index]
        few = data[end : end + size // 5]
        return data[:start] + label + b"{%d}\r\n" % len(few) + few + data[end + size :]


class HalfServer(FaultServer):
    imap_connection = HalfBodies


def again(account: CollectionAccount) -> str:
    """The minutes until the next try go by."""
    Arrival.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now())
    return collect(account).error


@pytest.mark.parametrize("body", [b"", b"Hola. " * 2000])
def test_R6_an_empty_answer_is_never_the_message(body: bytes) -> None:
    def lying(store: object, **options: object) -> FaultServer:
        return FaultServer(store, plan=Plan(lies=frozenset({Lie.EMPTY_BODY})), **options)  # type: ignore[arg-type]

    with scene(server=lying) as at:
        account = at.account(after="delete")
        at.box.deliver(at.letter(KNOWN, body=body.decode()))
        for _ in range(4):
            assert again(account) == ""
        assert (Message.objects.count(), len(at.box.messages)) == (0, 1)
        row = Arrival.objects.get()
        assert row.outcome == "failed"
        assert row.reason["code"] == "not_retrieved"


def test_a_part_of_it_is_doubted_once_and_then_believed() -> None:
    """A server that is always wrong about sizes keeps no letter back for ever."""

    def halving(store: object, **options: object) -> FaultServer:
        return HalfServer(store, plan=Plan(), **options)  # type: ignore[arg-type]

    with scene(server=halving) as at:
        account = at.account(after="delete")
        whole = at.letter(KNOWN, body="Hola. " * 2000)
        at.box.deliver(whole)
        collect(account)
        assert Arrival.objects.get().outcome == "failed"
        assert len(at.box.messages) == 1
        at.server.heal()  # type: ignore[attr-defined]
        again(account)
        assert Arrival.objects.get().size == len(whole)
        assert (Message.objects.count(), len(at.box.messages)) == (1, 0)
