"""POP3 (RFC 1939, 2449, 2595, 5034): a sans-IO core and the blocking session above it.

Pop3Session ── Channel ── Core      octets in, events out; no sockets
                     └─── Transport
"""

from buzon.wire.pop3.listing import Listing
from buzon.wire.pop3.session import NotDeleted, Pop3Session, Retrieved, Top

__all__ = ["Listing", "NotDeleted", "Pop3Session", "Retrieved", "Top"]
