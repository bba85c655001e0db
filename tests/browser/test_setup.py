"""From nothing to the first letter: `buzon up`, a browser, and a mailbox on a real Dovecot."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.up import Up, up
from tests.browser.window import Windows
from tests.servers.dovecot import Dovecot

SOON = 20_000  # milliseconds
PASSWORD = "olivar al amanecer 27"


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows[Up]]:
    with up() as started:
        opened = Windows(chromium, started)
        yield opened
        opened.close()


@pytest.mark.timeout(150)
def test_a_shop_is_set_up_in_the_browser_and_its_first_letter_comes(
    windows: Windows[Up], dovecot: Dovecot, fresh_login: Callable[..., str]
) -> None:
    login = fresh_login()
    dovecot.deliver(login, _letter("La primera carta"))
    page = windows.open(language="es-ES")
    _every_page_leads_to_the_setup(page)
    _make_the_shop(page, windows.stage.setup)
    _add_stores_and_people(page)
    _connect(page, dovecot, login)
    _sees_the_letter(page, "La primera carta")
    dovecot.deliver(login, _letter("La segunda carta"))
    _sees_the_letter(page, "La segunda carta")
    _is_closed_to_others(windows, windows.stage.setup)


def _every_page_leads_to_the_setup(page: Page) -> None:
    page.goto("/letters/")
    expect(page).to_have_url(re.compile(r"/setup"))


def _make_the_shop(page: Page, address: str) -> None:
    """What is wrong is said next to its field, and what was right stays."""
    page.goto(address)
    page.get_by_label("Su correo electrónico").fill("olga@olivo.example")
    page.get_by_label("Nombre de la empresa").fill("Casa Olivo")
    page.get_by_label("Contraseña").fill("corta")
    expect(page.get_by_label("Zona horaria")).to_have_value("Europe/Madrid")
    page.locator("form.form .button.is-main").click()
    expect(page.locator("#error-password")).to_contain_text("10")
    expect(page.get_by_label("Nombre de la empresa")).to_have_value("Casa Olivo")
    expect(page.get_by_label("Contraseña")).to_have_value("")
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.locator("form.form .button.is-main").click()
    page.wait_for_url("**/setup/stores")


def _add_stores_and_people(page: Page) -> None:
    page.get_by_label("Nombre").fill("Almazara")
    page.locator("form.form .button").click()
    expect(page.locator(".setup-list")).to_contain_text("Almazara")
    page.locator(".setup-on .is-main").click()
    page.wait_for_url("**/setup/people")
    page.locator("input[name=name_1]").fill("Ana Ruiz")
    page.locator("input[name=email_1]").fill("ana@olivo.example")
    page.locator("form.form .button.is-main").click()
    expect(page.locator("table")).to_contain_text("ana@olivo.example")
    expect(page.locator("table code")).to_have_count(1)  # the first password, shown once
    page.locator(".setup-on .is-main").click()
    page.wait_for_url("**/setup/mailbox")
    page.locator(".setup-on .is-main").click()
    page.wait_for_url("**/collection-accounts/new*")


def _connect(page: Page, dovecot: Dovecot, login: str) -> None:
    """Its certificate is nobody's whom this machine knows: trusted by hand, after the check."""
    page.locator("input[name=name]").fill("Pedidos")
    _choose(page, "security", "tls")
    page.locator("input[name=host]").fill(dovecot.host)
    page.locator("input[name=port]").fill(str(dovecot.port("imap", "tls")))
    page.locator("input[name=username]").fill(login)
    page.locator("input[name=secret]").fill("secret")
    _choose(page, "create_customer", "yes")
    page.locator("select[name=group]").select_option(index=1)
    page.locator("[data-check][value=check]").click()
    expect(page.locator("#check .step.is-bad")).to_be_visible(timeout=SOON)
    with page.expect_response("**/collection-accounts/new*", timeout=SOON):
        page.locator("#check button[name=trust]").click()
    expect(page.locator("#check .check-verdict.is-good")).to_be_visible(timeout=SOON)
    assert "secret" not in page.locator("#check").inner_text().split()
    page.locator("#account .button.is-main").click()
    page.wait_for_url("**/setup/done")  # the last step, not the mailbox alone


def _choose(page: Page, name: str, value: str) -> None:
    """In a list or among radio buttons, whichever the form has."""
    if page.locator(f"select[name={name}]").count():
        page.locator(f"select[name={name}]").select_option(value)
    else:
        page.locator(f"input[name={name}][value={value}]").check()


def _sees_the_letter(page: Page, subject: str) -> None:
    """Seconds after it came (R14), in the list and whole."""
    deadline = datetime.now(UTC).timestamp() + SOON / 1000
    page.goto("/letters/")
    while not page.get_by_text(subject).count():
        assert datetime.now(UTC).timestamp() < deadline, f"{subject} is not here"
        page.wait_for_timeout(250)
        page.goto("/letters/")
    page.get_by_text(subject).first.click()
    expect(page.locator("main")).to_contain_text("¿Queda alguna lámpara?")
    expect(page.locator("main")).to_contain_text("eva@correo.example")


def _is_closed_to_others(windows: Windows[Up], address: str) -> None:
    """The first step is gone once there is an administrator."""
    windows.forgive(r"404 \(Not Found\)")
    stranger = windows.open()
    answer = stranger.goto(address)
    assert answer
    assert answer.status == 404


def _letter(subject: str) -> bytes:
    return (
        f"From: Eva Lago <eva@correo.example>\r\nTo: pedidos@olivo.example\r\n"
        f"Subject: {subject}\r\nDate: {format_datetime(datetime.now(UTC))}\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@correo.example>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n¿Queda alguna lámpara?\r\n"
    ).encode()
