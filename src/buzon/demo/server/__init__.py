"""An honest small IMAP and POP3 server, with its mail in memory and a ledger of every deed.

It follows RFC 3501/9051 and 1939 with the extensions that `Options` names, so that what works
against it works against others; the same tests run against a real server to keep it so.
"""

from buzon.demo.server.imap_connection import ImapConnection
from buzon.demo.server.listener import MailServer
from buzon.demo.server.options import Options
from buzon.demo.server.pop3 import Pop3Connection
from buzon.demo.server.store import (
    Command,
    Deed,
    MailFolder,
    MailLogin,
    Mailstore,
    StoredMessage,
)
from buzon.demo.server.tls import Authority, ServerCertificate, self_signed

__all__ = [
    "Authority",
    "Command",
    "Deed",
    "ImapConnection",
    "MailFolder",
    "MailLogin",
    "MailServer",
    "Mailstore",
    "Options",
    "Pop3Connection",
    "ServerCertificate",
    "StoredMessage",
    "self_signed",
]
