"""`buzon customer …`: customers and the addresses they write from."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import octets_from
from buzon.desk.addresses import fold
from buzon.desk.assignment import left_behind
from buzon.desk.customers import add_customer, change_customer, import_csv, remove_customer
from buzon.desk.models import Assignment, Customer, Organization
from buzon.desk.people import agent_named
from buzon.desk.reasons import sentence, told
from buzon.desk.stores import store_named
from buzon.intake.asked import earlier_letters

_AT_ONCE = 2_000  # rows in memory
_IMPORT = """Import customers from a CSV file: all of them, or none. The first line names the
columns: email (several addresses of one customer are separated by spaces), and if there are,
name, store and agent; without such a line the columns are the address and the name.
UTF-8 or what a spreadsheet writes; commas, semicolons or tabs."""


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add a customer", _add, writes=True)
    add.add_argument("addresses", metavar="ADDRESS", nargs="+", help="an address of the customer")
    add.add_argument("--name", metavar="N", default="", help="the customer's name")
    add.add_argument("--agent", metavar="A", help="who looks after the customer")
    every = verbs.add("list", "All customers", _list)
    every.add_argument("--agent", metavar="A", help="only those of this agent")
    every.add_argument("--unassigned", action="store_true", help="only those without an agent")
    every.add_argument(
        "--left-behind",
        action="store_true",
        help="only those of deactivated agents: handed out as if new when they next write",
    )
    load = verbs.add("import", "Import a CSV file", _import, writes=True, description=_IMPORT)
    load.add_argument("file", metavar="FILE", help="the file, - for standard input")
    for verb, meaning in (
        (add, "of this store (default: of none)"),
        (every, "only those of this store"),
        (load, "the store of customers for whom the file names none (default: none)"),
    ):
        verb.add_argument("--store", metavar="S", help=meaning)
    show = verbs.add("show", "One customer, and who looks after it and why", _show)
    change = verbs.add("set", "Change a customer", _set, writes=True)
    _add_changes(change)
    remove = verbs.add(
        "remove", "Remove a customer; its letters stay, without a customer", _remove, writes=True
    )
    for verb in (show, change, remove):
        verb.add_argument(
            "customer", metavar="ADDRESS|ID", help="an address, or the customer's number"
        )
    for verb in (add, every, load, show, change):
        verb.add_json()


def _add_changes(change: Parser) -> None:
    change.add_argument("--name", metavar="N", help='another name, or "" for none')
    whose = change.add_mutually_exclusive_group()
    whose.add_argument("--agent", metavar="A", help="who looks after the customer from now on")
    whose.add_argument("--no-agent", action="store_true", help="nobody does any more")


def _add(options: Namespace) -> None:
    organization = scope.organization_of(options)
    customer = add_customer(
        organization,
        addresses=options.addresses,
        store=store_named(organization, options.store) if options.store else None,
        name=options.name,
        agent=agent_named(organization, options.agent) if options.agent else None,
    )
    if options.json:
        output.document(as_json(customer))
        return
    print(f"Added the customer {customer.pk}.")
    earlier = earlier_letters(customer)
    if earlier:
        left = output.counted(earlier, "letter")
        print(f"Still on the server: {left}; buzon fetch --customer {options.addresses[0]}.")


def _list(options: Namespace) -> None:
    rows = _chosen(options)
    if options.json:
        output.document([as_json(each) for each in _read(rows)])
        return
    headings = ("id", "name", "addresses", "store", "agent", "since")
    output.table(headings, map(_row, _read(rows)), empty="There are no such customers.")


def _chosen(options: Namespace) -> "QuerySet[Customer]":
    organization = scope.organization_of(options)
    if sum((options.agent is not None, options.unassigned, options.left_behind)) > 1:
        raise WrongArgument("--agent, --unassigned and --left-behind exclude each other.")
    rows = Customer.objects.filter(organization=organization)
    if options.left_behind:
        rows = left_behind(organization)
    if options.store is not None:
        rows = rows.filter(store=store_named(organization, options.store))
    if options.agent is not None:
        rows = rows.filter(agent=agent_named(organization, options.agent))
    return rows.filter(agent__isnull=True) if options.unassigned else rows


def _read(rows: "QuerySet[Customer]") -> Iterator[Customer]:
    joined = rows.order_by("pk").select_related("store", "agent").prefetch_related("addresses")
    return joined.iterator(chunk_size=_AT_ONCE)


def as_json(customer: Customer) -> dict[str, Any]:
    """A customer as DESIGN's interface has it."""
    return {
        "id": customer.pk,
        "store": customer.store.name if customer.store else None,
        "addresses": _addresses(customer),
        "name": customer.name,
        "agent": customer.agent.name if customer.agent else None,
        "created_by": customer.created_by,
        "created_at": output.stamp(customer.created_at),
    }


def _addresses(customer: Customer) -> list[str]:
    return [each.address for each in sorted(customer.addresses.all(), key=lambda each: each.pk)]


def _row(customer: Customer) -> tuple[Any, ...]:
    return (
        str(customer.pk),
        customer.name,
        _addresses(customer),
        customer.store,
        customer.agent,
        customer.created_at,
    )


def _import(options: Namespace) -> None:
    organization = scope.organization_of(options)
    store = store_named(organization, options.store) if options.store else None
    imported = import_csv(organization, octets_from(options.file), store=store)
    if options.json:
        output.document({"imported": imported.count, "ignored_columns": imported.ignored})
        return
    print(f"Imported {output.counted(imported.count, 'customer')}.")
    if imported.ignored:
        output.note(f"These columns mean nothing here: {', '.join(imported.ignored)}.")


def _set(options: Namespace) -> None:
    organization = scope.organization_of(options)
    customer = customer_of(organization, options.customer)
    if options.name is None and options.agent is None and not options.no_agent:
        options.leaf.error(f"{customer} stays as it is, because nothing to change is given")
    change_customer(
        customer,
        name=options.name,
        agent=agent_named(organization, options.agent) if options.agent is not None else None,
        take_away=options.no_agent,
    )
    if options.json:
        output.document(as_json(customer))
        return
    print(f"Changed the customer {customer.pk}.")


def _remove(options: Namespace) -> None:
    customer = customer_of(scope.organization_of(options), options.customer)
    number = customer.pk
    letters = remove_customer(customer)
    if not letters:
        print(f"Removed the customer {number}, who had no letters.")
        return
    stay = "stays" if letters == 1 else "stay"
    print(
        f"Removed the customer {number}; {output.counted(letters, 'letter')} {stay}, "
        "without a customer."
    )


def _show(options: Namespace) -> None:
    customer = customer_of(scope.organization_of(options), options.customer)
    given = list(customer.assignments.select_related("agent", "group").order_by("pk"))
    if options.json:
        assignments = [_assignment(each) for each in given]
        letters = {
            "letters": customer.messages.count(),
            "earlier_letters": earlier_letters(customer),
        }
        output.document(as_json(customer) | letters | {"assignments": assignments})
        return
    output.facts(
        [
            ("id", str(customer.pk)),
            ("name", customer.name),
            ("addresses", _addresses(customer)),
            ("store", customer.store.name if customer.store else None),
            ("agent", customer.agent.name if customer.agent else None),
            ("letters", customer.messages.count()),
            ("still on the server", earlier_letters(customer)),
            ("created", f"{output.cell(customer.created_at)} by {customer.created_by}"),
        ]
    )
    print()
    shown = ((a.at, a.agent, a.group, sentence(a.why)) for a in given)
    output.table(("when", "agent", "group", "why"), shown, empty="It was never given to an agent.")


def _assignment(each: Assignment) -> dict[str, Any]:
    return {
        "agent": each.agent.name if each.agent else None,
        "group": each.group.name if each.group else None,
        "why": told(each.why),
        "at": output.stamp(each.at),
    }


def customer_of(organization: Organization, wanted: str) -> Customer:
    """By its number, or by an address that only one has. Raises WrongArgument."""
    rows = Customer.objects.filter(organization=organization)
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        found = list(rows.filter(pk=int(wanted)))
    else:
        folded = fold(wanted)
        if not folded:
            raise WrongArgument(f"{wanted!r} is neither an e-mail address nor a number.")
        found = list(rows.filter(addresses__folded=folded).order_by("pk"))
    if not found:
        raise WrongArgument(f"There is no customer {wanted}.")
    if len(found) > 1:
        numbers = ", ".join(str(each.pk) for each in found)
        raise WrongArgument(
            f"Several customers have the address {wanted}: {numbers}. Give the number instead."
        )
    return found[0]
