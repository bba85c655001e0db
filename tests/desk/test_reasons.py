"""Reasons become sentences; events are what happened."""

import string

import pytest
from django.utils import translation

from buzon.desk.events import record
from buzon.desk.keyring import KeyringError
from buzon.desk.models import Event
from buzon.desk.reasons import (
    OPERATOR,
    REASONS,
    error_sentence,
    reason,
    reason_of_error,
    sentence,
    told,
)
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


@pytest.mark.parametrize("code", sorted(set(REASONS) - {"mail_error"}))
def test_every_reason_is_put_into_the_readers_language(code: str) -> None:
    names = {name for _, name, _, _ in string.Formatter().parse(REASONS[code]) if name}
    why = reason(code, **dict.fromkeys(names, "7"))
    with translation.override("es"):
        spanish = sentence(why)
    assert spanish != sentence(why)
    assert spanish.count("7") == len(names)


def test_what_stands_behind_a_reason_is_translated_too() -> None:
    asked = reason("given_by_hand", by=OPERATOR)
    decided = reason("known_customer", one_of=3, retrieved_to_decide=True)
    assert sentence(asked) == "Given by the operator"
    with translation.override("es"):
        assert sentence(asked) == "Asignado por el responsable de la instalación"
        assert sentence(reason("given_by_hand", by="Ana")) == "Asignado por Ana"
        assert sentence(decided) == (
            "El remitente es cliente (se descargó para decidir: este servidor no entrega solo las "
            "cabeceras) (La dirección es de 3 clientes; este es el que ha tenido actividad más "
            "reciente)"
        )


def test_an_error_in_a_reason_keeps_its_english_and_can_be_told_otherwise() -> None:
    error = KeyringError("The key file {path} cannot be read: {why}.", path="/keys", why="odd")
    why = reason_of_error("mail_error", error, kind="NotPermitted")
    assert why["error"] == str(error) == "The key file /keys cannot be read: odd."
    spanish = "No se puede leer el archivo de claves /keys: odd."
    with translation.override("es"):
        assert sentence(why) == error_sentence(error) == spanish
        shown = told(why)
    assert shown is not None
    assert (shown["error"], shown["sentence"], shown["kind"]) == (
        str(error),
        spanish,
        "NotPermitted",
    )


def test_a_reason_of_before_says_what_it_has() -> None:
    with translation.override("es"):
        assert sentence({"code": "mail_error", "error": "It broke."}) == "It broke."
        assert sentence({"code": "not_retrieved", "error": "It broke."}) == (
            "El servidor no lo entregó: It broke."
        )


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
