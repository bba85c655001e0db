"""The ledger's pages: found by filters, looked at one by one, and asked for."""

import itertools
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from buzon.desk.models import Customer
from buzon.desk.reasons import reason
from buzon.intake import ledger, vault
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount, RawMessage
from tests.intake.collecting import collect
from tests.intake.scene import STRANGER, scene
from tests.notify import people
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
_uids = itertools.count(1)


@pytest.fixture
def account(cast: Cast, settings: Settings) -> CollectionAccount:
    settings.BUZON_KEYS = "first:" + "A" * 43 + "="
    return _account(cast, "Pedidos")


def _account(cast: Cast, name: str, **fields: Any) -> CollectionAccount:
    fields = {"host": "h.example", "username": "u", "secret": "s", "group": cast.group} | fields
    return add_account(fields.pop("organization", cast.shop), name=name, **fields)


def row(of: CollectionAccount, outcome: str = "skipped", **fields: Any) -> Arrival:
    reasons = {"skipped": "unknown_sender", "oversized": "larger_than_limit"}
    known: dict[str, Any] = {"reason": reason(reasons.get(outcome, "known_customer"))}
    known |= {"size": 1234, "sender": "zoe@stranger.example", "uidvalidity": 77}
    known |= {"uid": next(_uids)}
    if outcome == "waiting":
        known["reason"] = {}
    return Arrival.objects.create(
        organization=of.organization,
        account=of,
        folder=of.folders.get(),
        outcome=outcome,
        **(known | fields),
    )


def filed(cast: Cast, of: CollectionAccount, **fields: Any) -> Arrival:
    """One with its letter and its customer, who is Ana's."""
    customer = people.customer(cast.shop, agent=cast.ana)
    return row(of, "filed", message=people.letter(customer), **fields)


def older(page: Any) -> str:
    """Where the button at the end of a page leads."""
    link = page.text.split('rel="next" href="')[1].split('"')[0]
    return "/ledger/" + str(link).replace("&amp;", "&")


def shown(page: Any) -> list[int]:
    """The rows of a page, in its order."""
    return [int(part.split('"')[0]) for part in page.text.split('<tr id="arrival-')[1:]]


def test_a_row_says_what_became_of_it_and_why(cast: Cast, account: CollectionAccount) -> None:
    one = filed(cast, account)
    row(account, size=2_500_000)
    page = cast.browser(cast.olga).get("/ledger/").text
    for words in ("Pedidos · INBOX", "2.5 MB", "The sender is not a customer", "Skipped", "Ana"):
        assert words in page
    assert one.message is not None
    assert f'href="/customers/{one.message.customer_id}"' in page
    page = cast.browser(cast.olga, language="es").get("/ledger/").text
    for words in ("Omitido", "Archivado", "2,5 MB", "El remitente no es cliente"):
        assert words in page


def test_nothing_yet_leads_to_the_mailboxes(cast: Cast) -> None:
    page = cast.browser(cast.olga).get("/ledger/").text
    assert "The ledger is empty" in page
    assert 'href="/collection-accounts/"' in page


def test_filters_find_rows(cast: Cast, account: CollectionAccount) -> None:
    info = _account(cast, "Info")
    skipped, failed = row(account), row(info, "failed")
    gone = row(account, gone_at=timezone.now(), sender="eva@stranger.example")
    unsettled = filed(cast, info)
    browser = cast.browser(cast.olga)
    found = {
        "": [unsettled, gone, failed, skipped],
        f"account={account.pk}": [gone, skipped],
        "outcome=failed": [failed],
        f"account={account.pk}&outcome=failed": [],
        "place=gone": [gone],
        "place=unsettled": [unsettled],
        "sender=Zoe%40": [unsettled, failed, skipped],
        f"ids={skipped.pk},{failed.pk},x": [failed, skipped],
    }
    for query, rows in found.items():
        assert shown(browser.get(f"/ledger/?{query}")) == [one.pk for one in rows], query
    page = browser.get(f"/ledger/?account={account.pk}&outcome=failed").text
    assert "No such messages" in page
    assert f'<option value="{account.pk}" selected>' in page


@pytest.mark.parametrize(
    "query",
    ["outcome=lost", "place=x", "account=x", "account=999999", "before=x", "before=٣", "ids=,x"],
)
def test_a_filter_that_makes_no_sense_asks_for_nothing(
    cast: Cast, account: CollectionAccount, query: str
) -> None:
    one = row(account)
    page = cast.browser(cast.olga).get(f"/ledger/?{query}")
    assert (page.status_code, shown(page)) == (200, [one.pk])


def test_a_wrong_filter_says_so_next_to_itself(cast: Cast, account: CollectionAccount) -> None:
    page = cast.browser(cast.olga, language="es").get("/ledger/?sender=a%00b").text
    assert "caracteres nulos" in page.split('id="error-sender"')[1].split("</div>")[0]


def test_a_long_ledger_in_parts(cast: Cast, account: CollectionAccount) -> None:
    keys = [row(account).pk for _ in range(ledger.AT_ONCE + 3)][::-1]
    browser = cast.browser(cast.olga)
    page = browser.get("/ledger/?outcome=skipped")
    assert shown(page) == keys[: ledger.AT_ONCE]
    page = browser.get(older(page))
    assert shown(page) == keys[ledger.AT_ONCE :]
    assert "Newest" in page.text
    assert 'rel="next"' not in page.text


def test_a_rare_sender_is_looked_for_further_back_on_demand(
    cast: Cast, account: CollectionAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_LOOKED_AT", 2)
    rare = row(account, sender="ana@customer.example")
    for _ in range(2):
        row(account)
    browser = cast.browser(cast.olga)
    page = browser.get("/ledger/?sender=ana")
    assert "Nothing among the newest messages" in page.text
    assert "Look further back" in page.text
    assert shown(browser.get(older(page))) == [rare.pk]


def test_fifty_rows_take_as_few_queries_as_one(
    cast: Cast, account: CollectionAccount, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = cast.browser(cast.olga)
    for _ in range(ledger.AT_ONCE):
        filed(cast, account)
    browser.get("/ledger/")
    with django_assert_max_num_queries(10):
        assert len(shown(browser.get("/ledger/"))) == ledger.AT_ONCE
    with django_assert_max_num_queries(10):
        browser.get("/ledger/?outcome=filed")
    with django_assert_max_num_queries(21):  # six outcomes, each looked at from its newest
        browser.get(f"/ledger/?account={account.pk}&sender=zoe")


def test_one_message_with_everything(cast: Cast, account: CollectionAccount) -> None:
    one = filed(cast, account, sha256="ab" * 32, header_digest="cd" * 32, attempts=2)
    page = cast.browser(cast.olga).get(f"/ledger/{one.pk}").text
    for words in ("UIDVALIDITY", ">77<", "ab" * 32, "cd" * 32, "The sender is a customer", "Ana"):
        assert words in page
    assert f'href="/letters/{one.message_id}"' in page
    assert f'href="/ledger/{one.pk}/raw"' in page
    assert f'href="/collection-accounts/{account.pk}"' in page


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (reason("killed_its_reader"), "memory than allowed</bdi>.</p>"),
        (reason("not_retrieved", error="It hung up."), "It hung up.</bdi></p>"),
    ],
)
def test_a_reason_ends_with_one_full_stop(
    cast: Cast, account: CollectionAccount, why: dict[str, Any], told: str
) -> None:
    one = row(account, "failed", reason=why)
    assert told in cast.browser(cast.olga).get(f"/ledger/{one.pk}").text


def test_one_pop3_message(cast: Cast, account: CollectionAccount) -> None:
    of = _account(cast, "Pop", protocol="pop3")
    one = row(of, uid=None, uidvalidity=None, uidl="abc-1")
    page = cast.browser(cast.olga).get(f"/ledger/{one.pk}").text
    assert "abc-1" in page
    assert "UIDVALIDITY" not in page


def test_the_ledger_is_the_administrators_and_each_organizations_own(
    cast: Cast, account: CollectionAccount
) -> None:
    one = row(account)
    for place in (f"/ledger/{one.pk}", f"/ledger/{one.pk}/raw"):
        assert cast.browser(cast.charlie).get(place).status_code == 404
        assert cast.browser(cast.ana).get(place).status_code == 404
    assert cast.browser(cast.ana).get("/ledger/").status_code == 404
    charlie = cast.browser(cast.charlie)
    assert shown(charlie.get(f"/ledger/?account={account.pk}&ids={one.pk}")) == []
    assert f"arrival-{one.pk}" not in charlie.get(f"/ledger/changes?ids={one.pk}").text
    answer = charlie.post("/ledger/", {"ids": [one.pk], "verb": "fetch"})
    assert f"The ledger has no message {one.pk}." in answer.text
    assert charlie.post(f"/ledger/{one.pk}", {"verb": "fetch"}).status_code == 404
    one.refresh_from_db()
    assert one.outcome == "skipped"


@pytest.mark.parametrize(
    ("verb", "outcome", "fields"),
    [
        ("fetch", "skipped", {"reason": {"code": "machine_mail_list"}}),
        ("fetch", "oversized", {}),
        ("retry", "failed", {"reason": {"code": "killed_its_reader"}}),
    ],
)
def test_what_was_asked_for_waits_and_the_page_says_so(
    cast: Cast, account: CollectionAccount, verb: str, outcome: str, fields: dict[str, Any]
) -> None:
    ones = [row(account, outcome, **fields) for _ in range(2)]
    ids = [one.pk for one in ones]
    page = cast.browser(cast.olga).post("/ledger/", {"ids": ids, "verb": verb}, follow=True)
    assert page.redirect_chain == [(f"/ledger/?ids={ids[0]},{ids[1]}", 302)]
    assert "2 messages wait for the next collection." in page.text
    assert "What you asked for" in page.text
    assert set(shown(page)) == set(ids)
    assert f'hx-get="/ledger/changes?ids={ids[1]},{ids[0]}"' in page.text
    assert Arrival.objects.filter(outcome="waiting").count() == 2


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Pedidos is not being collected now"),
        ("es", "Ahora no se recoge el correo de Pedidos"),
    ],
)
@pytest.mark.parametrize("standstill", [{"active": False}, {"state": "stopped"}])
def test_where_nothing_is_collected_the_page_says_so(
    cast: Cast,
    account: CollectionAccount,
    language: str,
    told: str,
    standstill: dict[str, Any],
) -> None:
    ids = [row(account).pk, row(account).pk, row(_account(cast, "Info")).pk]
    CollectionAccount.objects.filter(pk=account.pk).update(**standstill)
    browser = cast.browser(cast.olga, language=language)
    page = browser.post("/ledger/", {"ids": ids, "verb": "fetch"}, follow=True).text
    assert page.count(told) == 1
    assert "is-warn" in page


def test_rows_change_by_themselves(cast: Cast, account: CollectionAccount) -> None:
    waits, done = row(account, "waiting"), filed(cast, account)
    browser = cast.browser(cast.olga)
    part = browser.get(f"/ledger/changes?ids={waits.pk},{done.pk}").text
    assert f'hx-get="/ledger/changes?ids={waits.pk}"' in part
    assert shown(browser.get(f"/ledger/changes?ids={waits.pk},{done.pk}")) == [done.pk]
    assert f'<tr id="arrival-{done.pk}" hx-swap-oob="true">' in part
    assert "1 message here waits" in part
    part = browser.get(f"/ledger/changes?ids={done.pk}").text
    assert "hx-get" not in part
    assert "hx-trigger" in browser.get(f"/ledger/{waits.pk}").text
    assert "every 3s" not in browser.get(f"/ledger/{done.pk}").text


@pytest.mark.parametrize(
    ("language", "verb", "told"),
    [
        ("en", "retry", "is skipped: only failed messages can be retried."),
        ("es", "retry", "está en «omitido»"),
        ("en", "fetch", "is filed: only skipped and oversized messages can be fetched."),
        ("es", "fetch", "está en «archivado»: solo se pueden traer"),
        ("en", "create", "was not left because of an unknown sender"),
        ("es", "create", "no se dejó por ser de un remitente desconocido"),
    ],
)
def test_a_refusal_says_why_and_keeps_the_ticks(
    cast: Cast, account: CollectionAccount, language: str, verb: str, told: str
) -> None:
    skipped, done = row(account), filed(cast, account)
    ids = [skipped.pk] if verb == "retry" else [skipped.pk, done.pk]
    browser = cast.browser(cast.olga, language=language)
    page = browser.post("/ledger/?place=there", {"ids": ids, "verb": verb}, follow=True)
    assert told in page.text.replace("&#39;", "'")
    ticked = page.text.split(f'name="ids" value="{skipped.pk}"')[1].split(">")[0]
    assert ticked.endswith(" checked")
    assert '<option value="there" selected>' in page.text
    assert Arrival.objects.filter(outcome="waiting").count() == 0
    assert not Customer.objects.filter(addresses__folded=skipped.sender).exists()


def test_no_ticks_and_no_such_verb(cast: Cast, account: CollectionAccount) -> None:
    one = row(account)
    browser = cast.browser(cast.olga)
    assert "Tick the messages first." in browser.post("/ledger/", {"verb": "fetch"}).text
    assert browser.post("/ledger/", {"ids": [one.pk], "verb": "drop"}).status_code == 404
    assert browser.post(f"/ledger/{one.pk}", {"verb": "drop"}).status_code == 404


def test_only_what_can_be_asked_is_offered(cast: Cast, account: CollectionAccount) -> None:
    browser = cast.browser(cast.olga)
    offered = {
        row(account): ["create", "fetch"],
        row(account, reason={"code": "machine_mail_list"}): ["fetch"],
        row(account, gone_at=timezone.now()): [],
        row(account, "oversized"): ["fetch"],
        row(account, "failed"): ["retry"],
        row(account, "failed", gone_at=timezone.now()): [],
        row(account, "failed", gone_at=timezone.now(), sha256="ab"): ["retry"],
        row(account, "waiting"): [],
        filed(cast, account): [],
    }
    for one, verbs in offered.items():
        page = browser.get(f"/ledger/{one.pk}").text
        found = [verb for verb in ("create", "fetch", "retry") if f'value="{verb}"' in page]
        assert found == verbs, one.outcome


def test_from_a_messages_own_page(cast: Cast, account: CollectionAccount) -> None:
    one = row(account)
    page = cast.browser(cast.olga).post(f"/ledger/{one.pk}", {"verb": "create"}, follow=True)
    assert "1 customer was created. 1 message waits for the next collection." in page.text
    customer = Customer.objects.get(addresses__folded=one.sender)
    assert customer.agent in (cast.ana, cast.luis)


@pytest.mark.django_db(transaction=True)
def test_an_unknown_senders_letter_is_fetched_from_the_page_to_the_desk(cast: Cast) -> None:
    """The whole way, against a server: skipped, created and asked for, collected, filed."""
    with scene() as place:
        of = place.account(organization=cast.shop, create_customer=False, group=cast.group)
        place.deliver(STRANGER)
        collect(of)
        browser = cast.browser(cast.olga)
        (key,) = shown(browser.get(f"/ledger/?account={of.pk}&outcome=skipped"))
        page = browser.post("/ledger/", {"ids": [key], "verb": "create"}, follow=True)
        assert "1 customer was created." in page.text
        collect(of)
        page = browser.get(f"/ledger/{key}").text
        assert "Filed" in page
        assert "The sender is a customer" in page
        raw = browser.get(f"/ledger/{key}/raw")
        assert raw.content == place.box.messages[0].octets
        assert "attachment" in raw.headers["Content-Disposition"]
        assert "sandbox" in raw.headers["Content-Security-Policy"]


def test_octets_that_are_not_there_or_damaged(cast: Cast, account: CollectionAccount) -> None:
    browser = cast.browser(cast.olga)
    assert browser.get(f"/ledger/{row(account).pk}/raw").status_code == 404
    name = vault.digest(b"From: a@b.example\r\n\r\n")
    vault.put(cast.shop.pk, [(name, b"From: a@b.example\r\n\r\n")])
    one = row(account, "oversized", header_sha256=name)
    assert browser.get(f"/ledger/{one.pk}/raw").content == b"From: a@b.example\r\n\r\n"
    RawMessage.objects.update(octets=b"damaged")
    page = browser.get(f"/ledger/{one.pk}/raw", follow=True)
    assert "damaged: restore it" in page.text
    RawMessage.objects.all().delete()
    page = browser.get(f"/ledger/{one.pk}/raw", follow=True)
    assert "missing: restore it" in page.text


def test_filters_that_phones_fold_away_are_counted_and_shown_where_one_makes_no_sense(
    cast: Cast,
) -> None:
    english = cast.browser(cast.olga)
    assert "in use" not in english.get("/ledger/?sender=eva").text
    used = english.get("/ledger/?outcome=skipped&place=there").text
    assert "2 in use" in used
    assert '<details class="filters-fold">' in used
    assert "1 en uso" in cast.browser(cast.olga, language="es").get("/ledger/?place=there").text
    assert '<details class="filters-fold" open>' in english.get("/ledger/?outcome=no").text
