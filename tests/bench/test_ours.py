"""Our own program as it is measured: a real Dovecot, real processes, a copy for each run."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.full import one_run
from bench.measured import CannotMeasure, measure
from bench.ours import Way, ours
from bench.profile import one_profile
from bench.servers import Mail, Servers
from bench.steps import STEPS

NUMBER = 30
pytestmark = pytest.mark.timeout(300)  # five commands for each installation that is measured


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def mail(servers: Servers) -> Mail:
    return servers.varied(NUMBER)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_custody_takes_all_octets_and_understands_nothing(
    servers: Servers, mail: Mail, protocol: str
) -> None:
    way = Way(custody_alone=True, protocol=protocol)
    program = ours("buzon", servers, mail, mail.where(protocol), way)
    line = one_run(program, "custody", 0, "abc")
    assert (line.messages, line.octets) == (NUMBER, mail.octets)
    assert line.received is not None
    assert mail.octets < line.received < 1.1 * mail.octets
    assert line.processor > 0
    assert 20_000_000 < line.memory < 400_000_000


def test_each_run_begins_with_nothing(servers: Servers, mail: Mail) -> None:
    program = ours("buzon", servers, mail, mail.where(), Way())
    first, second = (one_run(program, "whole", number, "abc") for number in range(2))
    assert [first.round, second.round] == [0, 1]
    assert abs(first.received - second.received) < 5_000  # type: ignore[operator]


def test_over_tls_and_far_away(servers: Servers, mail: Mail) -> None:
    way = Way(custody_alone=True)
    where = servers.far(mail.where(security="tls"))
    line = one_run(ours("buzon", servers, mail, where, way), "far", 0, "abc")
    assert line.seconds > 0.4  # five round trips are the least that it takes


def test_without_create_only_the_mail_of_customers_comes(servers: Servers, mail: Mail) -> None:
    line = one_run(
        ours("buzon", servers, mail, mail.where(), Way(create=False)), "triage", 0, "abc"
    )
    assert line.received is not None
    assert line.received < mail.octets


def test_a_run_that_took_too_little_is_no_result(servers: Servers, mail: Mail) -> None:
    more = Mail(mail.dovecot, mail.login, NUMBER + 1, mail.octets, mail.from_known)
    program = ours("buzon", servers, more, mail.where(), Way(custody_alone=True))
    with pytest.raises(CannotMeasure, match="did not take 31 messages"):
        one_run(program, "custody", 0, "abc")


def test_a_command_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="false failed"):
        measure(["false"], {}, folder=tmp_path)


def test_others_that_delete_get_a_copy(mail: Mail) -> None:
    before = {file.name for file in mail.files()}
    with mail.copy() as where:
        copied = mail.dovecot.messages(where.login)
    assert len(copied) == NUMBER
    assert {file.name for file in mail.files()} == before
    assert mail.dovecot.messages(where.login) == []


def test_a_server_can_be_made_to_forget_and_to_know(mail: Mail) -> None:
    inbox = mail.dovecot.folder_path(mail.login, "INBOX")
    mail.forget_headers()
    assert not list(inbox.glob("dovecot.index*"))
    mail.ask_for_headers()
    assert list(inbox.glob("dovecot.index*"))


def test_a_profile_finds_every_main_step(servers: Servers, mail: Mail) -> None:
    figures = one_profile(servers, mail, Way())
    assert set(figures) == {*STEPS, "passed"}
    assert figures["read"] > 0
    assert figures["file"] > 0


def test_whatever_a_command_has_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is measured: that is a process between us and the command."""
    monkeypatch.setattr("bench.measured.LONGEST", 5.0)
    script = f"echo $$ > {tmp_path}/pid; exec sleep 100"
    with pytest.raises(CannotMeasure, match="did not end within 5 seconds"):
        measure(["sh", "-c", script], dict(os.environ), folder=tmp_path)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()
