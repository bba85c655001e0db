"""`buzon account …`: the verbs about what was in the mailbox before the first look."""

from argparse import ArgumentTypeError, Namespace
from datetime import date

from buzon.config.command import output, scope
from buzon.config.command.parser import Verbs
from buzon.intake.asked_history import (
    cancel_history,
    collect_again,
    pause_history,
    resume_history,
)
from buzon.intake.models import CollectionAccount

_PAUSE = """No more of the mail that was there at first is collected until buzon account
resume-history NAME. New mail is collected all the same, and what is here stays."""
_CANCEL = """What of the mail that was there at first is not here yet stays on the server, outside
the window: buzon account show NAME counts it. To have it after all: buzon account collect-again."""
_AGAIN = """List the mail that was there at first once more, from a day on, and collect what has not
come yet: also what was cancelled, or was before the account's start. Messages that were skipped are
judged anew, by the account's settings of now. What is here already is recognised; repeating it
changes nothing."""


def add_to(verbs: Verbs) -> None:
    """The four verbs."""
    pause = verbs.add(
        "pause-history", "Wait with the first download; new mail goes on", _pause, writes=True,
        description=_PAUSE,
    )  # fmt: skip
    resume = verbs.add(
        "resume-history", "Go on with the first download where it was", _resume, writes=True
    )
    cancel = verbs.add(
        "cancel-history", "Leave the rest of the first download on the server", _cancel,
        writes=True, description=_CANCEL,
    )  # fmt: skip
    collect = verbs.add(
        "collect-again", "Collect mail of before once more, from a day on", _again, writes=True,
        description=_AGAIN,
    )  # fmt: skip
    for verb in (pause, resume, cancel, collect):
        verb.add_argument("account", metavar="NAME", help="the account")
    collect.add_argument(
        "--from", dest="since", type=_since, required=True, metavar="S",
        help="all, or a date such as 2026-01-31",
    )  # fmt: skip


def _pause(options: Namespace) -> None:
    account = pause_history(_account(options))
    print(f"The first download of {account.name} waits; new mail is collected.")


def _resume(options: Namespace) -> None:
    account = resume_history(_account(options))
    print(f"The first download of {account.name} goes on; it is due now.")


def _cancel(options: Namespace) -> None:
    account = _account(options)
    left = cancel_history(account)
    if left:
        stays = "stays" if left == 1 else "stay"
        print(f"{output.counted(left, 'message')} {stays} on the server of {account.name}.")
    else:
        print(f"Nothing of the history of {account.name} was still to come.")


def _again(options: Namespace) -> None:
    account = collect_again(_account(options), since=options.since)
    since = "the beginning" if options.since is None else options.since.isoformat()
    print(f"{account.name} is collected again from {since}; it is due now.")


def _since(written: str) -> date | None:
    if written == "all":
        return None
    try:
        if len(written) != 10:  # as for --start
            raise ValueError
        return date.fromisoformat(written)
    except ValueError:
        raise ArgumentTypeError(
            f"must be all or a date such as 2026-01-31, not {written!r}"
        ) from None


def _account(options: Namespace) -> CollectionAccount:
    return scope.account_of(scope.organization_of(options), options.account)
