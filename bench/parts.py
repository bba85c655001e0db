"""The parts of the measurement: in each, programs take turns over the same mail.

    custody   octets and ledger durable, nothing else          | mbsync
    whole     read, matched, filed, handed out, notified       | mbsync and those who read mail
    words     what PostgreSQL leaves for later: words are indexed
    pop3      custody                                          | mpop
    tls       custody, over TLS and in the clear
    far       custody, with a round-trip time of 80 ms         | mbsync, getmail6, django-mailbox
    triage    create = no, 5 % from customers                  | create = yes
    memory    the collecting process at its peak
    large     the same, for letters of 40 MB

How the rate changes as the database grows is `bench.growth`, which has no other programs beside it;
where the time goes is `bench.profile`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.large import LOGIN, MB, SECRET, large

from bench.bars import ON_POSTGRESQL, OURS
from bench.others.django_programs import django_helpdesk, django_mailbox
from bench.others.maildir_pullers import getmail, mbsync, mpop
from bench.ours import Way, indexing, ours, ours_with
from bench.program import Program, Task, Where
from bench.servers import Servers

DATABASES = (("SQLite", "sqlite"), ("PostgreSQL", "postgresql"))


@dataclass(frozen=True, slots=True)
class Size:
    """How many messages: for programs that are quick, for those that are slow, for those that are
    slow and far away; of 2 KB for the question of memory; letters of 40 MB; how many a growing
    database holds at last, and how many come to it at a time.
    """

    quick: int = 20_000
    slow: int = 2_000
    far: int = 2_000
    few: int = 20_000
    many: int = 100_000
    large: int = 25
    stored: int = 500_000
    step: int = 10_000


SMALLER = Size(
    quick=2_000, slow=400, far=100, few=2_000, many=6_000, large=4, stored=6_000, step=1_000
)


@dataclass(frozen=True, slots=True)
class Part:
    """`programs` take turns; `needs_others` where some are of Python's packages."""

    name: str
    programs: Callable[[Servers, Size], Sequence[Program]]
    needs_others: bool = False


def _custody(servers: Servers, size: Size) -> list[Program]:
    mail = servers.varied(size.quick)
    where = mail.where()
    return [
        ours(OURS, servers, mail, where, Way(custody_alone=True)),
        mbsync(mail, where),
        ours(ON_POSTGRESQL, servers, mail, where, Way(custody_alone=True, database="postgresql")),
    ]


def _whole(servers: Servers, size: Size) -> list[Program]:
    mail, little = servers.varied(size.quick), servers.varied(size.slow)
    where = mail.where()
    return [
        ours(OURS, servers, mail, where, Way()),
        mbsync(mail, where),
        ours(ON_POSTGRESQL, servers, mail, where, Way(database="postgresql")),
        getmail(little, little.where()),
        django_mailbox(little, through=_near),
        django_helpdesk(little, through=_near),
    ]


def _near(where: Where) -> Where:
    return where


def _words(servers: Servers, size: Size) -> list[Program]:
    return [indexing(ON_POSTGRESQL, servers, servers.varied(size.quick))]


def _pop3(servers: Servers, size: Size) -> list[Program]:
    mail = servers.varied(size.quick)
    where = mail.where("pop3")
    return [
        ours(OURS, servers, mail, where, Way(custody_alone=True, protocol="pop3")),
        mpop(mail, where),
    ]


def _tls(servers: Servers, size: Size) -> list[Program]:
    mail = servers.varied(size.quick)
    way = Way(custody_alone=True)
    return [
        ours("buzon in the clear", servers, mail, mail.where(), way),
        ours("buzon over TLS", servers, mail, mail.where(security="tls"), way),
    ]


def _far(servers: Servers, size: Size) -> list[Program]:
    mail, little = servers.varied(size.quick), servers.varied(size.far)
    where = servers.far(mail.where())
    return [
        ours(OURS, servers, mail, where, Way(custody_alone=True)),
        mbsync(mail, where),
        getmail(little, servers.far(little.where())),
        django_mailbox(little, through=servers.far),
    ]


def _triage(servers: Servers, size: Size) -> list[Program]:
    mail = servers.varied(size.quick)
    where = mail.where()
    looks = (
        ("first look", mail.forget_headers),
        ("looked before", mail.ask_for_headers),
    )
    return [
        ours(
            f"create = {'yes' if create else 'no'}, {looked}",
            servers, mail, where, Way(create=create), before=before,
        )
        for looked, before in looks
        for create in (True, False)
    ]  # fmt: skip


def _memory(servers: Servers, size: Size) -> list[Program]:
    programs = []
    for told, mail in (
        ("62 KB each", servers.varied(size.quick)),
        ("2 KB, few", servers.small(size.few)),
        ("2 KB, many", servers.small(size.many)),
    ):
        for name, database in DATABASES:
            way = Way(database=database)
            programs.append(ours(f"{name}, {told}", servers, mail, mail.where(), way))
    return programs


def _large(servers: Servers, size: Size) -> list[Program]:
    programs = []
    for protocol in ("imap", "pop3"):
        for name, database in DATABASES:
            for told, letters in (("none", 0), ("leave", size.large), ("delete", size.large)):
                after = "delete" if told == "delete" else "leave"
                way = Way(protocol=protocol, database=database, after=after)
                called = f"{protocol.upper()}, {name}, {told}"
                programs.append(_large_letters(called, servers, way, letters))
    return programs


def _large_letters(name: str, servers: Servers, way: Way, letters: int) -> Program:
    """On our own small mail server, which is a process of its own, with its mail in memory."""
    octets = 40 * MB

    @contextmanager
    def prepare(place: Path) -> Iterator[Task]:
        with large(way.protocol, letters=letters, size=octets) as server:
            where = Where("127.0.0.1", server.port, LOGIN, SECRET)
            with ours_with(servers, where, way, place, letters) as task:
                yield task

    return Program(name, letters, letters * octets, prepare)


PARTS = (
    Part("custody", _custody),
    Part("whole", _whole, needs_others=True),
    Part("words", _words),
    Part("pop3", _pop3),
    Part("tls", _tls),
    Part("far", _far, needs_others=True),
    Part("triage", _triage),
    Part("memory", _memory),
    Part("large", _large),
)
