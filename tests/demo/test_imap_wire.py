"""Octets on the wire: pipelines, literals, compression, names; what comes is what was delivered."""

import zlib

import pytest

from tests.demo.conftest import NAME, SECRET, letter

LOGIN = f'l LOGIN {NAME} "{SECRET}"\r\n'.encode()
ODD = [b"", b"\r\n", b"a", b".\r\n", bytes(range(256)) * 300, b"\n.\r\n.\n", b"x" * 3_000_000]


@pytest.fixture
def client(serve, wire, box):
    """A socket that has logged in."""

    def connect(**options):
        one = wire(serve("imap", **options))
        one.send(LOGIN)
        one.until(b"l OK")
        one.until(b"\r\n")
        return one

    return connect


def test_many_commands_in_one_write(client, box):
    for octets in ODD:
        box.folder().deliver(octets)
    one = client()
    numbers = range(1, len(ODD) + 1)
    fetches = b"".join(b"f%d UID FETCH %d BODY.PEEK[]\r\n" % (n, n) for n in numbers)
    one.send(b"e EXAMINE INBOX\r\n" + fetches + b"z LOGOUT\r\n")
    one.until(b"e OK")
    one.until(b"\r\n")
    expected = b"".join(
        b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\nf%d OK Fetched.\r\n"
        % (n, n, len(octets), octets, n)
        for n, octets in zip(numbers, ODD, strict=True)
    )
    assert one.rest().startswith(expected)


def test_slices_put_together_are_the_message(client, box):
    octets = bytes(range(256)) * 10
    box.folder().deliver(octets)
    one = client()
    one.send(b"e EXAMINE INBOX\r\n")
    one.until(b"e OK")
    one.until(b"\r\n")
    found = b""
    for origin in range(0, 3000, 1000):
        one.send(b"a UID FETCH 1 BODY.PEEK[]<%d.1000>\r\n" % origin)
        head = one.until(b"}\r\n")
        size = int(head.rpartition(b"{")[2][:-3])
        assert b"BODY[]<%d> " % origin in head
        answer = one.until(b"a OK Fetched.\r\n")
        found += answer[:size]
    assert found == octets


def test_a_literal_waits_for_leave(client):
    one = client()
    one.send(b"a SELECT {5}\r\n")
    assert one.until(b"\r\n").startswith(b"+ ")
    one.send(b"inbox\r\n")
    assert one.until(b"a OK").endswith(b"a OK")


def test_append_keeps_every_octet(client, box):
    octets = letter("Ñ") + b"\xff\x80 bare \n and \r"
    one = client()
    one.send(b'a APPEND INBOX (\\Seen $x) " 7-Feb-1994 21:52:25 -0800" {%d+}\r\n' % len(octets))
    one.send(octets + b"\r\n")
    inbox = box.folder()
    assert one.until(b"\r\n").startswith(b"a OK [APPENDUID %d 1]" % inbox.uidvalidity)
    (message,) = inbox.messages
    assert message.octets == octets
    assert message.flags == {"\\Seen", "$x"}
    assert message.internal_date.isoformat() == "1994-02-07T21:52:25-08:00"


def test_literals_without_leave_end_the_session_where_unknown(client):
    one = client(literal_plus=False)
    one.send(b"a SELECT {5+}\r\ninbox\r\n")
    assert one.rest().startswith(b"* BYE")


def test_a_literal_that_is_too_big_is_not_read(serve, wire):
    one = wire(serve("imap"))
    one.send(b"a LOGIN {99999999}\r\n")
    assert b"* BYE [TOOBIG]" in one.rest()


def test_a_line_without_end(serve, wire):
    one = wire(serve("imap"))
    one.send(b"a" * 70_000)
    assert one.rest().endswith(b"* BYE The line is too long.\r\n")


@pytest.mark.parametrize("line", [b"", b"\xff\xfe NOOP", b"a", b"* NOOP", b"a  NOOP", b"a NOOP x"])
def test_what_is_no_command_is_answered_so(client, line):
    one = client()
    one.send(line + b"\r\n")
    assert b" BAD " in one.until(b"\r\n")
    one.send(b"b NOOP\r\n")
    assert one.until(b"\r\n").startswith(b"b OK")


def test_compressed_both_ways(client, box):
    octets = letter("x" * 70_000)
    box.folder().deliver(octets)
    one = client()
    one.send(b"c COMPRESS DEFLATE\r\n")
    assert one.until(b"\r\n").startswith(b"c OK")
    pack, unpack = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    typed = b"d COMPRESS DEFLATE\r\ne EXAMINE INBOX\r\nf FETCH 1 BODY.PEEK[]\r\ni IDLE\r\n"
    one.send(pack.compress(typed) + pack.flush(zlib.Z_SYNC_FLUSH))
    answer = b""
    while b"+ Waiting" not in answer:
        answer += unpack.decompress(one.socket.recv(65536))
    assert b"d NO [COMPRESSIONACTIVE]" in answer
    assert octets in answer
    one.send(pack.compress(b"DONE\r\nz LOGOUT\r\n") + pack.flush(zlib.Z_SYNC_FLUSH))
    assert b"i OK" in unpack.decompress(one.rest())


NAMES = ["Año & café", "日本/語", "a&-b", 'with "quotes" and \\', "𝄞"]
SPELLED = [b'"A&APE-o &- caf&AOk-"', b'"&ZeVnLA-/&ip4-"', b'"a&--b"']
SPELLED += [b'"with \\"quotes\\" and \\\\"', b'"&2DTdHg-"']


@pytest.mark.parametrize(("name", "spelled"), list(zip(NAMES, SPELLED, strict=True)))
def test_modified_utf_7(client, box, name, spelled):
    box.add_folder(name)
    one = client()
    one.send(b'a LIST "" *\r\nb EXAMINE ' + spelled + b"\r\n")
    assert b'"/" ' + spelled + b"\r\n" in one.until(b"a OK")
    one.until(b"b OK")


@pytest.mark.parametrize("name", NAMES)
def test_utf_8_names_once_enabled(client, box, name):
    box.add_folder(name)
    one = client(utf8_accept=True)
    spelled = '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"')).encode()
    one.send(b'e ENABLE UTF8=ACCEPT\r\na LIST "" *\r\nb EXAMINE ' + spelled + b"\r\n")
    assert one.until(b"e OK").startswith(b"* ENABLED UTF8=ACCEPT\r\n")
    assert b'"/" ' + spelled + b"\r\n" in one.until(b"a OK")
    one.until(b"b OK")


@pytest.mark.parametrize("name", [b'"&"', b'"&zz"', b'"&!!-"', b'"&AA-"'])
def test_names_that_are_not_encoded(client, name):
    one = client()
    one.send(b"a EXAMINE " + name + b"\r\n")
    assert one.until(b"\r\n").startswith(b"a BAD")


def test_list_with_wildcards_attributes_and_status(client, box):
    for name in ("Clientes/2024", "Clientes/2025", "Enviados"):
        box.add_folder(name, special_use="\\Sent" if name == "Enviados" else "")
    box.folder("Enviados").deliver(letter())
    one = client()
    one.send(b'a LIST "" %\r\n')
    assert one.until(b"a OK") == (
        b'* LIST (\\HasNoChildren) "/" "INBOX"\r\n'
        b'* LIST (\\Noselect \\HasChildren) "/" "Clientes"\r\n'
        b'* LIST (\\HasNoChildren \\Sent) "/" "Enviados"\r\n'
        b"a OK"
    )
    one.send(b'b LIST "Clientes/" *5\r\n')
    assert one.until(b"b OK").endswith(b'* LIST (\\HasNoChildren) "/" "Clientes/2025"\r\nb OK')
    one.send(b'c LIST (SPECIAL-USE) "" (* %) RETURN (STATUS (MESSAGES UIDNEXT))\r\n')
    assert one.until(b"c OK").endswith(
        b'* LIST (\\HasNoChildren \\Sent) "/" "Enviados"\r\n'
        b'* STATUS "Enviados" (MESSAGES 1 UIDNEXT 2)\r\nc OK'
    )


def test_folders_are_made_renamed_and_removed(client, box):
    one = client()
    commands = (b"CREATE Uno/Dos", b"CREATE Uno", b"SUBSCRIBE Uno", b"RENAME Uno Tres")
    for command in commands:
        one.send(b"a " + command + b"\r\n")
        assert one.until(b"\r\n").startswith(b"a OK"), command
    assert set(box.folders) == {"INBOX", "Tres", "Tres/Dos"}
    refused = (b"CREATE Tres", b"DELETE INBOX", b"DELETE Uno", b"RENAME Tres INBOX")
    for command in refused:
        one.send(b"a " + command + b"\r\n")
        assert one.until(b"\r\n").startswith(b"a NO"), command
    one.send(b"a DELETE Tres\r\n")
    assert one.until(b"\r\n").startswith(b"a OK")
    assert set(box.folders) == {"INBOX", "Tres/Dos"}


@pytest.mark.parametrize(
    "section", [b"HEADER.FIELDS", b"0", b"1..2", b"MIME", b"TEXT.1", b"1" * 5000, b"]<1>", b"]<.1>"]
)
def test_sections_that_are_none(client, box, section):
    box.folder().deliver(letter())
    one = client()
    one.send(b"e EXAMINE INBOX\r\na FETCH 1 BODY.PEEK[" + section + b"]\r\n")
    one.until(b"e OK")
    one.until(b"\r\n")
    assert one.until(b"\r\n").startswith(b"a BAD")


def test_without_uidnext(client):
    one = client(uidnext=False)
    one.send(b"a EXAMINE INBOX\r\nb STATUS INBOX (UIDNEXT MESSAGES)\r\n")
    answer = one.until(b"b OK")
    assert b"[UIDNEXT" not in answer
    assert b'* STATUS "INBOX" (MESSAGES 0)' in answer


def test_gmail_shows_its_own_items(client, box):
    box.folder().deliver(letter())
    one = client(gmail=True)
    one.send(b"a EXAMINE INBOX\r\nb UID FETCH 1 (X-GM-MSGID X-GM-THRID X-GM-LABELS)\r\n")
    assert b"X-GM-LABELS ())" in one.until(b"b OK")
