"""POP3 octet by octet: pipelines, dots, what is not offered, logging in, and the hostile UIDLs."""

import base64

import pytest

from tests.demo.conftest import NAME, SECRET, letter

USER = f"USER {NAME}\r\n".encode()
LOGIN = USER + f"PASS {SECRET}\r\n".encode()
TOKEN = "ya29.token"


@pytest.fixture
def client(serve, wire, box):
    """A socket that has logged in."""

    def connect(**options):
        one = wire(serve("pop3", **options))
        one.until(b"\r\n")
        one.send(USER)
        one.until(b"\r\n")
        one.send(f"PASS {SECRET}\r\n".encode())
        assert one.until(b"\r\n").startswith(b"+OK")
        return one

    return connect


@pytest.fixture
def greeted(serve, wire, box):
    """A socket that has read the greeting, and its server."""

    def connect(security="none", **options):
        server = serve("pop3", security, **options)
        one = wire(server)
        assert one.until(b"\r\n").startswith(b"+OK")
        return server, one

    return connect


def says(one, command: bytes) -> bytes:
    one.send(command + b"\r\n")
    return one.until(b"\r\n")


def code(text: str) -> bytes:
    return base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("octets", "sent"),
    [
        (b"", b"\r\n"),
        (b".", b"..\r\n"),
        (b"a: b\r\n\r\n.\r\n..\r\nx.\r\n", b"a: b\r\n\r\n..\r\n...\r\nx.\r\n"),
        (b"no end", b"no end\r\n"),
        (b"bare\n.\nlf\n", b"bare\n.\nlf\n\r\n"),
        (b"\x00\xff\r\r\n", b"\x00\xff\r\r\n"),
        (b"x" * 2_000_000 + b"\r\n", b"x" * 2_000_000 + b"\r\n"),
    ],
)
def test_the_octets_dot_stuffed_and_nothing_else(client, box, octets, sent):
    box.folder().deliver(octets)
    one = client()
    size = len(octets) if octets.endswith(b"\r\n") else len(octets) + 2
    assert says(one, b"LIST 1") == b"+OK 1 %d\r\n" % size
    assert says(one, b"RETR 1") == b"+OK %d octets\r\n" % size
    one.send(b"QUIT\r\n")
    assert one.rest() == sent + b".\r\n+OK Good-bye.\r\n"


def test_many_commands_in_one_write(greeted, box):
    for number in range(300):
        box.folder().deliver(letter(str(number)))
    _, one = greeted()
    commands = b"".join(b"RETR %d\r\nDELE %d\r\n" % (n, n) for n in range(1, 301))
    one.send(LOGIN + b"STAT\r\n" + commands + b"QUIT\r\n")
    answer = one.rest()
    assert answer.count(b"+OK") == 3 + 600 + 1
    assert b"Subject: 299\r\n" in answer
    assert box.folder().messages == []


def test_without_pipelining_what_is_typed_ahead_is_lost(greeted):
    _, one = greeted(pipelining=False)
    one.send(b"NOOP\r\n" * 5)
    assert one.until(b"\r\n").startswith(b"-ERR")
    one.send(b"QUIT\r\n")
    assert one.rest() == b"+OK Good-bye.\r\n"


def test_top(client, box, store):
    box.folder().deliver(b"a: b\r\nc: d\r\n\r\n.one\r\ntwo\r\nthree")
    box.folder().deliver(b"only: header")
    one = client()
    for lines, body in ((0, b""), (1, b"..one\r\n"), (9, b"..one\r\ntwo\r\nthree\r\n")):
        assert says(one, b"TOP 1 %d" % lines) == b"+OK\r\n"
        assert one.until(b"\r\n.\r\n") == b"a: b\r\nc: d\r\n\r\n" + body + b".\r\n"
    assert says(one, b"TOP 2 0") == b"+OK\r\n"
    assert one.until(b"\r\n.\r\n") == b"only: header\r\n.\r\n"
    assert [deed.uid for deed in store.deeds("top")] == [1, 1, 1, 2]
    assert not store.deeds("retrieved")


@pytest.mark.parametrize(
    "command",
    [
        b"RETR 0",
        b"RETR 3",
        b"RETR -1",
        b"RETR x",
        b"RETR " + b"9" * 5000,
        b"RETR",
        b"TOP 1",
        b"TOP 1 x",
        b"DELE 3",
        b"LIST 3",
        b"UIDL 3",
        b"USER ana",
        b"STLS",
        b"FROBNICATE",
        b"",
        b"\xff",
    ],
)
def test_what_is_refused(client, box, command):
    box.folder().deliver(letter())
    box.folder().deliver(letter())
    one = client()
    assert says(one, command).startswith(b"-ERR")
    assert says(one, b"NOOP") == b"+OK\r\n"


def test_a_marked_message_is_no_longer_there_until_reset(client, box, store):
    for _ in range(2):
        box.folder().deliver(letter())
    one = client()
    assert says(one, b"DELE 1").startswith(b"+OK")
    for command in (b"DELE 1", b"RETR 1", b"UIDL 1", b"TOP 1 0"):
        assert says(one, command).startswith(b"-ERR")
    assert says(one, b"STAT").startswith(b"+OK 1 ")
    assert says(one, b"RSET").startswith(b"+OK")
    assert says(one, b"STAT").startswith(b"+OK 2 ")
    assert says(one, b"QUIT").startswith(b"+OK")
    assert len(box.folder().messages) == 2
    assert not store.deeds("deleted")


def test_a_message_that_another_session_removed(client, box):
    box.folder().deliver(letter())
    one = client()
    box.folder().expunge(1)
    box.folder().deliver(letter("later"))
    assert says(one, b"RETR 1").startswith(b"-ERR")
    assert says(one, b"STAT").startswith(b"+OK 1 "), "a maildrop stays as it was at login"


@pytest.mark.parametrize(
    ("option", "capability", "command"),
    [("uidl", b"UIDL", b"UIDL 1"), ("top", b"TOP", b"TOP 1 0")],
)
def test_what_is_not_offered_is_not_there(client, box, option, capability, command):
    box.folder().deliver(letter())
    for is_on in (True, False):
        one = client(**{option: is_on})
        one.send(b"CAPA\r\n")
        assert (capability in one.until(b"\r\n.\r\n").splitlines()) == is_on
        assert says(one, command).startswith(b"+OK" if is_on else b"-ERR")
        one.send(b"QUIT\r\n")
        one.rest()


def test_without_capa_all_else_works(client, box):
    box.folder().deliver(letter())
    one = client(capa=False)
    assert says(one, b"CAPA").startswith(b"-ERR")
    assert says(one, b"UIDL 1").startswith(b"+OK 1 ")


def test_uidls_of_ones_own(client, box):
    for _ in range(3):
        box.folder().deliver(letter())
    hostile = {1: "same", 2: "same", 3: b"\x01\xff" + b"x" * 300}
    box.pop3_uidl = lambda message: hostile[message.uid]
    one = client()
    assert says(one, b"UIDL").startswith(b"+OK")
    lines = b"1 same\r\n2 same\r\n3 \x01\xff" + b"x" * 300 + b"\r\n.\r\n"
    assert one.until(b".\r\n") == lines
    assert says(one, b"UIDL 2") == b"+OK 2 same\r\n"


XOAUTH2 = code(f"user={NAME}\1auth=Bearer {TOKEN}\1\1")


@pytest.mark.parametrize(
    ("mechanism", "answer"),
    [
        ("PLAIN", code(f"\0{NAME}\0{SECRET}")),
        ("XOAUTH2", XOAUTH2),
        ("OAUTHBEARER", code(f"n,a={NAME},\1auth=Bearer {TOKEN}\1\1")),
    ],
)
@pytest.mark.parametrize("is_initial", [True, False])
def test_auth(greeted, store, mechanism, answer, is_initial):
    _, one = greeted(auth=(mechanism,), oauth_token=TOKEN)
    one.send(b"CAPA\r\n")
    assert b"SASL " + mechanism.encode() in one.until(b"\r\n.\r\n").splitlines()
    command = b"AUTH " + mechanism.encode()
    if is_initial:
        line = says(one, command + b" " + answer)
    else:
        assert says(one, command) == b"+ \r\n"
        line = says(one, answer)
    assert line.startswith(b"+OK")
    assert [deed.what for deed in store.ledger] == ["logged-in"]


def test_auth_login(greeted):
    _, one = greeted()
    assert says(one, b"AUTH LOGIN") == b"+ VXNlcm5hbWU6\r\n"
    assert says(one, code(NAME)) == b"+ UGFzc3dvcmQ6\r\n"
    assert says(one, code(SECRET)).startswith(b"+OK")


def test_a_wrong_token_is_explained_before_it_is_refused(greeted):
    _, one = greeted(auth=("XOAUTH2",), oauth_token="another")
    challenge = says(one, b"AUTH XOAUTH2 " + XOAUTH2)
    assert b'"status":"401"' in base64.b64decode(challenge.removeprefix(b"+ "))
    assert says(one, b"").startswith(b"-ERR [AUTH]")


@pytest.mark.parametrize(
    "command", [b"PASS x", b"AUTH GSSAPI", b"AUTH PLAIN !!", b"AUTH", b"STAT", b"UIDL", b"STLS"]
)
def test_what_is_refused_before_login(greeted, command):
    _, one = greeted()
    assert says(one, command).startswith(b"-ERR")


def test_auth_can_be_cancelled(greeted):
    _, one = greeted()
    assert says(one, b"AUTH PLAIN") == b"+ \r\n"
    assert says(one, b"*").startswith(b"-ERR")


def test_login_may_be_answered_otherwise(greeted, store):
    _, one = greeted(auth_reply="-ERR [LOGIN-DELAY] minimum time between mail checks")
    says(one, USER.strip())
    answer = says(one, f"PASS {SECRET}".encode())
    assert answer == b"-ERR [LOGIN-DELAY] minimum time between mail checks\r\n"
    assert [deed.what for deed in store.ledger] == ["login-refused"]
    _, one = greeted(login_code="[SYS/PERM]")
    says(one, USER.strip())
    assert says(one, f"PASS {SECRET}".encode()).startswith(b"-ERR [SYS/PERM]")


def test_no_secret_in_the_clear_before_stls(greeted):
    server, one = greeted("starttls")
    one.send(b"CAPA\r\n")
    before = one.until(b"\r\n.\r\n").splitlines()
    assert b"STLS" in before
    assert b"USER" not in before
    assert says(one, USER.strip()).startswith(b"-ERR [AUTH]")
    assert says(one, b"AUTH PLAIN " + code(f"\0{NAME}\0{SECRET}")).startswith(b"-ERR [AUTH]")
    assert says(one, b"STLS").startswith(b"+OK")
    one.encrypt(server)
    one.send(b"CAPA\r\n")
    after = one.until(b"\r\n.\r\n").splitlines()
    assert b"STLS" not in after
    assert b"USER" in after
    assert says(one, b"STLS").startswith(b"-ERR")
    assert says(one, USER.strip()).startswith(b"+OK")
    assert says(one, f"PASS {SECRET}".encode()).startswith(b"+OK")


def test_what_was_typed_before_the_handshake_is_dropped(greeted, store):
    server, one = greeted("starttls", login_disabled_before_tls=False)
    one.send(USER + b"STLS\r\n" + LOGIN)
    one.until(b"\r\n")
    assert one.until(b"\r\n").startswith(b"+OK Begin")
    one.encrypt(server)
    assert says(one, b"NOOP").startswith(b"-ERR"), "nobody is logged in"
    assert says(one, f"PASS {SECRET}".encode()).startswith(b"-ERR"), "USER is forgotten too"
    assert not store.ledger


def test_login_command_may_be_off(greeted):
    _, one = greeted(login_command=False)
    one.send(b"CAPA\r\n")
    assert b"USER" not in one.until(b"\r\n.\r\n").splitlines()
    assert says(one, USER.strip()).startswith(b"-ERR [AUTH]")
    assert says(one, b"AUTH PLAIN " + code(f"\0{NAME}\0{SECRET}")).startswith(b"+OK")


def test_a_line_without_end(greeted):
    _, one = greeted()
    one.send(b"a" * 70_000)
    assert one.rest() == b"-ERR Line too long.\r\n"
