"""`buzon read`: no installation, no database, no Django."""

import os
from pathlib import Path

from tests.config.commands import environ, run

LETTER = (
    b"From: Ana <ana@example.com>\r\nTo: shop@example.com\r\nSubject: =?utf-8?q?Ma=C3=B1ana?=\r\n"
    b"Message-ID: <1@example.com>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n\r\nHola\x1b[31m\r\n"
)
KEYS = {
    "file", "from", "reply_to", "to", "cc", "subject", "date", "message_id", "in_reply_to",
    "references", "text", "html", "reply_text", "kind", "bounce", "attachments", "warnings",
}  # fmt: skip


def test_a_files_name_may_be_any_octets(tmp_path: Path) -> None:
    file = os.path.join(os.fsencode(tmp_path), b"a\xf1o.eml")
    with open(file, "wb") as opened:
        opened.write(LETTER)
    ran = run("read", os.fsdecode(file), "--jsonl")
    assert ran.lines()[0]["message_id"] == "<1@example.com>"


def test_readings_of_several_files_in_their_order(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.eml", "two ñ.eml")]
    for file in files:
        file.write_bytes(LETTER)
    readings = run("read", *files, "--jsonl", env=environ(BUZON_DATA_DIR=tmp_path)).lines()
    assert [each["file"] for each in readings] == [str(file) for file in files]
    assert set(readings[0]) == KEYS
    assert readings[0]["subject"] == "Mañana"
    assert readings[0]["from"] == [{"name": "Ana", "address": "ana@example.com"}]
    assert {path.name for path in tmp_path.iterdir()} == {"one.eml", "two ñ.eml"}


def test_from_standard_input() -> None:
    assert run("read", "-", "--jsonl", stdin=LETTER).lines()[0]["message_id"] == "<1@example.com>"


def test_for_people_without_anything_that_a_terminal_obeys() -> None:
    shown = run("read", "-", stdin=LETTER).text
    assert "Mañana" in shown
    assert "\x1b" not in shown


def test_a_wrong_file_is_told_before_any_reading(tmp_path: Path) -> None:
    good = tmp_path / "good.eml"
    good.write_bytes(LETTER)
    missing = tmp_path / "missing.eml"
    told = run("read", good, missing, "--jsonl").sentence()
    assert told == f"There is no file {missing}."
    assert "is a folder" in run("read", tmp_path).sentence()


def test_needs_no_settings(tmp_path: Path) -> None:
    """Even with a wrong one, because it uses none."""
    env = environ(BUZON_DATABASE_URL="nonsense")
    assert run("read", "-", "--jsonl", env=env, stdin=LETTER).status == 0


def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    import subprocess
    import sys

    file = tmp_path / "a.eml"
    file.write_bytes(LETTER + b"x" * 70_000)
    command = f"{sys.executable} -m buzon.config.command read {' '.join([str(file)] * 20)} --jsonl"
    done = subprocess.run(
        f"{command} | head -c 10", shell=True, env=environ(), capture_output=True, timeout=60
    )
    assert done.stderr == b""
