"""The seeded generator of 500 varied letters, each with what is true of it.

What becomes of them is not said here but in `rules`, from these truths; neither asks the product.
The first `OLD` lie in the mailbox before it is ever looked at, the rest arrive afterwards.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime

from tests.journeys import cast, writing
from tests.journeys.cast import Sender
from tests.journeys.specimens import ALL, DAYS, OLD, SENT, Mail, SentSpecimen, Specimen

_WEEK = timedelta(days=7)


def make_mail(seed: int, now: datetime) -> Mail:
    """The same seed and time give the same octets."""
    mail = Mail(now.replace(microsecond=0), [], [])
    _Writer(random.Random(seed), mail).write_all()
    assert len(mail.letters) == ALL
    return mail


# How often each sort of letter is drawn. Each is a method of `_Writer`.
_SORTS = {
    "known": 30,
    "stranger": 24,
    "thread": 16,
    "machine": 12,
    "known_machine": 5,
    "again": 5,
    "shared_id": 3,
    "without_id": 4,
    "malformed": 8,
    "own": 1,
    "blocked": 2,
    "forged": 2,
    "without_sender": 1,
    "bounce_of_ours": 1,
    "large": 1,
    "on_the_edge": 2,
    "undated": 1,
}


class _Writer:
    """Writes letter after letter; threads and second copies look back at what was written."""

    def __init__(self, rng: random.Random, mail: Mail) -> None:
        self.rng = rng
        self.mail = mail
        self.ids = 0
        self.answered: list[tuple[Sender, tuple[str, ...]]] = []  # whom a thread goes on with

    def write_all(self) -> None:
        for number in range(1, SENT + 1):
            self._sent(number)
        self._until(OLD)
        self._until(ALL)

    def _until(self, number: int) -> None:
        """Each sort comes at least once before the first look and once after, whatever the seed."""
        sorts = [sort for sort, often in _SORTS.items() for _ in range(often)]
        missing = number - len(self.mail.letters)
        plan = [*_SORTS, *self.rng.choices(sorts, k=missing - 2 * len(_SORTS))]
        self.rng.shuffle(plan)
        plan += self.rng.choices(sorts, k=missing)  # more than needed: one sort may write two
        while len(self.mail.letters) < number:
            getattr(self, f"_{plan.pop(0)}")()

    # -- the sorts

    def _known(self) -> None:
        self._person(self.rng.choice(cast.KNOWN_SENDERS))

    def _stranger(self) -> None:
        self._person(self.rng.choice((*cast.STRANGERS, cast.IDN_STRANGER)))

    def _thread(self) -> None:
        """An answer to a letter, by its writer or another; or the first of a thread."""
        if not self.answered or self.rng.random() < 0.3:
            ours = (self.rng.choice(self.mail.sent).message_id,) if self.rng.random() < 0.5 else ()
            self._in_thread(self._anybody(), ours)
            return
        sender, ids = self.rng.choice(self.answered)
        self._in_thread(sender if self.rng.random() < 0.7 else self._anybody(), ids)

    def _in_thread(self, sender: Sender, ids: tuple[str, ...]) -> None:
        message_id = self._id(sender)
        fields, named = self._threading(ids)
        self._person(sender, message_id=message_id, names=named, extra=fields)
        self.answered.append((sender, (*ids, message_id)))

    def _threading(self, ids: tuple[str, ...]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
        """The fields by which a letter names others, as mail programs differ."""
        if not ids:
            return [], ()
        if self.rng.random() < 0.2:  # a letter that nobody here holds
            ids = (*ids, self._id(cast.STRANGERS[0]))
        style = self.rng.choice(("both", "both", "references", "in-reply-to"))
        fields = []
        if style != "in-reply-to":
            fields.append(("References", "\r\n ".join(ids)))
        if style != "references":
            fields.append(("In-Reply-To", ids[-1]))
        return fields, ids[-1:] if style == "in-reply-to" else ids

    def _machine(self) -> None:
        kind = self.rng.choice(("auto_reply", "list", "bulk", "bounce"))
        self._of_machine(kind, self.rng.choice(cast.MACHINES[kind]))

    def _known_machine(self) -> None:
        """A customer's absence notice, or a list that a customer writes to."""
        kind = self.rng.choice(("auto_reply", "list", "bulk"))
        self._of_machine(kind, self.rng.choice(cast.KNOWN_SENDERS[:18]))

    def _again(self) -> None:
        """The same letter, delivered once more: by another way, or octet by octet the same."""
        first = self.rng.choice([m for m in self.mail.letters or () if m.message_id] or [None])
        if first is None:
            self._known()
            return
        octets, when = first.octets, self._when()
        if self.rng.random() < 0.6:
            octets = self._trace(when) + octets
        else:
            when = first.received_at
        copy = replace(
            first, number=self._next(), octets=octets, received_at=when, shape="second copy"
        )
        self.mail.letters.append(replace(copy, dated=first.dated or octets != first.octets))

    def _shared_id(self) -> None:
        """A Message-ID that a web form gives to each of its letters."""
        self._person(self._anybody(), message_id="<form@webshop.example>", shape="shared id")

    def _without_id(self) -> None:
        """Now and then twice the same octets: without a Message-ID that is two letters."""
        self._person(self._anybody(), message_id=None, shape="without Message-ID")
        first = self.mail.letters[-1]
        if first.number not in (OLD, ALL) and self.rng.random() < 0.3:
            self.mail.letters.append(
                replace(first, number=self._next(), letter=self._next(), shape="no id, twice")
            )

    def _malformed(self) -> None:
        shape = self.rng.choice(tuple(writing.MALFORMED))
        self._person(self._anybody(), shape=shape, body=writing.MALFORMED[shape](self.rng))

    def _own(self) -> None:
        self._person(cast.sender(cast.OWN_ADDRESS), shape="our own address")

    def _blocked(self) -> None:
        address = self.rng.choice(("spam@blocked.example", "any@blocked-domain.example"))
        self._person(cast.sender(address), shape="blocked")

    def _forged(self) -> None:
        known = self.rng.random() < 0.4
        sender = self.rng.choice(cast.KNOWN_SENDERS[:12] if known else cast.FORGED)
        self._person(sender, shape="fails DMARC", forged=True)

    def _without_sender(self) -> None:
        values = ("", "Somebody", "undisclosed-recipients:;", "@nowhere.example")
        fields = [("From", self.rng.choice(values))] if self.rng.random() < 0.8 else []
        self._store(fields, sender="", shape="no sender", message_id=self._id(cast.STRANGERS[0]))

    def _bounce_of_ours(self) -> None:
        sent = self.rng.choice(self.mail.sent)
        self._of_machine("bounce", cast.MACHINES["bounce"][0], returned=sent.message_id)

    def _large(self) -> None:
        strange = self.rng.random() < 0.5
        sender = self.rng.choice(cast.SENDERS_OF_LARGE if strange else cast.KNOWN_SENDERS[:12])
        self._person(sender, shape="large", body=writing.large(self.rng))

    def _on_the_edge(self) -> None:
        """Just before and just after the midnight from which some journeys begin."""
        seconds = self.rng.choice((-3600, -1, 0, 1, 3600))
        when = (self.mail.start + timedelta(seconds=seconds)).astimezone(UTC)
        self._person(self._anybody(), shape=f"{seconds} s from the start", when=when)

    def _undated(self) -> None:
        """Without a trace of when it came: POP3 cannot know."""
        self._person(self._anybody(), shape="undated", dated=False)

    # -- writing

    def _anybody(self) -> Sender:
        return self.rng.choice((*cast.KNOWN_SENDERS, *cast.STRANGERS))

    def _person(
        self,
        sender: Sender,
        *,
        shape: str = "",
        body: bytes | None = None,
        message_id: str | None = "",
        names: tuple[str, ...] = (),
        extra: Sequence[tuple[str, str]] = (),
        when: datetime | None = None,
        forged: bool = False,
        dated: bool = True,
    ) -> None:
        drawn = self.rng.choice(tuple(writing.SHAPES))
        self._store(
            [("From", self._from_field(sender)), *extra],
            sender=sender.folded,
            shape=shape or drawn,
            body=body if body is not None else writing.SHAPES[drawn](self.rng),
            message_id=self._id(sender) if message_id == "" else message_id or "",
            names=names,
            when=when,
            forged=forged,
            dated=dated,
        )

    def _of_machine(self, kind: str, sender: Sender, *, returned: str = "") -> None:
        marks = {
            "auto_reply": (("Auto-Submitted", "auto-replied (vacation)"), ("X-Autoreply", "yes")),
            "list": (("List-Id", "<chairs.lists.example>"), ("Precedence", "list")),
            "bulk": (("List-Unsubscribe", "<mailto:no@letters.example>"), ("Precedence", "bulk")),
        }
        body = None
        fields = [("From", self._from_field(sender))]
        if kind == "bounce":
            returned = returned or self._id(cast.STRANGERS[1])
            body = writing.bounce_report("gone@elsewhere.example", returned)
        else:
            fields.append(self.rng.choice(marks[kind]))
        self._store(
            fields,
            sender=sender.folded,
            shape=kind,
            body=body,
            message_id=self._id(sender),
            kind=kind,
            returned=returned,
        )

    def _store(
        self,
        fields: list[tuple[str, str]],
        *,
        sender: str,
        shape: str,
        message_id: str,
        body: bytes | None = None,
        names: tuple[str, ...] = (),
        when: datetime | None = None,
        kind: str = "person",
        returned: str = "",
        forged: bool = False,
        dated: bool = True,
    ) -> None:
        when = when or self._when()
        verdict = "fail" if forged else self.rng.choice(("pass", "none"))
        subject = self.rng.choice(writing.SUBJECTS)
        if self.rng.random() < 0.5:
            subject = Header(subject, "utf-8").encode()
        written = [
            *([("Message-ID", message_id)] if message_id else []),
            *([("Date", self._date(when))] if dated else []),
            *fields,
            ("To", self.rng.choice((cast.OWN_ADDRESS, f'"Tienda, S.L." <{cast.OWN_ADDRESS}>'))),
            ("Subject", subject),
        ]
        top = f"Authentication-Results: {cast.AUTHSERV}; dmarc={verdict} header.from=x.example\r\n"
        trace = self._trace(when) if dated else b""
        rest = body if body is not None else writing.SHAPES["utf-8 8bit"](self.rng)
        self.mail.letters.append(
            Specimen(
                number=self._next(),
                letter=self._next(),
                shape=shape,
                octets=trace + top.encode() + writing.header(written) + rest,
                received_at=when,
                sender=sender,
                kind=kind,
                message_id=message_id,
                names=names,
                returned=returned,
                dated=dated,
                forged=forged,
            )
        )

    def _sent(self, number: int) -> None:
        """Half of them go to a customer, alone or second in the list; the rest to nobody known."""
        known = self.rng.choice(cast.KNOWN_SENDERS[:12])
        to = [cast.sender(f"elsewhere{number}@other.example")]
        if number % 2:
            to.insert(self.rng.randint(0, 1), known)
        when = self.mail.now - timedelta(days=self.rng.uniform(8, DAYS))
        when = when.replace(microsecond=0)
        message_id = f"<sent.{number}.{self.rng.getrandbits(40):x}@tienda.example>"
        fields = [
            ("Message-ID", message_id),
            ("Date", self._date(when)),
            ("From", f"Tienda <{cast.OWN_ADDRESS}>"),
            ("To", ", ".join(one.written(number) for one in to)),
            ("Subject", "Su pedido"),
        ]
        octets = writing.header(fields) + writing.SHAPES["alternative"](self.rng)
        addresses = tuple(one.folded for one in to)
        self.mail.sent.append(SentSpecimen(number, octets, when, message_id, addresses))

    def _next(self) -> int:
        return len(self.mail.letters) + 1

    def _id(self, sender: Sender) -> str:
        self.ids += 1
        return f"<{self.ids}.{self.rng.getrandbits(48):x}@{sender.folded.rpartition('@')[2]}>"

    def _when(self) -> datetime:
        """In the order of delivery, but now and then a letter that another client moved here.

        Never about a week ago: there the treatment of history changes, and the journey takes time.
        """
        number = self._next()
        age = timedelta(days=DAYS) * (1 - number / OLD) if number <= OLD else timedelta(0)
        if self.rng.random() < 0.05:
            age = timedelta(days=self.rng.uniform(0.1, DAYS))
        age += timedelta(minutes=self.rng.randint(2, 50))
        if abs(age - _WEEK) < timedelta(hours=3):
            age += timedelta(hours=6)
        return (self.mail.now - age).replace(microsecond=0)

    def _date(self, when: datetime) -> str:
        zone = timezone(timedelta(hours=self.rng.choice((-5, 0, 1, 2, 9))))
        return format_datetime(when.astimezone(zone))

    def _trace(self, when: datetime) -> bytes:
        by = self.rng.choice(("mx1.tienda.example", "mx2.tienda.example"))
        text = f"Received: from out.example (out.example [192.0.2.1])\r\n\tby {by} with ESMTPS id"
        return f"{text} {self.rng.getrandbits(32):x};\r\n\t{self._date(when)}\r\n".encode()

    def _from_field(self, sender: Sender) -> str:
        """The address in one of its forms, in one of the ways to write a From field."""
        address = sender.written(self.rng.randint(0, 5))
        return self.rng.choice(
            (
                address,
                f"<{address}>",
                f"Marta Ruiz <{address}>",
                f'"Ruiz, Marta" <{address}>',
                f'"boss@elsewhere.example" <{address}>',
                f"=?utf-8?q?Jos=C3=A9_Pe=C3=B1a?= <{address}>",
                f"=?iso-8859-1?b?Sm9z6SBQZfFh?=\r\n <{address}>",
                f"José Peña <{address}>",
                f"{address} (Marta (at home))",
                f"Marta Ruiz <{address}>, Otra <otra@elsewhere.example>",
            )
        )
