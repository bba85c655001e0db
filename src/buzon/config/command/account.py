"""`buzon account …`: collection accounts."""

import shlex
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from buzon.config.command import account_history, account_preview, output, scope
from buzon.config.command.account_flags import FLAGS, add_flags
from buzon.config.command.account_view import as_json, shown, summary
from buzon.config.command.parser import Parser
from buzon.config.command.values import secret_from
from buzon.desk.alphabet import by_name
from buzon.desk.models import Organization
from buzon.desk.people import group_named
from buzon.desk.stores import store_named
from buzon.intake.accounts import (
    add_account,
    change_account,
    remove_account,
    resume_account,
)
from buzon.intake.models import CollectionAccount
from buzon.intake.overview import overviews

if TYPE_CHECKING:
    from buzon.intake.check import Step

_ADD = """Add a collection account. The server is not asked: buzon account check NAME does that.
The password comes from a file or from standard input, never from an argument, because the
arguments of a process are shown to every user of the machine:

  buzon account add sales --host imap.example.com --username ana@example.com --password-file -
"""
_SET = """Change what is given, and nothing else. Folders that are given replace those that the
account has; a folder that is no longer named is not collected any more (its letters stay)."""

_RESUME = """An account stops where its server has renumbered a folder and too few of the known
messages are found again, or where it does so again and again: buzon account show NAME says which.
Resume it, and what is found again keeps its place, the rest counts as gone from the server (nothing
is deleted there for it, and its letters stay here), and what is there now is collected. Is it the
wrong mailbox, correct it first: buzon account set NAME. Until then nothing is collected."""


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add an account", _add, writes=True, description=_ADD)
    add.add_argument("name", metavar="NAME", help="what it is called here")
    add_flags(add, new=True)
    verbs.add("list", "All accounts, and how they are", _list).add_json()
    show = verbs.add("show", "One account: its settings, state, folders and counts", _show)
    change = verbs.add("set", "Change an account", _set, writes=True, description=_SET)
    change.add_argument("--name", dest="new_name", metavar="NEW", help="call it otherwise")
    add_flags(change, new=False)
    remove = verbs.add(
        "remove", "Remove an account with its ledger; letters and the server stay as they are",
        _remove, writes=True,
    )  # fmt: skip
    remove.add_argument(
        "--discard", action="store_true",
        help="also messages that are in no letter yet and no longer on the server",
    )  # fmt: skip
    resume = verbs.add(
        "resume", "Collect again after Buzón stopped to ask", _resume, writes=True,
        description=_RESUME,
    )  # fmt: skip
    account_preview.add_to(verbs)
    account_history.add_to(verbs)
    check = verbs.add(
        "check", "Ask the server whether this account would work; changes nothing", _check
    )
    going = verbs.add(
        "deletions",
        "What is going to be removed from the server, and when; removes nothing",
        _going,
    )
    check.add_argument(
        "--reconcile", action="store_true",
        help="also compare a fresh listing of the server with the ledger",
    )  # fmt: skip
    for verb in (show, change, remove, resume, check, going):
        verb.add_argument("account", metavar="NAME", help="the account")
    for verb in (show, check, going):
        verb.add_json()


def _add(options: Namespace) -> None:
    organization = scope.organization_of(options)
    account = add_account(organization, name=options.name, **_given(options, organization))
    quoted = shlex.quote(account.name)
    print(f"Added {account.name}; buzon account check {quoted} asks the server about it.")
    if account.create_customer and account.group is None:
        print(f"New customers are given to nobody: buzon account set {quoted} --group NAME.")


def _list(options: Namespace) -> None:
    organization = scope.organization_of(options)
    rows = by_name(CollectionAccount.objects.filter(organization=organization))
    found = overviews(rows.select_related("store", "group"))
    accounts = [(each.account, each.first_download) for each in found]
    if options.json:
        output.document([as_json(account, first) for account, first in accounts])
        return
    headings = ["name", "state", "store", "server", "login", "last collected", "first download"]
    empty = "There are no collection accounts yet: buzon account add --help."
    told = [summary(account, first) for account, first in accounts]
    if not any(first for _account, first in accounts):
        headings, told = headings[:-1], [row[:-1] for row in told]
    output.table(headings, told, empty=empty)


def _show(options: Namespace) -> None:
    (found,) = overviews([_account(options)])
    if options.json:
        output.document(as_json(found.account, found.first_download, counts=True))
    else:
        shown(found.account, found.first_download)


def _set(options: Namespace) -> None:
    organization = scope.organization_of(options)
    account = scope.account_of(organization, options.account)
    changes = _given(options, organization)
    if options.new_name is not None:
        changes["name"] = options.new_name
    if not changes:
        options.leaf.error(f"{account.name} stays as it is, because nothing to change is given")
    change_account(account, **changes)
    print(f"Changed {account.name}.")


def _remove(options: Namespace) -> None:
    account = _account(options)
    removed = remove_account(account, discard=options.discard)
    rows = output.counted(removed.arrivals, "row")
    print(
        f"Removed {account.name} and {rows} of its ledger; letters, "
        "customers and the mail on the server stay."
    )


def _resume(options: Namespace) -> None:
    account = resume_account(_account(options))
    print(f"{account.name} is due now.")


def _check(options: Namespace) -> int:
    # The wire: the other verbs need not load it.
    from buzon.config.command import account_books
    from buzon.intake.check import check_account

    account = _account(options)
    steps = check_account(account)
    well = all(step.ok for step in steps)
    if not options.json:
        for step in steps:
            _say(step, account)
    books = account_books.books_of(account, steps) if options.reconcile else []
    if options.json:
        told = [step._asdict() for step in steps]
        listed = account_books.books_as_json(books)
        output.document({"steps": told, "folders": listed} if options.reconcile else told)
    else:
        account_books.show_books(books)
    return 0 if well and all(one.balance for one in books) else 1


def _going(options: Namespace) -> None:
    from buzon.config.command import account_books

    account = _account(options)
    if options.json:
        output.document(list(account_books.deletions(account)))
    else:
        account_books.show_deletions(account)


def _say(step: "Step", account: CollectionAccount) -> None:
    print(f"{'ok    ' if step.ok else 'FAILED'}  {step.name}: {output.printable(step.detail)}")
    if step.remedy:
        print(f"        {output.printable(step.remedy)}{_flag_of(step)}")
    if step.pin:
        print(f"        To pin it: buzon account set {shlex.quote(account.name)} --pin {step.pin}")


def _flag_of(step: "Step") -> str:
    """The flag that changes the field to look at; a certificate has a whole line of its own."""
    named = (flag.name for flag in FLAGS if flag.field == step.field and not step.pin)
    flag = next(named, "")
    return f" ({flag})" if flag else ""


def _account(options: Namespace) -> CollectionAccount:
    return scope.account_of(scope.organization_of(options), options.account)


def _given(options: Namespace, organization: Organization) -> dict[str, Any]:
    """The account's fields that were given, with things in the place of their names."""
    fields = {flag.field for flag in FLAGS} | {"active"}
    given = {name: value for name, value in vars(options).items() if name in fields}
    if "start" in given:
        given["start"], given["start_date"] = given["start"]
    if given.get("store") is not None:
        given["store"] = store_named(organization, given["store"])
    if given.get("group") is not None:
        given["group"] = group_named(organization, given["group"])
    if "secret" in given:
        given["secret"] = secret_from(given["secret"])
    return given
