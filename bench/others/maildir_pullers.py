"""mbsync, getmail6 (IMAP) and mpop (POP3): each writes the octets into a fresh Maildir.

mbsync's fsync is on, as by default, but without COMPRESS, which costs it more than half on a link
that is no bottleneck; getmail6 and mpop sync each message by themselves. None of them removes
anything from the server.
"""

import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from tests.servers import maildir

from bench.measured import CannotMeasure, run
from bench.others.installed import in_environment, program
from bench.program import Program, Task, Where
from bench.servers import Mail


def mbsync(mail: Mail, where: Where, *, name: str = "mbsync") -> Program:
    """isync 1.4 or later."""
    return _puller(name, mail, partial(_mbsync, where))


def getmail(mail: Mail, where: Where, *, name: str = "getmail6") -> Program:
    """getmail6, all messages, none deleted."""
    return _puller(name, mail, partial(_getmail, where))


def mpop(mail: Mail, where: Where, *, name: str = "mpop") -> Program:
    """mpop, which pipelines; all messages, none deleted."""
    return _puller(name, mail, partial(_mpop, where))


def _puller(name: str, mail: Mail, configured: Callable[[Path], list[str]]) -> Program:
    def prepare(place: Path) -> AbstractContextManager[Task]:
        return _prepared(name, mail, place, configured)

    return Program(name, mail.messages, mail.octets, prepare)


@contextmanager
def _prepared(
    name: str, mail: Mail, place: Path, configured: Callable[[Path], list[str]]
) -> Iterator[Task]:
    place.chmod(0o755)  # getmail6 delivers as nobody where it is started by root
    maildir.make(place / "mail")
    environment = _without_home(os.environ, place)
    yield Task(configured(place), environment, lambda said: _counted(name, place / "mail", mail))


def _without_home(environment: Mapping[str, str], place: Path) -> dict[str, str]:
    """No settings of whoever measures."""
    return dict(environment) | {"HOME": str(place), "XDG_CONFIG_HOME": str(place)}


def _counted(name: str, folder: Path, mail: Mail) -> None:
    pulled = sum(1 for part in ("new", "cur") for _ in (folder / part).iterdir())
    if pulled != mail.messages:
        raise CannotMeasure(f"{name} pulled {pulled:,} messages instead of {mail.messages:,}.")


# -- their settings


def _mbsync(where: Where, place: Path) -> list[str]:
    mbsync = program("mbsync")
    text = _MBSYNCRC.format(where=where, place=place, tls=_tls_setting(mbsync))
    (place / "mbsyncrc").write_text(text)
    return [mbsync, "-q", "-c", str(place / "mbsyncrc"), "bench"]


def _tls_setting(mbsync: str) -> str:
    """isync 1.5 renamed it."""
    version = run([mbsync, "--version"], os.environ).split()[-1]
    parts = tuple(int(part) for part in version.split(".")[:2])
    return "TLSType" if parts >= (1, 5) else "SSLType"


_MBSYNCRC = """\
IMAPAccount server
Host {where.host}
Port {where.port}
User {where.login}
Pass {where.secret}
{tls} None
AuthMechs LOGIN
DisableExtension COMPRESS=DEFLATE
Timeout 120

IMAPStore far
Account server

MaildirStore near
Path {place}/
Inbox {place}/mail

Channel bench
Far :far:
Near :near:
Patterns INBOX
Sync Pull
Create Near
SyncState {place}/
"""


def _getmail(where: Where, place: Path) -> list[str]:
    user = pwd.getpwuid(maildir.owner()[0]).pw_name
    (place / "getmailrc").write_text(_GETMAILRC.format(where=where, place=place, user=user))
    return [in_environment("getmail"), "--getmaildir", str(place), "--rcfile", "getmailrc"]


_GETMAILRC = """\
[retriever]
type = SimpleIMAPRetriever
server = {where.host}
port = {where.port}
username = {where.login}
password = {where.secret}
mailboxes = ("INBOX",)

[destination]
type = Maildir
path = {place}/mail/
user = {user}

[options]
read_all = true
delete = false
verbose = 0
"""


def _mpop(where: Where, place: Path) -> list[str]:
    (place / "mpoprc").write_text(_MPOPRC.format(where=where, place=place))
    (place / "mpoprc").chmod(0o600)  # it refuses a password that others may read
    return [program("mpop"), "--quiet", f"--file={place}/mpoprc", "bench"]


_MPOPRC = """\
account bench
host {where.host}
port {where.port}
user {where.login}
password {where.secret}
auth user
tls off
keep on
only_new off
pipelining auto
received_header off
uidls_file {place}/uidls
delivery maildir {place}/mail
"""
