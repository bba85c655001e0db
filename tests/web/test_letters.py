"""Letters: the list of conversations, one letter with all that it may be, and who has read it."""

import pytest
from pytest_django import DjangoAssertNumQueries

from buzon.desk.customers import add_customer, change_customer
from buzon.desk.models import Message
from buzon.intake.models import CollectionAccount, RawMessage
from buzon.notify.rounds import tell_now
from tests.web.cast import Cast
from tests.web.letters import collected, evas, filed, shown, with_files, written

pytestmark = pytest.mark.django_db


# The list


def test_an_agent_sees_the_letters_of_its_customers_the_administrator_all(
    cast: Cast, account: CollectionAccount
) -> None:
    evas(cast, account, written(subject="De Eva"))
    add_customer(cast.shop, addresses=["paul@example.com"], agent=cast.luis)
    collected(account, written("paul@example.com", subject="De Paul"))
    pages = {who: cast.browser(who).get("/letters/").text for who in (cast.ana, cast.luis)}
    assert "De Eva" in pages[cast.ana]
    assert "De Paul" not in pages[cast.ana]
    assert "De Paul" in pages[cast.luis]
    assert "De Eva" not in pages[cast.luis]
    everything = cast.browser(cast.olga).get("/letters/").text
    assert "De Eva" in everything
    assert "De Paul" in everything
    assert "De Eva" not in cast.browser(cast.charlie).get("/letters/").text


def test_a_conversation_is_one_row_with_its_newest_letter(
    cast: Cast, account: CollectionAccount
) -> None:
    first = written(subject="Un pedido", date="Mon, 02 Nov 2026 10:00:00 +0100")
    evas(cast, account, first)
    answered = Message.objects.get().message_id
    again = written(
        subject="Re: Un pedido",
        head=f"In-Reply-To: {answered}\r\n",
        date="Tue, 03 Nov 2026 10:00:00 +0100",
    )
    collected(account, again)
    page = cast.browser(cast.ana).get("/letters/").text
    assert page.count('<li class="letter-row is-unread">') == 1
    assert "Re: Un pedido" in page
    assert "2 letters, 2 unread" in " ".join(page.split())


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"Hola", "Boletín", "Nadie"}),
        ("?q=hola", {"Hola"}),
        ("?q=EVA@", {"Hola", "Boletín"}),
        ("?q=nothing-like-this", set()),
        ("?q=BOLETIN", {"Boletín"}),
        ("?kind=people", {"Hola"}),
        ("?kind=machines", {"Boletín", "Nadie"}),
        ("?show=nobodys", {"Nadie"}),
        ("?show=unread", {"Hola", "Boletín", "Nadie"}),
        ("?show=unread&kind=people&q=ho", {"Hola"}),
    ],
)
def test_the_list_is_filtered(
    cast: Cast, account: CollectionAccount, asked: str, found: set[str]
) -> None:
    evas(cast, account, written(subject="Hola"))
    collected(account, written(subject="Boletín", head="List-Id: <n.example>\r\n"))
    collected(account, written("robot@x.example", subject="Nadie", head="List-Id: <n.x>\r\n"))
    page = cast.browser(cast.olga).get(f"/letters/{asked}").text
    assert {word for word in ("Hola", "Boletín", "Nadie") if f"<bdi>{word}</bdi>" in page} == found


def test_a_filter_that_makes_no_sense_says_so(cast: Cast) -> None:
    page = cast.browser(cast.olga, language="es").get("/letters/?store=4711&show=what").text
    assert page.count("Escoja una opción válida.") == 2


def test_only_an_administrator_may_ask_for_letters_of_nobody(cast: Cast) -> None:
    page = cast.browser(cast.ana).get("/letters/?show=nobodys").text
    assert "Select a valid choice." in page


def test_the_list_asks_the_same_number_of_queries_for_fifty(
    cast: Cast,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    browser = cast.browser(cast.ana)
    for number in range(51):
        eva = add_customer(cast.shop, addresses=[f"eva{number}@example.com"], agent=cast.ana)
        filed(eva, cast.shop)
    with django_assert_max_num_queries(20):
        page = browser.get("/letters/").text
    assert page.count('<li class="letter-row') == 50
    assert 'rel="next"' in page
    assert browser.get("/letters/?page=2").text.count('<li class="letter-row') == 1


# One letter


def test_a_letter_shows_who_wrote_to_whom_and_why_it_is_this_customers(
    cast: Cast, account: CollectionAccount
) -> None:
    message = evas(cast, account, written(body="Línea 1\r\n  Línea <b>2</b>"))
    page = shown(cast.browser(cast.ana), message)
    assert "Línea 1\n  Línea &lt;b&gt;2&lt;/b&gt;" in page
    assert "Eva López" in page
    assert "pedidos@olivo.example" in page
    assert "The sender&#39;s address is a customer&#39;s" in page
    assert "Pedidos · INBOX" in page


def test_another_organizations_letter_and_another_agents_do_not_exist(
    cast: Cast, account: CollectionAccount
) -> None:
    message = evas(cast, account, with_files(("a.txt", "text/plain", b"a")))
    places = ["", "/raw", "/attachments/2", "/blocking"]
    for who in (cast.luis, cast.charlie):
        for place in places:
            assert cast.browser(who).get(f"/letters/{message.pk}{place}").status_code == 404
        assert cast.browser(who).post(f"/letters/{message.pk}/fetch").status_code == 404


def test_only_the_persons_own_letters_of_a_conversation_are_listed(
    cast: Cast, account: CollectionAccount
) -> None:
    message = evas(cast, account, written(subject="Mía"))
    add_customer(cast.shop, addresses=["paul@example.com"], agent=cast.luis)
    reply = f"In-Reply-To: {message.message_id}\r\n"
    collected(account, written("paul@example.com", subject="De Paul", head=reply))
    collected(account, written(subject="Otra mía", head=reply))
    anas = shown(cast.browser(cast.ana), message)
    assert "Otra mía" in anas
    assert "De Paul" not in anas
    assert "De Paul" in shown(cast.browser(cast.olga), message)


def test_html_is_shown_as_text_only(cast: Cast, account: CollectionAccount) -> None:
    body = "<p>Hola <script>alert(1)</script><img src=x onerror=alert(2)>mundo</p>"
    head = "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
    page = shown(cast.browser(cast.ana), evas(cast, account, written(head=head, body=body)))
    text = page.split('class="letter-text" dir="auto">')[1].split("</div>")[0]
    assert " ".join(text.split()) == "Hola mundo"
    assert "sent as a designed page" in page
    assert "alert(" not in page


def test_latin_1_and_odd_forms_are_told_in_both_languages(
    cast: Cast, account: CollectionAccount
) -> None:
    octets = written(date="the day after tomorrow", body="~").replace(b"~", "año".encode("latin1"))
    message = evas(cast, account, octets)
    english = shown(cast.browser(cast.ana), message)
    assert "año" in english
    assert "The date that it bears makes no sense: the day after tomorrow" in english
    spanish = shown(cast.browser(cast.ana, language="es"), message)
    assert "La fecha que lleva no tiene sentido: the day after tomorrow" in spanish


def test_broken_mime_is_a_page_too(cast: Cast, account: CollectionAccount) -> None:
    head = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="never there"\r\n'
    page = shown(cast.browser(cast.ana), evas(cast, account, written(head=head, body="Texto")))
    assert "Texto" in page
    assert "oddit" in page


def test_a_doubtful_sender_is_warned_of(cast: Cast, account: CollectionAccount) -> None:
    message = evas(cast, account, written())
    Message.objects.filter(pk=message.pk).update(warnings=["dmarc_failed"])
    assert "it may be forged" in shown(cast.browser(cast.ana), message)
    assert "puede ser falsa" in shown(cast.browser(cast.ana, language="es"), message)
    assert "Doubtful sender" in cast.browser(cast.ana).get("/letters/").text


def test_a_bounce_says_what_came_back(cast: Cast, account: CollectionAccount) -> None:
    add_customer(cast.shop, addresses=["mailer-daemon@example.com"], agent=cast.ana)
    head = (
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
    )
    body = (
        "--b\r\n\r\nNo se pudo entregar.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; nadie@example.net\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--"
    )
    message = collected(account, written("mailer-daemon@example.com", head=head, body=body))[0]
    page = " ".join(shown(cast.browser(cast.ana), message).split())
    assert "nadie@example.net</bdi>: could not be delivered" in page
    assert "Delivery report" in page


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "The octets of this letter are missing."), ("es", "Falta el contenido de esta carta.")],
)
def test_missing_octets_are_one_sentence(
    cast: Cast, account: CollectionAccount, language: str, told: str
) -> None:
    message = evas(cast, account, written())
    RawMessage.objects.all().delete()
    browser = cast.browser(cast.ana, language=language)
    assert told in shown(browser, message)
    assert browser.get(f"/letters/{message.pk}/raw").status_code == 404


def test_damaged_octets_are_one_sentence(cast: Cast, account: CollectionAccount) -> None:
    message = evas(cast, account, written())
    RawMessage.objects.update(octets=b"no zstd")
    assert "The stored letter is damaged" in shown(cast.browser(cast.ana), message)


def test_a_very_long_letter_is_cut_and_says_so(cast: Cast, account: CollectionAccount) -> None:
    message = evas(cast, account, written(body="palabra " * 30_000))
    page = shown(cast.browser(cast.ana), message)
    assert "The letter goes on" in page
    assert len(page) < 250_000


def test_a_letter_asks_the_same_number_of_queries_however_long_the_conversation(
    cast: Cast,
    account: CollectionAccount,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    message = evas(cast, account, written())
    assert message.customer is not None
    for _ in range(60):
        filed(message.customer, cast.shop, references=(message.message_id,))
    browser = cast.browser(cast.ana)
    with django_assert_max_num_queries(24):
        page = browser.get(f"/letters/{message.pk}").text
    assert page.count('<li class="letter-row') == 25
    assert "35 letters more" in page


# Read


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"},
    ],
)
def test_opening_it_marks_it_read_for_its_agent(
    cast: Cast, account: CollectionAccount, head: dict[str, str]
) -> None:
    message = evas(cast, account, written())
    cast.browser(cast.ana).get(f"/letters/{message.pk}", headers=head)
    message.refresh_from_db()
    assert message.read_at is not None


@pytest.mark.parametrize(
    "head",
    [
        {"sec-purpose": "prefetch"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"sec-fetch-dest": "image"},
        {"sec-fetch-dest": "empty"},
    ],
)
def test_what_a_browser_loads_ahead_is_not_read(
    cast: Cast, account: CollectionAccount, head: dict[str, str]
) -> None:
    message = evas(cast, account, written())
    browser = cast.browser(cast.ana)
    browser.get(f"/letters/{message.pk}", headers=head)
    browser.head(f"/letters/{message.pk}")
    message.refresh_from_db()
    assert message.read_at is None


def test_an_administrator_who_looks_leaves_it_unread_but_for_letters_of_nobody(
    cast: Cast, account: CollectionAccount
) -> None:
    message = evas(cast, account, written())
    nobodys = collected(account, written("robot@x.example", head="List-Id: <n.x>\r\n"))[0]
    for one in (message, nobodys):
        shown(cast.browser(cast.olga), one)
        one.refresh_from_db()
    assert message.read_at is None
    assert nobodys.customer is None
    assert nobodys.read_at is not None


def test_its_notification_is_read_with_it(cast: Cast, account: CollectionAccount) -> None:
    message = evas(cast, account, written())
    tell_now()
    assert cast.ana.notifications.filter(message=message, read_at=None).exists()
    shown(cast.browser(cast.ana), message)
    assert not cast.ana.notifications.filter(message=message, read_at=None).exists()


def test_a_customer_who_changes_agents_takes_the_letters_along(
    cast: Cast, account: CollectionAccount
) -> None:
    message = evas(cast, account, written())
    assert message.customer is not None
    change_customer(message.customer, agent=cast.luis)
    assert cast.browser(cast.ana).get(f"/letters/{message.pk}").status_code == 404
    assert shown(cast.browser(cast.luis), message)
