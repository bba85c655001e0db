"""What came just now is understood from memory; what came before is read back."""

from collections.abc import Collection

import pytest

from buzon.desk.models import Message
from buzon.intake import vault
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


@pytest.fixture
def read_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests that were asked for."""
    names: list[str] = []
    get_many = vault.get_many

    def noting(organization_id: int, digests: Collection[str]) -> dict[str, bytes]:
        names.extend(digests)
        return get_many(organization_id, digests)

    monkeypatch.setattr(vault, "get_many", noting)
    return names


@BOTH
def test_what_came_just_now_is_not_read_back(protocol: str, read_back: list[str]) -> None:
    with scene(protocol) as at:
        at.customer()
        for number in range(70):  # more than one batch
            at.deliver(KNOWN, body=f"letter {number}")
        assert collect(at.account()).filed == 70
        previews = Message.objects.values_list("preview", flat=True)
        assert sorted(previews) == sorted(f"letter {number}" for number in range(70))
        assert read_back == []


def test_a_large_one_is_read_back(read_back: list[str]) -> None:
    with scene() as at:
        at.customer()
        at.deliver(KNOWN, body="Hola. " * 800_000)
        account = at.account()
        assert collect(account).filed == 1
        assert read_back == [account.arrivals.get().sha256]


def test_what_an_earlier_run_left_is_read_back(
    monkeypatch: pytest.MonkeyPatch, read_back: list[str]
) -> None:
    with scene() as at:
        at.customer()
        at.deliver(KNOWN)
        account = at.account()
        with monkeypatch.context() as patched:
            patched.setattr("buzon.intake.process_batch.Processor.run", lambda self: 0)
            collect(account)
        row = account.arrivals.get()
        assert (row.outcome, read_back) == ("waiting", [])
        assert collect(account).filed == 1
        assert read_back == [row.sha256]
