"""What we put into a command: text that cannot end the command and begin another one."""

import unicodedata

from buzon.wire.errors import NotPermitted, template

LOGIN = template("The login")
SECRET = template("The secret")
FOLDER = template("The folder's name")
SERVER = template("The server's name")


def encoded(value: str, what: str) -> bytes:
    """`value` as UTF-8, refused with NotPermitted when it holds a control character.

    A CR LF inside a login or a folder name would be a second command, and a NUL ends a string in
    many servers; a lone surrogate is no text at all. `what` names the value in the sentence
    (`LOGIN`); the value itself is never shown, since it may be a secret.
    """
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
        raise NotPermitted(
            "{what} holds a control character, which no mail server accepts.", what=what
        )
    return value.encode("utf-8")
