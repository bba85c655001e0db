"""What is asked of an IMAP server for one batch: whole messages, or headers. It runs in the
fetching thread (`buzon.intake.ahead`), so it knows neither the database nor its rows.
"""

from dataclasses import dataclass

from buzon.intake.given import Came
from buzon.wire.errors import Gone, MailError
from buzon.wire.imap import ImapSession, Wanted


@dataclass(frozen=True, slots=True)
class Order:
    """Messages of the open folder, all by header or all whole; `look`: for new mail too."""

    wanted: list[Wanted]
    by_header: bool
    look: bool


def fetch(session: ImapSession, order: Order) -> Came:
    """All of it, or what came before the connection was cut; and whether there is new mail."""
    came = Came()
    if order.by_header:
        headers = session.headers([one.uid for one in order.wanted], look=order.look)
        came.take(((header.uid, header) for header in headers), whole=False)
    else:
        messages = session.messages(order.wanted, look=order.look)
        came.take(((message.uid, message) for message in messages), whole=True)
    if came.cut is None:
        came.is_more = order.look and _is_more(session)
        _tell_the_lost(session, came)
    came.octets_in = session.bytes_in
    return came


def _is_more(session: ImapSession) -> bool:
    return session.changes().exists is not None


def _tell_the_lost(session: ImapSession, came: Came) -> None:
    """A server may answer NIL, or nothing, for a message that it goes on listing. That one is not
    gone: it was only not given this time.
    """
    missing = {uid for uid, given in came.got if isinstance(given.error, Gone)}
    if not missing:
        return
    try:
        # Only now has the server told of what was expunged.
        came.is_more |= session.noop().exists is not None
        listed = session.uids(min(missing), max(missing))
    except MailError as error:
        came.cut = error
    else:
        came.still_listed = frozenset(missing.intersection(listed))
