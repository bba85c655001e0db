"""`buzon administrator …`: logins that may change everything of their organization."""

from argparse import Namespace
from typing import Any

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.values import secret_from
from buzon.desk.logins import login_with_address
from buzon.desk.models import Agent, Organization, User
from buzon.desk.people import add_administrator, change_password, remove_administrator
from buzon.web.sessions import end_sessions
from buzon.web.setup_code import forget_setup_code


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    add = verbs.add("add", "Add an administrator", _add, writes=True)
    verbs.add("list", "All administrators", _list).add_json()
    remove = verbs.add(
        "remove", "Remove an administrator's login; not the last one's", _remove, writes=True
    )
    password = verbs.add(
        "password",
        "Set the password of a login, an agent's too, and end its sessions",
        _password,
        writes=True,
    )
    for verb in (add, remove, password):
        verb.add_argument("email", metavar="EMAIL", help="the login's e-mail address")
    for verb in (add, password):
        verb.add_argument(
            "--password-file", metavar="FILE", required=True,
            help="the file that holds the password, - for standard input",
        )  # fmt: skip
    add.add_json()


def _add(options: Namespace) -> None:
    organization = scope.organization_of(options)
    password = secret_from(options.password_file)
    user = add_administrator(organization, email=options.email, password=password)
    forget_setup_code()
    if options.json:
        output.document(_as_json(user, answers=False))
        return
    print(f"Added the administrator {user.email}.")


def _list(options: Namespace) -> None:
    rows = _administrators(scope.organization_of(options))
    if options.json:
        output.document(rows)
        return
    headings = ("e-mail", "active", "answers customers", "last signed in")
    keys = ("email", "active", "answers_customers", "last_signed_in_at")
    shown = ([row[key] for key in keys] for row in rows)
    output.table(
        headings, shown, empty="There is no administrator: buzon administrator add --help."
    )


def _administrators(organization: Organization) -> list[dict[str, Any]]:
    users = User.objects.filter(organization=organization, role=User.Role.ADMINISTRATOR)
    answering = set(
        Agent.objects.filter(organization=organization, active=True).values_list("user", flat=True)
    )
    return [_as_json(user, answers=user.pk in answering) for user in users.order_by("email")]


def _as_json(user: User, *, answers: bool) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "active": user.is_active,
        "answers_customers": answers,
        "last_signed_in_at": output.stamp(user.last_login),
        "created_at": output.stamp(user.created_at),
    }


def _remove(options: Namespace) -> None:
    user = login_with_address(scope.organization_of(options), options.email)
    if user.role != User.Role.ADMINISTRATOR:
        raise WrongArgument(
            f"{user.email} is an agent's login, not an administrator's: buzon agent deactivate."
        )
    remove_administrator(user)
    print(f"{options.email} is no longer an administrator.")


def _password(options: Namespace) -> None:
    user = login_with_address(scope.organization_of(options), options.email)
    change_password(user, secret_from(options.password_file))
    ended = end_sessions(user)
    print(f"{user.email} has a new password; {output.counted(ended, 'session')} ended.")
