"""`buzon group …`: agent groups, among which new customers are shared out."""

from argparse import Namespace

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.desk.models import AgentGroup
from buzon.desk.people import add_group, group_named, remove_group


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add a group; agents join it by buzon agent", _add, writes=True)
    verbs.add("list", "All groups and their agents", _list).add_json()
    remove = verbs.add("remove", "Remove a group; its agents stay", _remove, writes=True)
    for verb in (add, remove):
        verb.add_argument("name", metavar="NAME", help="the group's name")


def _add(options: Namespace) -> None:
    group = add_group(scope.organization_of(options), options.name)
    print(f"Added the group {group.name}.")


def _list(options: Namespace) -> None:
    rows = AgentGroup.objects.filter(organization=scope.organization_of(options))
    groups = [
        {"id": each.pk, "name": each.name, "agents": sorted(a.name for a in each.members.all())}
        for each in rows.order_by("name").prefetch_related("members")
    ]
    if options.json:
        output.document(groups)
        return
    shown = ((each["name"], each["agents"]) for each in groups)
    output.table(("name", "agents"), shown, empty="There are no groups: buzon group add NAME.")


def _remove(options: Namespace) -> None:
    remove_group(group_named(scope.organization_of(options), options.name))
    print(f"Removed the group {options.name}.")
