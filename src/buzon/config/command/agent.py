"""`buzon agent …`: those who answer customers."""

from argparse import Namespace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import one_of, secret_from, whole
from buzon.desk.alphabet import by_name, place
from buzon.desk.logins import choose_copies
from buzon.desk.models import Agent
from buzon.desk.people import (
    add_agent,
    agent_named,
    change_agent,
    deactivate_agent,
    group_named,
    join_group,
    leave_group,
    reactivate_agent,
    set_status,
)

_LONGEST_SHIFT = 720  # minutes
_COPIES = one_of(*Agent.Copies.values)


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add an agent: Free, and not signed in", _add, writes=True)
    verbs.add("list", "All agents", _list).add_json()
    status = verbs.add("status", "Set the status, kept over signing out", _status, writes=True)
    present = verbs.add(
        "present", "Count the agent as signed in, until away or for so long", _present, writes=True
    )
    away = verbs.add("away", "Sign the agent out", _away, writes=True)
    deactivate = verbs.add(
        "deactivate", "The agent gets no new customers and cannot sign in", _deactivate, writes=True
    )
    activate = verbs.add("activate", "The end of a deactivation", _activate, writes=True)
    change = verbs.add("set", "Change an agent", _set, writes=True)
    for verb in (add, status, present, away, deactivate, activate, change):
        verb.add_argument("name", metavar="NAME", help="the agent's name")
    add.add_json()
    _add_details(add, change)
    status.add_argument(
        "status", metavar="STATUS", type=one_of(*Agent.Status.values),
        help=", ".join(Agent.Status.values),
    )  # fmt: skip
    present.add_argument(
        "--minutes", metavar="N", type=whole(1, _LONGEST_SHIFT), default=_LONGEST_SHIFT,
        help=f"for so long (default: {_LONGEST_SHIFT})",
    )  # fmt: skip


def _add_details(add: Parser, change: Parser) -> None:
    add.add_argument("--email", metavar="E", required=True, help="where copies are sent to")
    add.add_argument(
        "--group", metavar="G", action="append", default=[],
        help="a group to join; may be given several times",
    )  # fmt: skip
    add.add_argument(
        "--password-file", metavar="FILE",
        help="make a login with the password in this file, - for standard input (default: none)",
    )  # fmt: skip
    change.add_argument("--name", metavar="NEW", dest="new_name", help="another name")
    change.add_argument("--email", metavar="E", help="another address")
    change.add_argument("--join", metavar="G", action="append", default=[], help="a group to join")
    change.add_argument(
        "--leave", metavar="G", action="append", default=[], help="a group to leave"
    )
    for verb in (add, change):
        verb.add_argument(
            "--email-copies", metavar="C", type=_COPIES,
            help="of which notifications a copy is sent by e-mail: none, all, or assigned "
            "(new customers only); a new agent gets none",
        )  # fmt: skip


def _add(options: Namespace) -> None:
    organization = scope.organization_of(options)
    groups = [group_named(organization, name) for name in options.group]
    password = secret_from(options.password_file) if options.password_file else None
    with transaction.atomic():
        agent = add_agent(
            organization, name=options.name, email=options.email, groups=groups, password=password
        )
        if options.email_copies is not None:
            choose_copies(agent, options.email_copies)
    if options.json:
        output.document(_as_json(agent))
        return
    print(f"Added the agent {agent.name}.")


def _list(options: Namespace) -> None:
    rows = Agent.objects.filter(organization=scope.organization_of(options))
    agents = [_as_json(each) for each in by_name(rows).prefetch_related("groups")]
    if options.json:
        output.document(agents)
        return
    headings = ("name", "status", "present", "active", "groups", "e-mail")
    keys = ("name", "status", "present", "active", "groups", "email")
    shown = ([each[key] for key in keys] for each in agents)
    output.table(headings, shown, empty="There are no agents: buzon agent add --help.")


def _as_json(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.pk,
        "name": agent.name,
        "email": agent.email,
        "status": agent.status,
        "present": agent.is_present(),
        "active": agent.active,
        "email_copies": agent.email_copies,
        "groups": sorted((group.name for group in agent.groups.all()), key=place),
    }


def _status(options: Namespace) -> None:
    agent = _agent(options)
    set_status(agent, options.status)
    print(f"{agent.name} is {agent.get_status_display().lower()}.")


def _present(options: Namespace) -> None:
    agent = _agent(options)
    if not agent.active:
        raise WrongArgument(f"{agent.name} is deactivated, and cannot sign in.")
    agent.heard_from(until=timezone.now() + timedelta(minutes=options.minutes))
    print(f"{agent.name} counts as signed in for {options.minutes} minutes.")


def _away(options: Namespace) -> None:
    agent = _agent(options)
    agent.signed_out()
    print(f"{agent.name} is signed out.")


def _deactivate(options: Namespace) -> None:
    agent = _agent(options)
    deactivate_agent(agent)
    held = agent.customers.count()
    print(f"Deactivated {agent.name}; {held:,} customers are handed out when they next write.")


def _activate(options: Namespace) -> None:
    agent = _agent(options)
    reactivate_agent(agent)
    print(f"{agent.name} is active.")


def _set(options: Namespace) -> None:
    agent = _agent(options)
    if not any((options.new_name, options.email, options.join, options.leave,
                options.email_copies)):  # fmt: skip
        options.leaf.error(f"{agent.name} stays as it is, because nothing to change is given")
    with transaction.atomic():
        change_agent(
            agent,
            name=agent.name if options.new_name is None else options.new_name,
            email=agent.email if options.email is None else options.email,
            copies=options.email_copies or agent.email_copies,
        )
        for name in options.leave:
            leave_group(agent, group_named(agent.organization, name))
        for name in options.join:
            join_group(agent, group_named(agent.organization, name))
    print(f"Changed {agent.name}.")


def _agent(options: Namespace) -> Agent:
    return agent_named(scope.organization_of(options), options.name)
