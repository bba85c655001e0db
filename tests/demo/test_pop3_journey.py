"""poplib, which is not ours, against our server: the whole way in every kind of encryption."""

import poplib

import pytest

from tests.demo.conftest import NAME, SECURITIES, letter


@pytest.mark.parametrize("security", SECURITIES)
def test_a_client_lists_reads_and_removes(security, box, store, serve, pop3):
    inbox = box.folder()
    inbox.deliver(letter("one", ".dot\r\n..two\r\n.\r\nend\r\n"))
    inbox.deliver(letter("two"))
    client = pop3(serve("pop3", security))
    sizes = [len(message.octets) for message in inbox.messages]
    assert client.stat() == (2, sum(sizes))
    assert client.list()[1] == [b"%d %d" % pair for pair in enumerate(sizes, start=1)]
    uidls = [message.uidl for message in inbox.messages]
    assert client.uidl()[1] == [f"{n} {uidl}".encode() for n, uidl in enumerate(uidls, start=1)]
    assert client.retr(1)[1][-4:] == [b".dot", b"..two", b".", b"end"]
    assert client.top(1, 1)[1][-2:] == [b"", b".dot"]
    client.dele(1)
    assert client.stat() == (1, sizes[1])
    assert [message.uid for message in inbox.messages] == [1, 2], "deletions are for QUIT"
    client.quit()
    assert [message.uid for message in inbox.messages] == [2]
    assert [deed.what for deed in store.ledger] == [
        "logged-in",
        "retrieved",
        "top",
        "marked-deleted",
        "deleted",
    ]
    assert store.deeds("deleted") == [("deleted", NAME, "INBOX", 1)]


def test_a_cut_deletes_nothing(box, store, serve, pop3):
    box.folder().deliver(letter())
    server = serve("pop3")
    client = pop3(server)
    client.dele(1)
    client.close()
    server.drop_connections()
    assert len(box.folder().messages) == 1
    assert not store.deeds("deleted")


def test_the_maildrop_has_one_session_at_a_time(box, serve, pop3):
    server = serve("pop3")
    holder = pop3(server)
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        pop3(server)
    holder.quit()
    assert pop3(server).stat() == (0, 0)


def test_refused_logins(store, serve, pop3):
    server = serve("pop3", refuse_logins=1, login_code="[SYS/TEMP]")
    with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\]"):
        pop3(server)
    assert pop3(server).stat() == (0, 0)
    assert [deed.what for deed in store.ledger] == ["login-refused", "logged-in"]
