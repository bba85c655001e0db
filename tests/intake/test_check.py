"""The connection doctor, against servers that speak the protocol."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from buzon.demo.server import MailServer, Mailstore, Options
from buzon.desk.models import Organization
from buzon.intake.accounts import AccountError, add_account, change_account
from buzon.intake.check import Step, check_account, check_values, step_title
from buzon.intake.check_step import grouped
from buzon.intake.models import CollectionAccount

LOGIN = "ana@tienda.example"
Serve = Callable[..., MailServer]


@pytest.fixture
def mail() -> Mailstore:
    store = Mailstore()
    box = store.add_login(LOGIN, "secret")
    box.add_folder("Enviados", special_use="\\Sent")
    box.add_folder("Papelera", special_use="\\Trash")
    for number in range(3):
        box.folder().deliver(f"Subject: {number}\r\n\r\nHola\r\n".encode())
    return store


@pytest.fixture
def serve(mail: Mailstore) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(protocol: str = "imap", security: str = "tls", **options: Any) -> MailServer:
            server = MailServer(
                mail, protocol=protocol, security=security, options=Options(**options)
            )
            return stack.enter_context(server)

        yield start


@pytest.fixture
def shop(db: None, settings: Settings) -> Organization:
    settings.BUZON_CONNECT_TIMEOUT_SECONDS = 5.0
    settings.BUZON_READ_TIMEOUT_SECONDS = 5.0
    return Organization.objects.create(name="Shop")


def account_on(
    shop: Organization, server: MailServer, *, trusted: bool = True, **fields: Any
) -> CollectionAccount:
    """An account that would work on this server."""
    values: dict[str, Any] = {
        "name": "sales",
        "host": server.host,
        "port": server.port,
        "username": LOGIN,
        "secret": "secret",
        "protocol": server.protocol,
        "security": server.security,
        "pinned_sha256": server.certificate_sha256 if trusted else "",
    }
    return add_account(shop, **(values | fields))


def names(steps: list[Step]) -> list[str]:
    return [step.name for step in steps]


def found(steps: list[Step], name: str) -> Step:
    return next(step for step in steps if step.name == name)


def last(steps: list[Step]) -> Step:
    """The failure that ended it."""
    assert not steps[-1].ok
    assert all(step.ok for step in steps[:-1])
    return steps[-1]


WAY_IN = ["resolve", "connect", "encryption", "certificate", "login"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_imap_that_works(shop: Organization, serve: Serve, mail: Mailstore, security: str) -> None:
    steps = check_account(account_on(shop, serve(security=security)))
    assert names(steps) == [*WAY_IN, "folder", "deletion", "messages"]
    assert all(step.ok for step in steps)
    assert found(steps, "folder").detail == "INBOX is there, with 3 messages."
    assert found(steps, "deletion").detail == "Nothing is removed or marked."
    assert found(steps, "messages").detail == "3 messages."
    assert not mail.deeds("stored", "expunged", "moved", "fetched-body", "selected")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_pop3_that_works(shop: Organization, serve: Serve, mail: Mailstore, security: str) -> None:
    account = account_on(shop, serve("pop3", security), after="delete")
    steps = check_account(account)
    assert names(steps) == [*WAY_IN, "deletion", "messages"]
    assert all(step.ok for step in steps)
    assert "3 messages" in found(steps, "messages").detail
    assert "QUIT" in found(steps, "deletion").detail
    assert len(mail.logins[LOGIN].folder().messages) == 3
    assert not mail.deeds("deleted", "marked-deleted", "retrieved")


def test_without_encryption_says_so(shop: Organization, serve: Serve) -> None:
    """R3: it works where the administrator said so, and says what that means."""
    server = serve(security="none")
    steps = check_account(account_on(shop, server, trusted=False))
    assert names(steps) == ["resolve", "connect", "encryption", "login", "folder", "deletion",
                            "messages"]  # fmt: skip
    assert "readable by everybody" in found(steps, "encryption").detail


def test_an_untrusted_certificate_shows_what_to_pin(shop: Organization, serve: Serve) -> None:
    server = serve()
    account = account_on(shop, server, trusted=False)
    step = last(check_account(account))
    assert step.name == "certificate"
    assert server.certificate_sha256 in step.detail
    assert (step.field, step.pin) == ("pinned_sha256", server.certificate_sha256)
    change_account(account, pinned_sha256=server.certificate_sha256)
    assert all(step.ok for step in check_account(account))


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("pinned", ["", "ab" * 32])
def test_a_refused_certificate_is_shown_and_the_advice_is_said_once(
    shop: Organization, serve: Serve, protocol: str, security: str, pinned: str
) -> None:
    server = serve(protocol, security)
    step = last(check_account(account_on(shop, server, pinned_sha256=pinned)))
    assert step.name == "certificate"
    assert ("is not the pinned one" if pinned else "is not trusted") in step.detail
    assert f"SHA-256 is {server.certificate_sha256}" in step.detail
    assert step.pin == server.certificate_sha256
    assert f"{step.detail} {step.remedy}".count("owner confirms") == 1


def test_a_name_that_does_not_exist(shop: Organization, serve: Serve) -> None:
    account = account_on(shop, serve(), host="nowhere.invalid")
    step = last(check_account(account))
    assert step.name == "resolve"
    assert "nowhere.invalid was not found" in step.detail
    assert step.field == "host"


def test_a_port_where_nobody_listens(shop: Organization, serve: Serve) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    step = last(check_account(account_on(shop, serve(), port=free)))
    assert step.name == "connect"
    assert "Could not connect" in step.detail
    assert "993" in step.remedy
    assert step.field == "port"


def test_a_private_host_where_that_is_forbidden(
    shop: Organization, serve: Serve, settings: Settings
) -> None:
    settings.BUZON_ALLOW_PRIVATE_HOSTS = False
    step = last(check_account(account_on(shop, serve())))
    assert step.name == "connect"
    assert "BUZON_ALLOW_PRIVATE_HOSTS" in step.remedy


def test_tls_where_the_server_speaks_in_the_clear(
    shop: Organization, serve: Serve, settings: Settings
) -> None:
    settings.BUZON_CONNECT_TIMEOUT_SECONDS = 1.0
    step = last(check_account(account_on(shop, serve(security="starttls"), security="tls")))
    assert step.name == "encryption"
    assert "try STARTTLS" in step.remedy
    assert step.field == "security"


def test_starttls_where_the_server_has_none(shop: Organization, serve: Serve) -> None:
    server = serve(security="none")
    account = account_on(shop, server, trusted=False, security="starttls")
    step = last(check_account(account))
    assert step.name == "encryption"
    assert "try TLS" in step.remedy
    assert step.field == "security"


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_wrong_password(shop: Organization, serve: Serve, protocol: str) -> None:
    step = last(check_account(account_on(shop, serve(protocol), secret="wrong")))
    assert step.name == "login"
    assert "app password" in step.remedy
    assert step.field == "username"


@pytest.mark.parametrize(("protocol", "code"), [("imap", "[UNAVAILABLE]"), ("pop3", "[SYS/TEMP]")])
def test_a_server_that_says_not_now(
    shop: Organization, serve: Serve, protocol: str, code: str
) -> None:
    step = last(check_account(account_on(shop, serve(protocol, login_code=code))))
    assert step.name == "session"
    assert "later" in step.remedy


@pytest.mark.parametrize(("spoken", "chosen"), [("imap", "pop3"), ("pop3", "imap")])
def test_a_server_of_the_other_protocol(
    shop: Organization, serve: Serve, spoken: str, chosen: str
) -> None:
    server = serve(spoken, "none")
    step = last(check_account(account_on(shop, server, trusted=False, protocol=chosen)))
    assert "the protocol, the port and the encryption" in step.remedy
    assert (step.name, step.field) == ("session", "protocol")


def test_in_the_clear_where_the_server_waits_for_tls(
    shop: Organization, serve: Serve, settings: Settings
) -> None:
    settings.BUZON_READ_TIMEOUT_SECONDS = 1.0
    server = serve()
    step = last(check_account(account_on(shop, server, trusted=False, security="none")))
    assert f"if port {server.port} is right, try TLS" in step.remedy
    assert (step.name, step.field) == ("session", "security")


def test_a_missing_folder_names_those_that_exist(shop: Organization, serve: Serve) -> None:
    account = account_on(shop, serve(), folders=["INBOX", "Ventas"], sent_folders=["Sent"])
    steps = check_account(account)
    missing = [step for step in steps if not step.ok]
    assert [step.detail for step in missing] == [
        "There is no folder Ventas.",
        "There is no folder Sent.",
    ]
    assert [step.field for step in missing] == ["folders", "sent_folders"]
    assert "INBOX, Enviados, Papelera" in missing[0].remedy
    assert "Enviados holds the sent letters" not in missing[0].remedy
    assert "Enviados holds the sent letters" in missing[1].remedy
    assert found(steps, "messages").detail == "3 messages."  # the others were looked at


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "Exactly the collected messages"),
        ({"uidplus": False}, "move to Papelera"),
        ({"uidplus": False, "move": False}, "only marked as deleted"),
        ({"gmail": True}, "moves to Papelera"),
    ],
)
def test_r6_what_deletion_would_do(
    shop: Organization, serve: Serve, options: dict[str, bool], told: str
) -> None:
    steps = check_account(account_on(shop, serve(**options), after="delete"))
    step = found(steps, "deletion")
    assert step.ok
    assert told in step.detail


def test_r6_gmail_that_shows_no_bin(shop: Organization, serve: Serve, mail: Mailstore) -> None:
    mail.logins[LOGIN].remove_folder("Papelera")
    step = found(check_account(account_on(shop, serve(gmail=True), after="delete")), "deletion")
    assert "only archives" in step.detail
    assert "bin" in step.remedy


def test_pop3_without_uidl_and_top_says_what_that_means(shop: Organization, serve: Serve) -> None:
    server = serve("pop3", uidl=False, top=False)
    account = account_on(shop, server, after="delete")
    steps = check_account(account)
    assert all(step.ok for step in steps)
    assert "no UIDL" in found(steps, "deletion").detail
    assert "retrieved to decide" in found(steps, "messages").remedy
    change_account(account, create_customer=True)
    assert found(check_account(account), "messages").remedy == ""


def test_keys_that_do_not_open_the_secret(
    shop: Organization, serve: Serve, settings: Settings
) -> None:
    account = account_on(shop, serve())
    settings.BUZON_KEYS = "second:" + "B" * 43 + "="
    steps = check_account(account)
    assert names(steps) == ["secret"]
    assert not steps[0].ok


def form(server: MailServer, **fields: Any) -> dict[str, Any]:
    """What a form holds that would work on this server, without a name."""
    return {
        "host": server.host,
        "port": server.port,
        "username": LOGIN,
        "protocol": server.protocol,
        "security": server.security,
        "pinned_sha256": server.certificate_sha256,
    } | fields


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_values_that_are_not_saved_are_checked_like_an_account(
    shop: Organization, serve: Serve, protocol: str
) -> None:
    server = serve(protocol)
    steps = check_values(shop, secret="secret", **form(server))
    assert steps == check_account(account_on(shop, server))
    assert all(step.ok for step in steps)
    assert last(check_values(shop, secret="wrong", **form(server))).name == "login"
    assert CollectionAccount.objects.count() == 1  # the one that was added above


def test_values_name_folders_that_are_missing(shop: Organization, serve: Serve) -> None:
    steps = check_values(
        shop, secret="secret", folders=["INBOX", "Ventas"], sent_folders=["Enviados"],
        **form(serve(), after="delete"),
    )  # fmt: skip
    assert [(step.field, step.detail) for step in steps if not step.ok] == [
        ("folders", "There is no folder Ventas.")
    ]
    assert "UIDPLUS" in found(steps, "deletion").detail


def test_values_may_use_the_password_that_is_saved(shop: Organization, serve: Serve) -> None:
    server = serve()
    account = account_on(shop, server, secret="secret", port=1)
    steps = check_values(shop, secret=None, saved=account, **form(server))
    assert all(step.ok for step in steps)
    account.refresh_from_db()
    assert account.port == 1


def test_values_that_make_no_sense_ask_no_server(shop: Organization, serve: Serve) -> None:
    server = serve()
    with pytest.raises(AccountError) as refused:
        check_values(shop, secret="", **form(server, host="", port=0))
    assert [field for field, _ in refused.value.all] == ["host", "port", "secret"]
    with pytest.raises(TypeError):
        check_values(shop, secret=None, **form(server))


def test_every_step_has_a_title(shop: Organization, serve: Serve) -> None:
    steps = check_account(account_on(shop, serve()))
    titles = [step_title(name) for name in names(steps)]
    assert titles[0] == "Server's name"
    assert len(set(titles)) == len(titles)
    with pytest.raises(KeyError):
        step_title("weather")


def test_no_sentence_speaks_of_the_terminal(shop: Organization, serve: Serve) -> None:
    """Page and terminal say in their own way how a field is changed."""
    server = serve()
    wrong = [
        {"host": "nowhere.invalid"}, {"port": 1}, {"pinned_sha256": ""},
        {"username": "nobody"},
    ]  # fmt: skip
    for values in wrong:
        step = last(check_values(shop, secret="secret", **form(server, **values)))
        assert step.field
        assert "--" not in step.detail + step.remedy


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_it_speaks_the_readers_language(shop: Organization, serve: Serve, protocol: str) -> None:
    values = form(serve(protocol), after="delete")
    english = check_values(shop, secret="secret", **values)
    with translation.override("es"):
        spanish = check_values(shop, secret="secret", **values)
        titles = [step_title(step.name) for step in spanish]
        refused = last(check_values(shop, secret="wrong", **values))
    assert names(spanish) == names(english)
    told = [step.name for step, other in zip(english, spanish, strict=True) if step == other]
    assert told == ["encryption"]  # "TLSv1.3."
    assert titles[:3] == ["Nombre del servidor", "Conexión", "Cifrado"]
    assert refused.detail.startswith("El servidor ha rechazado el acceso")
    assert "El servidor dijo: " in refused.detail
    assert "contraseña de aplicación" in refused.remedy


def test_what_openssl_says_is_translated_inside_the_sentence(
    shop: Organization, serve: Serve
) -> None:
    server = serve()
    with translation.override("es"):
        step = last(check_values(shop, secret="s", **form(server, pinned_sha256="")))
    assert step.pin == server.certificate_sha256
    assert "no es de confianza" in step.detail
    assert "certificate" not in step.detail


def test_big_numbers_are_written_the_readers_way() -> None:
    assert grouped(1234567) == "1,234,567"
    with translation.override("es"):
        assert grouped(1234567) == "1\xa0234\xa0567"
