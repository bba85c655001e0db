"""`buzon doctor`: is this installation sound? Looks, and changes nothing."""

from argparse import Namespace
from collections.abc import Callable, Iterable

from buzon.config.command import output
from buzon.config.command.examinations import (
    Finding,
    accounts,
    backup,
    clock,
    data_folder,
    database,
    due_rows,
    keys,
    leases,
    notifications_by_mail,
    tables,
    words,
)
from buzon.config.command.failures import sentence_of
from buzon.config.command.parser import Parser
from buzon.desk.models import Organization
from buzon.desk.organizations import organization_named

_Examination = Callable[[], Iterable[Finding]]
# Without these the others could only say the same again.
_GROUND: tuple[tuple[str, _Examination], ...] = (
    ("data folder", data_folder),
    ("database", database),
    ("tables", tables),
)
_REST: tuple[tuple[str, _Examination], ...] = (
    ("clock", clock),
    ("leases", leases),
    ("due", due_rows),
    ("search", words),
    ("copies by e-mail", notifications_by_mail),
    ("backup", backup),
)


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = (
        "Look at the data folder, the database, the keys, the clocks, the leases and what is due, "
        "and say\nwhat is wrong and what to do. Changes nothing; the exit status is 0 only where "
        "all is sound."
    )
    parser.does(_doctor, needs="itself")
    parser.add_json()


def _doctor(options: Namespace) -> int:
    findings = _findings(options.organization)
    if options.json:
        output.document([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            _say(finding)
    return 0 if all(finding.ok for finding in findings) else 1


def _findings(organization: str | None) -> list[Finding]:
    findings: list[Finding] = []
    for name, examine in _GROUND:
        findings += _examined(name, examine)
        if not findings[-1].ok:
            return findings
    chosen: Organization | None = organization_named(organization) if organization else None
    for name, examine in (("keys", lambda: keys(chosen)), *_REST):
        findings += _examined(name, examine)
    return findings + _examined("accounts", lambda: accounts(chosen))


def _examined(name: str, examine: _Examination) -> list[Finding]:
    """Its findings. What stops one examination is a finding, and the others go on."""
    try:
        return list(examine())
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        return [Finding(name, False, sentence)]


def _say(finding: Finding) -> None:
    mark = "ok    " if finding.ok else "WRONG "
    print(f"{mark}  {finding.name}: {output.printable(finding.detail)}")
    if finding.remedy:
        print(f"        {output.printable(finding.remedy)}")
