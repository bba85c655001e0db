"""`buzon store …`: the shops of the organization."""

from argparse import Namespace
from typing import Any

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.desk.alphabet import by_name
from buzon.desk.models import Store
from buzon.desk.stores import add_store, remove_store, store_named


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add a store", _add, writes=True)
    add.add_json()
    verbs.add("list", "All stores", _list).add_json()
    remove = verbs.add("remove", "Remove a store that nothing belongs to", _remove, writes=True)
    for verb in (add, remove):
        verb.add_argument("name", metavar="NAME", help="the store's name")


def _add(options: Namespace) -> None:
    store = add_store(scope.organization_of(options), options.name)
    if options.json:
        output.document(_as_json(store))
        return
    print(f"Added the store {store.name}.")


def _list(options: Namespace) -> None:
    rows = list(by_name(Store.objects.filter(organization=scope.organization_of(options))))
    if options.json:
        output.document([_as_json(each) for each in rows])
        return
    empty = "There are no stores: every account and customer belongs to the whole organization."
    output.table(("name", "since"), ((s.name, s.created_at) for s in rows), empty=empty)


def _as_json(store: Store) -> dict[str, Any]:
    return {"id": store.pk, "name": store.name, "created_at": output.stamp(store.created_at)}


def _remove(options: Namespace) -> None:
    store = store_named(scope.organization_of(options), options.name)
    remove_store(store)
    print(f"Removed the store {store.name}.")
