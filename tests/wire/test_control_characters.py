"""No text that we are given ends one command and begins another: it is refused, unsent."""

import inspect
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buzon.wire.endpoint import Credentials, Endpoint
from buzon.wire.errors import FolderMissing, NotPermitted
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from tests.wire.imap.odd_server import ANA, OddServer, odd_server

Session = type[ImapSession] | type[Pop3Session]
CONTROL = st.characters(whitelist_categories=["Cc", "Cs"])
HARMLESS = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=8)
# What would be a second command, an end of a string, or a change of the terminal.
ATTACKS = (
    "\r\nb9 LOGOUT",
    "\nDELE 1",
    "\rX",
    "\0",
    "{3+}\r\nabc",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\x01",
)
hostile = st.one_of(
    st.builds(lambda a, c, b: a + c + b, HARMLESS, CONTROL, HARMLESS),
    st.builds(lambda a, c, b: a + c + b, HARMLESS, st.sampled_from(ATTACKS), HARMLESS),
)
often = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_these_are_all_methods_that_take_text() -> None:
    """Another one has to be tested below, too."""
    assert {
        (session.__name__, name) for session in (ImapSession, Pop3Session) for name in _of(session)
    } == {
        ("ImapSession", "open"),
        ("ImapSession", "examine"),
        ("ImapSession", "select"),
        ("ImapSession", "move"),
        ("ImapSession", "next_uid"),
        ("ImapSession", "has"),  # answers from what it knows
        ("Pop3Session", "open"),
        ("Pop3Session", "has"),
    }


def _of(session: Session) -> Iterator[str]:
    for name, method in inspect.getmembers(session, callable):
        if name.startswith("_"):
            continue
        given = {one.annotation for one in inspect.signature(method).parameters.values()}
        if given & {str, bytes, Credentials, Endpoint}:
            yield name


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[ImapSession, OddServer]]:
    """A session with a folder open, and the server that hears it."""
    with odd_server({b"LIST": b'* LIST () "/" x\r\nTAG OK\r\n'}) as server:
        session = server.session()
        session.folders()
        session.select("INBOX")
        yield session, server
        session.noop()  # still in step, after all that was refused
        session.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda session, text: session.examine(text),
        lambda session, text: session.select(text),
        lambda session, text: session.move([1], text),
        lambda session, text: session.next_uid(text),
    ],
    ids=["examine", "select", "move", "next_uid"],
)
@often
@given(text=hostile)
def test_names_of_folders(
    heard: tuple[ImapSession, OddServer],
    call: Callable[[ImapSession, str], object],
    text: str,
) -> None:
    session, server = heard
    before, opened = len(server.heard), session.selected
    with pytest.raises(NotPermitted, match="control character"):
        call(session, text)
    assert len(server.heard) == before
    assert session.selected is opened


@often
@given(text=hostile)
def test_names_that_the_server_itself_gave(heard: tuple[ImapSession, OddServer], text: str) -> None:
    """A literal may hold line ends; given back as it was written, it would be a command."""
    session, server = heard
    session._raw_names[text] = text.encode("utf-8", "surrogatepass")
    before = len(server.heard)
    with pytest.raises(NotPermitted, match="control character"):
        session.examine(text)
    assert len(server.heard) == before


def test_a_folder_without_a_name(heard: tuple[ImapSession, OddServer]) -> None:
    session, server = heard
    before = len(server.heard)
    with pytest.raises(FolderMissing):
        session.examine("")
    assert len(server.heard) == before


@pytest.fixture(scope="module")
def silent() -> Iterator[socket.socket]:
    """Somebody to whom no connection may be made."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("session", [ImapSession, Pop3Session])
@pytest.mark.parametrize("mechanism", ["password", "oauth2"])
@pytest.mark.parametrize("field", ["username", "secret"])
@often
@given(text=hostile)
def test_logins_and_secrets(
    silent: socket.socket, session: Session, mechanism: str, field: str, text: str
) -> None:
    place = Endpoint(host="127.0.0.1", port=silent.getsockname()[1], allow_private=True)
    values = {"username": "ana", "secret": "s3cr3t", field: text}
    with pytest.raises(NotPermitted, match="control character") as caught:
        session.open(place, Credentials(**values, mechanism=mechanism))
    assert text not in str(caught.value)
    with pytest.raises(BlockingIOError):
        silent.accept()


@pytest.mark.parametrize("session", [ImapSession, Pop3Session])
@often
@given(text=hostile)
def test_names_of_servers(silent: socket.socket, session: Session, text: str) -> None:
    place = Endpoint(host="127.0.0.1", port=silent.getsockname()[1], allow_private=True)
    with pytest.raises(NotPermitted, match="control character"):
        session.open(replace(place, host=text), ANA)
    with pytest.raises(BlockingIOError):
        silent.accept()
