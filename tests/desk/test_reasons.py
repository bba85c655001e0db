"""Reasons become sentences; events are what happened."""

import string

import pytest

from buzon.desk.events import record
from buzon.desk.models import Event
from buzon.desk.reasons import REASONS, reason, sentence
from tests.desk import cast


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_is_a_sentence_with_all_its_details(code: str) -> None:
    names = {name for _, name, _, _ in string.Formatter().parse(REASONS[code]) if name}
    words = sentence(reason(code, **dict.fromkeys(names, "{odd}")))
    assert words
    assert not words.endswith(".")
    assert words.count("{odd}") == len(names)


def test_a_code_without_a_sentence_is_refused() -> None:
    with pytest.raises(KeyError, match="no sentence for the reason 'because'"):
        reason("because")
    assert sentence({}) == ""


@pytest.mark.django_db
def test_an_event_is_untold_and_belongs_to_its_organization() -> None:
    shop = cast.organization()
    agent = cast.agent(shop)
    by_row = record("message_received", organization=shop, agent=agent, data={"a": "\x00"})
    by_key = record("message_received", organization=shop.pk, agent=agent.pk, silent=True)
    for event in (by_row, by_key):
        event.refresh_from_db()
        assert (event.organization, event.agent, event.told_at) == (shop, agent, None)
    assert (by_row.data, by_row.silent, by_key.silent) == ({"a": "\ufffd"}, False, True)
    with pytest.raises(ValueError, match="it_rained"):
        record("it_rained", organization=shop)
    assert Event.objects.count() == 2
