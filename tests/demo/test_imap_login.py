"""Logging in, being refused, and what is offered before and after."""

import base64

import pytest

from tests.demo.conftest import NAME, SECRET

TOKEN = "ya29.token"


def code(text: str) -> bytes:
    return base64.b64encode(text.encode())


PLAIN = code(f"\0{NAME}\0{SECRET}")
XOAUTH2 = f"user={NAME}\1auth=Bearer {TOKEN}\1\1"
OAUTHBEARER = f"n,a={NAME},\1host=h\1port=993\1auth=Bearer {TOKEN}\1\1"


def says(client, command: bytes) -> bytes:
    """The answer to one command with the tag "a"."""
    client.send(b"a " + command + b"\r\n")
    return client.until(b"\r\n")


@pytest.fixture
def greeted(serve, wire):
    """A socket that has read the greeting of a server with these options."""

    def connect(security="none", **options):
        server = serve("imap", security, **options)
        client = wire(server)
        return server, client, client.until(b"\r\n")

    return connect


def test_the_greeting_says_what_is_offered(greeted):
    _, _, greeting = greeted()
    assert greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
    assert b"UIDPLUS" not in greeting, "what needs a login is told after it"
    _, _, greeting = greeted(announce=False)
    assert greeting == b"* OK Buzon is ready.\r\n"


@pytest.mark.parametrize(
    ("mechanism", "answer"),
    [("PLAIN", PLAIN), ("XOAUTH2", code(XOAUTH2)), ("OAUTHBEARER", code(OAUTHBEARER))],
)
@pytest.mark.parametrize("is_initial", [True, False])
def test_sasl(greeted, store, mechanism, answer, is_initial):
    _, client, greeting = greeted(auth=(mechanism,), oauth_token=TOKEN)
    assert b"AUTH=" + mechanism.encode() in greeting
    if is_initial:
        line = says(client, b"AUTHENTICATE " + mechanism.encode() + b" " + answer)
    else:
        assert says(client, b"AUTHENTICATE " + mechanism.encode()) == b"+ \r\n"
        client.send(answer + b"\r\n")
        line = client.until(b"\r\n")
    assert line.startswith(b"a OK [CAPABILITY ")
    assert [deed.what for deed in store.ledger] == ["logged-in"]


def test_sasl_login(greeted):
    _, client, _ = greeted()
    assert says(client, b"AUTHENTICATE LOGIN") == b"+ VXNlcm5hbWU6\r\n"
    client.send(code(NAME) + b"\r\n")
    assert client.until(b"\r\n") == b"+ UGFzc3dvcmQ6\r\n"
    client.send(code(SECRET) + b"\r\n")
    assert client.until(b"\r\n").startswith(b"a OK")


@pytest.mark.parametrize(
    ("mechanism", "answer"), [("XOAUTH2", XOAUTH2), ("OAUTHBEARER", OAUTHBEARER)]
)
def test_a_wrong_token_is_explained_before_it_is_refused(greeted, store, mechanism, answer):
    _, client, _ = greeted(auth=(mechanism,), oauth_token="another")
    challenge = says(client, b"AUTHENTICATE " + mechanism.encode() + b" " + code(answer))
    assert b'"status":"401"' in base64.b64decode(challenge.removeprefix(b"+ "))
    client.send(b"\r\n")
    assert client.until(b"\r\n").startswith(b"a NO [AUTHENTICATIONFAILED]")
    assert store.ledger == [("login-refused", NAME, "", 0)]


def test_a_secret_with_quotes_and_literals(store, greeted):
    store.add_login('e"v\\a', "ñandú")
    _, client, _ = greeted()
    client.send(b'a LOGIN "e\\"v\\\\a" {7+}\r\n' + "ñandú".encode() + b"\r\n")
    assert client.until(b"\r\n").startswith(b"a OK")


def test_eight_bit_needs_a_literal(greeted):
    _, client, _ = greeted()
    assert says(client, 'LOGIN ana "ñandú"'.encode()).startswith(b"a BAD")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"LOGIN ana wrong", b"a NO [AUTHENTICATIONFAILED]"),
        (b"AUTHENTICATE PLAIN !!!", b"a BAD"),
        (b"AUTHENTICATE PLAIN " + code("no zeros"), b"a BAD"),
        (b"AUTHENTICATE GSSAPI", b"a NO"),
        (b"SELECT INBOX", b"a BAD"),
        (b"LOGIN ana", b"a BAD"),
        (b"STARTTLS", b"a BAD"),
        (b"FROBNICATE", b"a BAD"),
    ],
)
def test_what_is_refused_before_login(greeted, command, answer):
    _, client, _ = greeted()
    assert says(client, command).startswith(answer)


def test_authentication_can_be_cancelled(greeted):
    _, client, _ = greeted()
    assert says(client, b"AUTHENTICATE PLAIN") == b"+ \r\n"
    client.send(b"*\r\n")
    assert client.until(b"\r\n").startswith(b"a BAD")


def test_no_secret_in_the_clear_before_starttls(greeted):
    server, client, greeting = greeted("starttls")
    assert b"LOGINDISABLED" in greeting
    assert b"AUTH=" not in greeting
    login = f'LOGIN {NAME} "{SECRET}"'.encode()
    assert says(client, login).startswith(b"a NO [PRIVACYREQUIRED]")
    assert says(client, b"AUTHENTICATE PLAIN " + PLAIN).startswith(b"a NO [PRIVACYREQUIRED]")
    assert says(client, b"STARTTLS").startswith(b"a OK")
    client.encrypt(server)
    capabilities = says(client, b"CAPABILITY")
    assert b"STARTTLS" not in capabilities
    assert b"AUTH=PLAIN" in capabilities
    client.until(b"\r\n")
    assert says(client, login).startswith(b"a OK")


def test_what_was_typed_before_the_handshake_is_dropped(greeted, store):
    server, client, _ = greeted("starttls", login_disabled_before_tls=False)
    client.send(b"a STARTTLS\r\n" + f'b LOGIN {NAME} "{SECRET}"\r\nc NOOP\r\n'.encode())
    assert client.until(b"\r\n").startswith(b"a OK")
    client.encrypt(server)
    client.send(b"d NOOP\r\n")
    assert client.until(b"\r\n").startswith(b"d OK"), "neither b nor c is answered"
    assert not store.ledger


def test_refusing_by_number_and_by_code(greeted, store):
    login = f'LOGIN {NAME} "{SECRET}"'.encode()
    _, client, _ = greeted(refuse_logins=2, login_code="[UNAVAILABLE]")
    answers = [says(client, login) for _ in range(3)]
    assert [answer[:18] for answer in answers[:2]] == [b"a NO [UNAVAILABLE]"] * 2
    assert answers[2].startswith(b"a OK")
    assert [deed.what for deed in store.ledger] == ["login-refused"] * 2 + ["logged-in"]
    _, client, _ = greeted(login_code="[INUSE]")
    assert says(client, login).startswith(b"a NO [INUSE]")
    _, client, _ = greeted(auth_reply="NO Too many connections")
    assert says(client, login) == b"a NO Too many connections\r\n"
    _, client, _ = greeted(auth_reply="* BYE Come back later")
    client.send(b"a " + login + b"\r\n")
    assert client.rest() == b"* BYE Come back later\r\n"


def test_login_command_may_be_off(greeted):
    _, client, greeting = greeted(login_command=False)
    assert b"LOGINDISABLED" in greeting
    assert says(client, f'LOGIN {NAME} "{SECRET}"'.encode()).startswith(b"a NO")
    assert says(client, b"AUTHENTICATE PLAIN " + PLAIN).startswith(b"a OK")


def test_preauth(greeted, box, store):
    _, client, greeting = greeted("starttls", preauth=True)
    assert greeting.startswith(b"* PREAUTH [CAPABILITY ")
    assert says(client, b"STARTTLS").startswith(b"a BAD")
    assert says(client, f'LOGIN {NAME} "{SECRET}"'.encode()).startswith(b"a BAD")
    assert store.ledger == [("logged-in", NAME, "", 0)]


@pytest.mark.parametrize(
    ("option", "capability", "command"),
    [
        ("uidplus", b"UIDPLUS", b"UID EXPUNGE 1"),
        ("move", b"MOVE", b"UID MOVE 1 INBOX"),
        ("idle", b"IDLE", b"IDLE\r\nDONE"),
        ("compress", b"COMPRESS=DEFLATE", b"COMPRESS DEFLATE"),
        ("esearch", b"ESEARCH", b"UID SEARCH RETURN (ALL) ALL"),
        ("unselect", b"UNSELECT", b"UNSELECT"),
        ("namespace", b"NAMESPACE", b"NAMESPACE"),
        ("identify", b"ID", b"ID NIL"),
        ("condstore", b"CONDSTORE", b"UID FETCH 1 (MODSEQ)"),
    ],
)
def test_what_is_not_offered_is_not_there(greeted, option, capability, command):
    login = f'LOGIN {NAME} "{SECRET}"'.encode()
    for is_on in (True, False):
        _, client, _ = greeted(**{option: is_on})
        assert (capability in says(client, login).split(b"]")[0].split()) == is_on
        says(client, b"SELECT INBOX")
        client.until(b"a OK [READ-WRITE] Selected.\r\n")
        client.send(b"b " + command + b"\r\nc LOGOUT\r\n")
        assert (b"b BAD" in client.rest()) != is_on
