"""The messages that others collected: never an exception, and how often we agree with them."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from buzon.wire.reading import Kind, Reading, read
from tests.wire.reading.corpus import collected, needs_others
from tests.wire.reading.test_hostile import assert_reads

pytestmark = needs_others

Json = Any
FOLDERS = ["stalwart", "mime4j", "ruby-mail", "imap-tools", "enmime", "rspamd", "flufl-bounce"]


@pytest.mark.parametrize("folder", [*FOLDERS, "replies"])
def test_every_message_is_read(folder: str) -> None:
    files = collected(folder)
    assert files
    for path in files:
        started = time.process_time()
        assert_reads(path.read_bytes())
        assert time.process_time() - started < 2, path.name


def test_agreement_with_stalwart(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [p for p in collected("stalwart", ".eml") if p.with_suffix(".json").exists()]
    agreed = dict.fromkeys(("from", "to", "subject", "date"), 0)
    for path in paths:
        fields = json.loads(path.with_suffix(".json").read_text("utf-8"))["parts"][0]["headers"]
        reading = read(path.read_bytes())
        for name in agreed:
            agreed[name] += _ours(reading, name) == _theirs(fields, name)
    with capsys.disabled():
        print(f"\nstalwart, of {len(paths)}: {agreed}")
    # The rest: raw latin-1 that theirs gives up as U+FFFD, "moderator" for an address, a date with
    # letters for seconds.
    assert len(paths) == 107
    assert agreed["from"] >= 106
    assert agreed["to"] >= 101
    assert agreed["subject"] >= 102
    assert agreed["date"] >= 106


def _ours(reading: Reading, name: str) -> object:
    if name in {"from", "to"}:
        addresses = reading.from_ if name == "from" else reading.to
        return [(" ".join(a.name.split()), a.address) for a in addresses if a.name or a.address]
    return " ".join(reading.subject.split()) if name == "subject" else reading.date


def _theirs(fields: Json, name: str) -> object:
    values = [field["value"] for field in fields if field["name"] == name][-1:]
    value = values[0] if values and isinstance(values[0], dict) else {}
    if name in {"from", "to"}:
        listed = value.get("Address") or {}
        people = listed.get("List") or [a for g in listed.get("Group", ()) for a in g["addresses"]]
        pairs = [(" ".join((p["name"] or "").split()), p["address"] or "") for p in people]
        return [pair for pair in pairs if any(pair)]
    if name == "subject":
        return " ".join((value.get("Text") or "").split())
    return _date(value["DateTime"]) if "DateTime" in value else None


def _date(parts: Json) -> datetime | None:
    offset = timedelta(hours=parts["tz_hour"], minutes=parts["tz_minute"])
    zone = timezone(-offset if parts["tz_before_gmt"] else offset) if offset else UTC
    try:
        names = ("year", "month", "day", "hour", "minute", "second")
        return datetime(*(parts[name] for name in names), tzinfo=zone)
    except ValueError:
        return None


def test_bounces_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    readings = [read(path.read_bytes()) for path in collected("flufl-bounce", ".txt")]
    bounces = sum(r.kind is Kind.BOUNCE for r in readings)
    named = sum(bool(r.bounce) for r in readings)
    with capsys.disabled():
        print(f"\nflufl-bounce, of {len(readings)}: {bounces} bounces, {named} with a recipient")
    assert len(readings) == 103
    assert bounces >= 99
    assert named >= 96


def test_replies_of_people_are_people() -> None:
    """Bodies put under a person's header: quoting and signatures make nobody a machine."""
    head = b"From: Ana <ana@example.es>\r\nSubject: Re: Pedido\r\n\r\n"
    paths: list[Path] = collected("replies")
    machines = [p.name for p in paths if read(head + p.read_bytes()).kind is not Kind.PERSON]
    assert machines == []
