"""imaplib, which is not ours, against our server: the whole way in every kind of encryption."""

import pytest

from tests.demo.conftest import NAME, SECURITIES, letter


@pytest.mark.parametrize("security", SECURITIES)
def test_a_client_reads_marks_and_removes(security, box, store, serve, imap):
    first = b"Subject: one\r\n\r\n\x00\xff bare\nlines \r no end"
    inbox = box.folder()
    inbox.deliver(first)
    second = inbox.deliver(letter("two"), flags=["\\Seen"])
    client = imap(serve("imap", security))
    assert client.select("INBOX") == ("OK", [b"2"])
    assert client.response("UIDVALIDITY")[1] == [str(inbox.uidvalidity).encode()]
    assert client.response("UIDNEXT")[1] == [b"3"]
    assert client.uid("search", "UNSEEN") == ("OK", [b"1"])
    _, answer = client.uid("fetch", "1", "(RFC822.SIZE BODY.PEEK[])")
    assert answer[0][0] == b"1 (UID 1 RFC822.SIZE %d BODY[] {%d}" % (len(first), len(first))
    assert answer[0][1] == first
    assert client.uid("store", str(second), "+FLAGS.SILENT", "(\\Deleted)")[0] == "OK"
    assert client.uid("expunge", str(second)) == ("OK", [None])
    assert client.response("EXPUNGE")[1] == [b"2"]
    client.logout()
    assert [message.octets for message in inbox.messages] == [first]
    assert [deed[:1] + deed[2:] for deed in store.ledger] == [
        ("logged-in", "", 0),
        ("selected", "INBOX", 0),
        ("fetched-body", "INBOX", 1),
        ("stored", "INBOX", 2),
        ("expunged", "INBOX", 2),
    ]
    assert {deed.login for deed in store.ledger} == {NAME}
