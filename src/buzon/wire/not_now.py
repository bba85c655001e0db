"""Refusals that are none: the server says, in its own words, that it asks for less or for patience.

Codes tell it best, but many servers have none, or send the one for a wrong password beside such
words. A throttled server must never be called a wrong password: people would change a good one.
"""

import re

from buzon.wire.errors import MailError, ServerBusy, Throttled

# Gmail: "exceeded command or bandwidth limits", "Too many simultaneous connections"; Microsoft:
# "Exceeded the login limit", "User is authenticated but not connected"; Dovecot: "Maximum number of
# connections from user+IP exceeded", "Temporary authentication failure"; Outlook.com's POP3:
# "minimum time between mail checks violation".
_TOO_MUCH = re.compile(
    r"too (many|often|frequent|fast)|throttl|bandwidth|slow down|greylist|minimum time between"
    r"|\brate.?limit|(login|rate|connection|command|request)s? (limit|rate)\b|rate exceeded"
    r"|limits? (exceeded|reached)|(exceed|reach)\w* .{0,30}\blimit|maximum number of connections"
    r"|quota.{0,30}(connection|login|request|command)",
    re.IGNORECASE,
)
_PATIENCE = re.compile(
    r"temporar|try (it )?(again )?(later|in )|come back|unavailable|(internal|server) error"
    r"|not connected|timed out|overload|\bbusy\b",
    re.IGNORECASE,
)


def by_words(text: str) -> type[MailError] | None:
    """Throttled or ServerBusy, where the text of an answer says so."""
    if _TOO_MUCH.search(text):
        return Throttled
    if _PATIENCE.search(text):
        return ServerBusy
    return None
