"""`buzon group …`: agent groups, among which new customers are shared out."""

from argparse import Namespace
from typing import Any

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.desk.alphabet import by_name, place
from buzon.desk.models import AgentGroup
from buzon.desk.people import add_group, group_named, remove_group


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add a group; agents join it by buzon agent", _add, writes=True)
    add.add_json()
    verbs.add("list", "All groups and their agents", _list).add_json()
    remove = verbs.add("remove", "Remove a group; its agents stay", _remove, writes=True)
    for verb in (add, remove):
        verb.add_argument("name", metavar="NAME", help="the group's name")


def _add(options: Namespace) -> None:
    group = add_group(scope.organization_of(options), options.name)
    if options.json:
        output.document(_as_json(group))
        return
    print(f"Added the group {group.name}.")


def _list(options: Namespace) -> None:
    rows = AgentGroup.objects.filter(organization=scope.organization_of(options))
    groups = [_as_json(each) for each in by_name(rows).prefetch_related("members")]
    if options.json:
        output.document(groups)
        return
    shown = ((each["name"], each["agents"]) for each in groups)
    output.table(("name", "agents"), shown, empty="There are no groups: buzon group add NAME.")


def _as_json(group: AgentGroup) -> dict[str, Any]:
    agents = sorted((agent.name for agent in group.members.all()), key=place)
    return {"id": group.pk, "name": group.name, "agents": agents}


def _remove(options: Namespace) -> None:
    group = group_named(scope.organization_of(options), options.name)
    remove_group(group)
    print(f"Removed the group {group.name}.")
