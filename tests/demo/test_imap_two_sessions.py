"""Message numbers stand still until a client is told: several sessions on one folder."""

import os
import resource
import threading
from contextlib import ExitStack

import pytest

from tests.demo.conftest import NAME, SECRET, letter


@pytest.fixture
def inbox(box):
    folder = box.folder()
    for number in range(5):
        folder.deliver(letter(str(number)))
    return folder


@pytest.fixture
def open_inbox(inbox, serve, wire):
    """A socket with INBOX selected; all of them on one server."""
    server = serve("imap")

    def connect(verb=b"SELECT"):
        client = wire(server)
        client.send(f'l LOGIN {NAME} "{SECRET}"\r\n'.encode() + b"s " + verb + b" INBOX\r\n")
        client.until(b"\r\ns OK")
        client.until(b"\r\n")
        return client

    return connect


def says(client, command: bytes) -> list[bytes]:
    client.send(b"a " + command + b"\r\n")
    lines = [client.until(b"\r\n")]
    while not lines[-1].startswith(b"a "):
        lines.append(client.until(b"\r\n"))
    return lines[:-1]


def test_new_mail_is_told_between_commands(inbox, open_inbox):
    client = open_inbox()
    inbox.deliver(letter("new"))
    assert says(client, b"FETCH 1 UID") == [
        b"* 1 FETCH (UID 1)\r\n",
        b"* 6 EXISTS\r\n",
        b"* 6 RECENT\r\n",
    ]
    assert says(client, b"NOOP") == []


def test_no_expunge_while_numbers_are_in_use(inbox, open_inbox):
    client = open_inbox()
    inbox.expunge(2, 4)
    assert says(client, b"FETCH 1:5 UID") == [
        b"* %d FETCH (UID %d)\r\n" % (n, n) for n in (1, 3, 5)
    ]
    assert says(client, b"SEARCH ALL") == [b"* SEARCH 1 3 5\r\n"]
    assert says(client, b"STORE 3 +FLAGS (\\Flagged)") == [
        b"* 3 FETCH (FLAGS (\\Flagged \\Recent))\r\n"
    ]
    assert says(client, b"NOOP") == [
        b"* 4 EXPUNGE\r\n",
        b"* 2 EXPUNGE\r\n",
        b"* 3 RECENT\r\n",
    ]
    assert says(client, b"FETCH 1:* UID") == [
        b"* %d FETCH (UID %d)\r\n" % pair for pair in ((1, 1), (2, 3), (3, 5))
    ]


def test_uid_commands_may_tell_expunges(inbox, open_inbox):
    client = open_inbox()
    inbox.expunge(1)
    assert says(client, b"UID FETCH 1:2 UID") == [
        b"* 2 FETCH (UID 2)\r\n",
        b"* 1 EXPUNGE\r\n",
        b"* 4 RECENT\r\n",
    ]


def test_fetching_what_is_gone_says_so(inbox, open_inbox):
    client = open_inbox()
    inbox.expunge(2)
    client.send(b"a FETCH 2 BODY.PEEK[]\r\n")
    assert client.until(b"\r\n").startswith(b"a OK [EXPUNGEISSUED]")


def test_flags_that_others_set_are_told_once(open_inbox):
    one, other = open_inbox(), open_inbox()
    assert says(one, b"UID STORE 2 +FLAGS.SILENT (\\Seen)") == []
    assert says(other, b"NOOP") == [b"* 2 FETCH (FLAGS (\\Seen))\r\n"]
    assert says(other, b"NOOP") == []
    assert says(one, b"NOOP") == []


def test_idle_tells_at_once(inbox, open_inbox):
    client = open_inbox()
    client.send(b"i IDLE\r\n")
    assert client.until(b"\r\n").startswith(b"+ ")
    later = threading.Timer(0.05, lambda: inbox.deliver(letter("new")))
    later.start()
    assert client.until(b"RECENT\r\n") == b"* 6 EXISTS\r\n* 6 RECENT\r\n"
    inbox.expunge(1)
    assert client.until(b"RECENT\r\n") == b"* 1 EXPUNGE\r\n* 5 RECENT\r\n"
    client.send(b"DONE\r\n")
    assert client.until(b"\r\n").startswith(b"i OK")
    later.join()


def test_idle_ends_with_done_alone(open_inbox):
    client = open_inbox()
    client.send(b"i IDLE\r\nNOOP\r\n")
    client.until(b"i BAD")


def test_idle_with_a_thousand_descriptors_open(inbox, open_inbox):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 4096), before[1]))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        for _ in range(1100):
            stack.callback(os.close, os.dup(0))
        client = open_inbox()
        client.send(b"i IDLE\r\n")
        client.until(b"+ Waiting.\r\n")
        inbox.deliver(letter("new"))
        client.until(b"* 6 EXISTS\r\n")


def test_recent_is_for_the_first_that_may_write(inbox, open_inbox):
    assert says(open_inbox(b"EXAMINE"), b"SEARCH RECENT") == [b"* SEARCH 1 2 3 4 5\r\n"]
    assert says(open_inbox(), b"SEARCH RECENT") == [b"* SEARCH 1 2 3 4 5\r\n"]
    assert says(open_inbox(), b"SEARCH RECENT") == [b"* SEARCH\r\n"]


@pytest.mark.parametrize("verb", [b"SELECT", b"EXAMINE"])
def test_only_a_fetch_without_peek_marks_seen(inbox, store, open_inbox, verb):
    client = open_inbox(verb)
    client.send(b"a FETCH 1 BODY.PEEK[]\r\nb FETCH 2 BODY[]\r\n")
    client.until(b"b OK")
    seen = [message.uid for message in inbox.messages if "\\Seen" in message.flags]
    assert seen == ([2] if verb == b"SELECT" else [])
    assert [deed.uid for deed in store.deeds("marked-seen")] == seen
    assert [deed.uid for deed in store.deeds("fetched-body")] == [1, 2]


@pytest.mark.parametrize("command", [b"STORE 1 +FLAGS (\\Deleted)", b"EXPUNGE", b"UID EXPUNGE 1"])
def test_examined_is_for_reading(inbox, open_inbox, command):
    inbox.set_flags(1, ["\\Deleted"])
    client = open_inbox(b"EXAMINE")
    client.send(b"a " + command + b"\r\nb CLOSE\r\n")
    assert client.until(b"\r\n").startswith(b"a NO [READ-ONLY]")
    assert client.until(b"\r\n").startswith(b"b OK")
    assert len(inbox.messages) == 5


def test_uid_expunge_removes_these_alone(inbox, store, open_inbox):
    for uid in (1, 2, 3):
        inbox.set_flags(uid, ["\\Deleted"])
    client = open_inbox()
    assert says(client, b"UID EXPUNGE 2:5") == [
        b"* 3 EXPUNGE\r\n",
        b"* 2 EXPUNGE\r\n",
        b"* 3 RECENT\r\n",
    ]
    assert [message.uid for message in inbox.messages] == [1, 4, 5]
    assert store.deeds("expunged") == [("expunged", NAME, "INBOX", uid) for uid in (2, 3)]
    assert store.commands[-1] == ("UID EXPUNGE", NAME, "INBOX")


def test_close_expunges_in_silence(inbox, open_inbox):
    inbox.set_flags(4, ["\\Deleted"])
    client = open_inbox()
    assert says(client, b"CLOSE") == []
    assert [message.uid for message in inbox.messages] == [1, 2, 3, 5]
    client.send(b"b FETCH 1 UID\r\n")
    assert client.until(b"\r\n").startswith(b"b BAD")


def test_move_tells_where_to(box, inbox, store, open_inbox):
    trash = box.add_folder("Papelera", special_use="\\Trash")
    trash.deliver(letter("old"))
    client = open_inbox()
    assert says(client, b"UID MOVE 2:3 Papelera") == [
        b"* OK [COPYUID %d 2:3 2:3] Moved.\r\n" % trash.uidvalidity,
        b"* 3 EXPUNGE\r\n",
        b"* 2 EXPUNGE\r\n",
        b"* 3 RECENT\r\n",
    ]
    assert [message.uid for message in trash.messages] == [1, 2, 3]
    assert [deed.uid for deed in store.deeds("moved")] == [2, 3]
    client.send(b"b UID MOVE 1 Nowhere\r\n")
    assert client.until(b"\r\n").startswith(b"b NO [TRYCREATE]")


def test_copy_keeps_flags_and_dates(box, inbox, open_inbox):
    inbox.set_flags(1, ["\\Seen", "$Label"])
    copies = box.add_folder("Copias")
    client = open_inbox()
    client.send(b"a COPY 1 Copias\r\n")
    assert b"a OK [COPYUID %d 1 1]" % copies.uidvalidity in client.until(b"\r\n")
    original, copy = inbox.get(1), copies.get(1)
    assert (copy.octets, copy.flags) == (original.octets, original.flags)
    assert copy.internal_date == original.internal_date


def test_condstore(inbox, open_inbox):
    client = open_inbox(b"EXAMINE")
    before = inbox.highest_modseq
    inbox.set_flags(3, ["\\Seen"])
    told = b"* 3 FETCH (UID 3 FLAGS (\\Recent \\Seen) MODSEQ (%d))\r\n" % (before + 1)
    command = b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % before
    assert told in says(client, command)
    writer = open_inbox()
    writer.send(b"a UID STORE 3,4 (UNCHANGEDSINCE %d) +FLAGS (\\Flagged)\r\n" % before)
    assert b"a OK [MODIFIED 3]" in writer.until(b"changed meanwhile.\r\n")
    assert "\\Flagged" not in inbox.get(3).flags
    assert "\\Flagged" in inbox.get(4).flags


@pytest.mark.parametrize("what", ["uidvalidity", "reset", "folder"])
def test_a_folder_that_is_another_ends_the_session(box, inbox, open_inbox, what):
    client = open_inbox()
    if what == "uidvalidity":
        inbox.uidvalidity = 7
    elif what == "reset":
        inbox.reset_uids()
    else:
        box.remove_folder("INBOX")
    client.send(b"a NOOP\r\n")
    assert client.rest().startswith(b"* BYE")


def test_gmail_archives_what_is_expunged(box, inbox, serve, wire):
    archive = box.add_folder("[Gmail]/Todos", special_use="\\All")
    octets = inbox.get(1).octets
    client = wire(serve("imap", gmail=True))
    client.send(f'l LOGIN {NAME} "{SECRET}"\r\ns SELECT INBOX\r\n'.encode())
    client.send(b"a UID STORE 1 +FLAGS (\\Deleted)\r\nb UID EXPUNGE 1\r\n")
    client.until(b"b OK")
    assert [message.octets for message in archive.messages] == [octets]
