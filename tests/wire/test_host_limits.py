"""What mail servers are asked for at most: the setting's grammar, and the presets."""

import pytest

from buzon.wire.host_limits import CONNECTIONS, HostLimits, limits_of, read_entries

GMAIL = 2_500_000_000


def test_a_server_that_nobody_said_anything_about() -> None:
    assert limits_of("mail.example") == HostLimits(connections=CONNECTIONS)


@pytest.mark.parametrize(
    ("host", "login_day"),
    [
        ("imap.gmail.com", GMAIL),
        ("IMAP.Gmail.com.", GMAIL),
        ("imap.googlemail.com", GMAIL),
        ("pop.gmail.com", GMAIL // 2),
        ("pop.googlemail.com", GMAIL // 2),
        ("outlook.office365.com", 7_200_000_000),
        ("imap-mail.outlook.com", 7_200_000_000),
        ("gmail.com.example", None),
        ("notoutlook.com", None),
    ],
)
def test_presets(host: str, login_day: int | None) -> None:
    limits = limits_of(host)
    assert (limits.login_day, limits.day, limits.second) == (login_day, None, None)
    assert limits.connections == (20 if login_day else CONNECTIONS)


def test_what_is_written_comes_before_the_presets_and_each_limit_stands_alone() -> None:
    entries = read_entries("imap.gmail.com login-day=1G; *.gmail.com second=500k connections=3")
    assert limits_of("imap.gmail.com", entries) == HostLimits(
        login_day=1_000_000_000, second=500_000, connections=3
    )
    assert limits_of("pop.gmail.com", entries).login_day == GMAIL // 2


def test_the_first_entry_that_says_something_decides() -> None:
    entries = read_entries("mail.example day=200M; *.example day=300M connections=1; * day=400M")
    assert limits_of("mail.example", entries) == HostLimits(day=200_000_000, connections=1)
    assert limits_of("imap.example", entries) == HostLimits(day=300_000_000, connections=1)
    assert limits_of("example", entries) == HostLimits(day=400_000_000)


def test_none_lifts_a_limit() -> None:
    entries = read_entries("*.gmail.com login-day=none;")
    assert limits_of("imap.gmail.com", entries) == HostLimits(connections=20)


@pytest.mark.parametrize(
    "written",
    [
        "imap.example.com",
        "day=2G",
        "imap.example.com day",
        "imap.example.com day=",
        "imap.example.com day=2T",
        "imap.example.com day=-1",
        "imap.example.com day=0",
        "imap.example.com day=99999999",
        "imap.example.com second=99K",
        "imap.example.com connections=0",
        "imap.example.com connections=none",
        "imap.example.com hour=2G",
        "imap.example.com day=2G day=3G",
        "imap.*.com day=2G",
        "imap.example.com, day=2G",
        "imap.example.com day=99999999999999999999",
    ],
)
def test_what_makes_no_sense_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="names with limits"):
        read_entries(written)
