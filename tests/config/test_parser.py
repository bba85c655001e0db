"""A wrong argument is one clear sentence and the exit status 2; help teaches."""

import pytest

from buzon.config.command import main
from buzon.config.command.nouns import NOUNS
from tests.config.commands import run

SENTENCES = {
    "": "buzon needs COMMAND; see buzon --help.",
    "acount": "buzon has no 'acount'; it has: up, organization, account, collect, ",
    "account": "buzon account needs VERB; see buzon account --help.",
    "account ad": "buzon account has no 'ad'; it has: add, list, show, set, remove, resume,",
    "account add": "buzon account add needs NAME and --host and --username and --password-file; ",
    "account list --jsn": "buzon account list does not know --jsn; see buzon account list --help.",
    "account list extra": "buzon account list does not know extra; see",
    "account list --json=1": "--json takes no value.",
    "account add --port": "--port needs a value; see buzon account add --help.",
    "account add --port x": "--port must be a whole number from 1 to 65535, not 'x'.",
    "account add --port 0": "--port must be a whole number from 1 to 65535, not '0'.",
    "account add --port ٣": "--port must be a whole number from 1 to 65535, not '٣'.",
    "account add --protocol smtp": "--protocol must be imap or pop3, not 'smtp'.",
    "account add --security ssl": "--security must be tls, starttls or none, not 'ssl'.",
    "account add --after burn": "--after must be leave, read or delete, not 'burn'.",
    "account add --start 31/01/2026": "--start must be all, now or a date such as 2026-01-31, not",
    "account add --start 2026-02-30": "--start must be all, now or a date such as 2026-01-31, not",
    "account add --start 20260131": "--start must be all, now or a date such as 2026-01-31, not",
    "account add --active --inactive": "--inactive and --active exclude each other.",
    "account add --poll-seconds nan": "--poll-seconds must be a number of seconds from 1 to 86400",
    "account add --pass x": "buzon account add needs",  # no abbreviations
    "collect": "buzon collect needs --once; see buzon collect --help.",
    "agent status Ana sleeping": "STATUS must be free, busy, lunch or break, not 'sleeping'.",
    "raw abc": "SHA256 must be 64 hexadecimal digits, not 'abc'.",
    "retry -1": "ID must be a whole number from 1 to",
    "retry x": "ID must be a whole number from 1 to",
    "ledger --outcome lost": "--outcome must be waiting, filed, skipped, ignored, oversized or ",
    "read": "buzon read needs PATH; see buzon read --help.",
    "web": "buzon has no 'web'; it has:",
}


@pytest.mark.parametrize(("arguments", "told"), SENTENCES.items())
def test_a_wrong_argument_is_one_sentence(
    arguments: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(told)
    assert error.endswith(".\n")
    assert error.count("\n") == 1


def test_text_that_is_not_utf8_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    latin = b"Mu\xf1oz".decode("utf-8", "surrogateescape")
    assert main(["agent", "status", latin, "free"]) == 2
    told = "Mu\\udcf1oz is not UTF-8 text: set the terminal to UTF-8.\n"
    assert capsys.readouterr() == ("", told)


def test_the_same_from_a_shell() -> None:
    assert run("account", "add", "--port", "x").sentence() == (
        "--port must be a whole number from 1 to 65535, not 'x'."
    )


@pytest.mark.parametrize("noun", ["", *NOUNS])
def test_help_is_there_for_every_command(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*noun.split(), "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: buzon {noun}".rstrip())
    assert "%" not in shown


def test_help_of_account_add_shows_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["account", "add", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for default in ("imap", "tls", "leave", "all", "auto", "INBOX", "active", "no", "yes"):
        assert f"(default: {default})" in shown


def test_help_needs_no_django() -> None:
    code = (
        "import sys; from buzon.config.command import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: assert 'django' not in sys.modules"
    )
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=30)
