"""The people of the shop: agents, their groups, and the administrators' logins."""

from collections.abc import Iterable

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from buzon.desk.entries import (
    checked_email,
    checked_name,
    first_use,
    lock_names,
    named,
    names,
    taken,
)
from buzon.desk.errors import DeskError
from buzon.desk.events import untell_what_stands
from buzon.desk.models import Agent, AgentGroup, Membership, Organization, User


def add_agent(
    organization: Organization,
    *,
    name: str,
    email: str,
    groups: Iterable[AgentGroup] = (),
    password: str | None = None,
) -> Agent:
    """A new agent: Free (R12), and not signed in. A login is made only where a password is given.

    Raises DeskError: the name or the address is taken, a group of another organization.
    """
    name, email = checked_name(name, _("An agent")), checked_email(email)
    try:
        with transaction.atomic():
            _check_agent_is_new(organization.pk, name, email)
            agent = Agent.objects.create(organization=organization, name=name, email=email)
            if password is not None:
                agent.user = _login(organization, email, password, User.Role.AGENT)
                agent.save(update_fields=["user"])
            for group in groups:
                join_group(agent, group)
    except IntegrityError:
        raise _agent_or_login_taken(name, email) from None
    return agent


def change_agent(
    agent: Agent,
    *,
    name: str,
    email: str,
    copies: str,
    groups: Iterable[AgentGroup] | None = None,
) -> Agent:
    """Another name, e-mail address (the login's follows), or wish for copies by e-mail (R13), and
    exactly these groups; None leaves the groups as they are.

    Raises DeskError: the name or the address is taken, no such wish, a group of others.
    """
    name, email = checked_name(name, _("An agent")), checked_email(email)
    if copies not in Agent.Copies.values:
        told = _("Copies by e-mail must be one of {known}, not {copies!r}.")
        known = ", ".join(Agent.Copies.values)
        raise DeskError(told.format(known=known, copies=copies), field="copies")
    if agent.user_id and User.objects.filter(email=email).exclude(pk=agent.user_id).exists():
        raise _login_taken(email)
    try:
        with transaction.atomic():
            _check_agent_is_new(agent.organization_id, name, email, but=agent)
            User.objects.filter(agent=agent).update(email=email)
            Agent.objects.filter(pk=agent.pk).update(name=name, email=email, email_copies=copies)
            if groups is not None:
                choose_groups(agent, groups)
    except IntegrityError:
        raise _agent_or_login_taken(name, email) from None
    agent.refresh_from_db()
    return agent


def give_login(agent: Agent, password: str) -> User:
    """From now on the agent signs in with its e-mail address and this password; one who has a login
    already gets a new password. Raises DeskError: a weak one, another login has the address.
    """
    if agent.user is not None:
        change_password(agent.user, password)
        return agent.user
    with transaction.atomic():
        user = _login(agent.organization, agent.email, password, User.Role.AGENT)
        if not agent.active:
            User.objects.filter(pk=user.pk).update(is_active=False)
        agent.user = user
        agent.save(update_fields=["user"])
    return user


def let_answer(user: User, *, name: str, groups: Iterable[AgentGroup] = ()) -> Agent:
    """An administrator answers customers too: an agent with this login. An agent who has the same
    address and no login is the one.

    Raises DeskError: this login answers already, the name is taken, a group of others.
    """
    if Agent.objects.filter(user=user).exists():
        raise DeskError(_("{email} answers customers already.").format(email=user.email))
    with transaction.atomic():
        mine = Agent.objects.filter(organization=user.organization_id)
        agent = mine.filter(email=user.email, user=None).first()
        if agent is None:
            agent = add_agent(user.organization, name=name, email=user.email)
        else:
            agent = change_agent(agent, name=name, email=user.email, copies=agent.email_copies)
        agent.user, agent.active = user, True
        agent.save(update_fields=["user", "active"])
        for group in groups:
            join_group(agent, group)
    return agent


def agent_named(organization: Organization, name: str) -> Agent:
    """The agent of this name, or with this e-mail address. Raises DeskError."""
    agents = Agent.objects.filter(organization=organization)
    found = named(agents, name) or agents.filter(email=name.strip().lower()).first()
    if found is None:
        known = list(agents.filter(active=True).values_list("name", flat=True))
        told = _("There is no agent {name!r}.").format(name=name)
        raise DeskError(told + names(known), field="agent")
    return found


def set_status(agent: Agent, status: str) -> None:
    """Set by hand, kept over sign-out (R12). Raises DeskError for a status that does not exist."""
    if status not in Agent.Status.values:
        known = ", ".join(Agent.Status.values)
        told = _("The status must be one of {known}, not {status!r}.")
        raise DeskError(told.format(known=known, status=status), field="status")
    agent.set_status(Agent.Status(status))


def deactivate_agent(agent: Agent) -> None:
    """The agent gets nothing new and cannot sign in; an administrator's login stays one.

    The customers stay listed as this agent's, and are handed out as if new when they next write.
    """
    with transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(active=False, present_until=None)
        User.objects.filter(agent=agent, role=User.Role.AGENT).update(is_active=False)
    agent.active, agent.present_until = False, None


def reactivate_agent(agent: Agent) -> None:
    """The end of a deactivation."""
    with transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(active=True)
        User.objects.filter(agent=agent).update(is_active=True)
    agent.active = True


def add_group(organization: Organization, name: str, *, agents: Iterable[Agent] = ()) -> AgentGroup:
    """A new group of these agents.

    Raises DeskError: the name is taken or makes no sense, an agent of another organization.
    """
    name = checked_name(name, _("A group"))
    try:
        with transaction.atomic():
            _check_group_is_new(organization.pk, name)
            group = AgentGroup.objects.create(organization=organization, name=name)
            choose_members(group, agents)
    except IntegrityError:
        raise _group_taken(name) from None
    return group


def change_group(
    group: AgentGroup, *, name: str, agents: Iterable[Agent] | None = None
) -> AgentGroup:
    """Another name, and exactly these members; None leaves the members as they are.

    Raises DeskError: the name is taken or makes no sense, an agent of another organization.
    """
    name = checked_name(name, _("A group"))
    try:
        with transaction.atomic():
            _check_group_is_new(group.organization_id, name, but=group)
            # Nothing but the name: the turn moves on with every customer who is handed out.
            AgentGroup.objects.filter(pk=group.pk).update(name=name)
            if agents is not None:
                choose_members(group, agents)
    except IntegrityError:
        raise _group_taken(name) from None
    group.name = name
    return group


def group_named(organization: Organization, name: str) -> AgentGroup:
    """The organization's group of this name. Raises DeskError."""
    groups = AgentGroup.objects.filter(organization=organization)
    found = named(groups, name)
    if found is None:
        told = _("There is no group {name!r}.").format(name=name)
        raise DeskError(told + names(list(groups.values_list("name", flat=True))), field="group")
    return found


def remove_group(group: AgentGroup) -> None:
    """Remove a group; its agents stay. What it handed out keeps its reasons.

    Raises DeskError where a collection account still shares new customers among it.
    """
    with transaction.atomic():
        row = AgentGroup.objects.select_for_update().get(pk=group.pk)
        use = first_use(row, but=frozenset({"Membership", "Assignment"}))
        if use:
            told = _("The group {name} is used by {use}; give them another one first.")
            raise DeskError(told.format(name=row.name, use=use))
        row.delete()


def join_group(agent: Agent, group: AgentGroup) -> Membership:
    """The agent becomes a member, and the next in turn. A member stays one, with its turn.

    Raises DeskError for a group of another organization.
    """
    if agent.organization_id != group.organization_id:
        told = _("The group {name} belongs to another organization.").format(name=group.name)
        raise DeskError(told, field="group")
    membership, _made = Membership.objects.get_or_create(group=group, agent=agent)
    return membership


def leave_group(agent: Agent, group: AgentGroup) -> None:
    """The agent is no longer a member. Raises DeskError where the agent was none."""
    gone, _by_model = Membership.objects.filter(group=group, agent=agent).delete()
    if not gone:
        told = _("The agent {agent} is not in the group {group}.")
        raise DeskError(told.format(agent=agent.name, group=group.name), field="agent")


def choose_groups(agent: Agent, groups: Iterable[AgentGroup]) -> None:
    """The agent is a member of exactly these groups; where it was one it keeps its turn.

    Raises DeskError for a group of another organization.
    """
    chosen = list(groups)
    others = Membership.objects.filter(agent=agent).exclude(group__in=chosen)
    _replace(others, [(agent, group) for group in chosen])


def choose_members(group: AgentGroup, agents: Iterable[Agent]) -> None:
    """Exactly these agents are the group's members; who was one keeps its turn.

    Raises DeskError for an agent of another organization.
    """
    chosen = list(agents)
    others = Membership.objects.filter(group=group).exclude(agent__in=chosen)
    _replace(others, [(agent, group) for agent in chosen])


def add_administrator(organization: Organization, *, email: str, password: str) -> User:
    """A login that may change everything of its organization. The only one there is finds the
    troubles of before, which nobody was told of.

    Raises DeskError: no address, one that has a login already, a weak password.
    """
    email = checked_email(email)
    with transaction.atomic():
        # Whoever tells an event to nobody looks once more after this (`notify.audience`).
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        is_only = not administrators(organization).exists()
        user = _login(organization, email, password, User.Role.ADMINISTRATOR)
        if is_only:
            untell_what_stands(organization)
    return user


def administrators(organization: Organization) -> QuerySet[User]:
    """The active administrators, the first one first: who is told of troubles."""
    return User.objects.filter(
        organization=organization, role=User.Role.ADMINISTRATOR, is_active=True
    ).order_by("pk")


def change_password(user: User, password: str) -> None:
    """Raises DeskError for a weak one."""
    check_password(password)
    user.set_password(password)
    user.save(update_fields=["password"])


def check_password(password: str) -> None:
    """The one rule for the passwords of people, on pages and on the command line: that of
    `AUTH_PASSWORD_VALIDATORS`. Raises DeskError for a weak one.
    """
    try:
        validate_password(password)
    except ValidationError as error:
        raise DeskError(" ".join(error.messages), field="password") from None


def remove_administrator(user: User) -> None:
    """The login is removed; one who answers customers too keeps it as an agent.

    Raises DeskError where it is the last active one: nobody could let anybody in again.
    """
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=user.organization_id)
        others = administrators(user.organization).exclude(pk=user.pk)
        if user.role == User.Role.ADMINISTRATOR and not others.exists():
            told = _("{email} is the last administrator; add another one first.")
            raise DeskError(told.format(email=user.email))
        if Agent.objects.filter(user=user, active=True).exists():
            user.role = User.Role.AGENT
            user.save(update_fields=["role"])
        else:
            user.delete()


def _check_agent_is_new(
    organization_id: int, name: str, email: str, *, but: Agent | None = None
) -> None:
    lock_names(organization_id)
    agents = Agent.objects.filter(organization=organization_id)
    if but is not None:
        agents = agents.exclude(pk=but.pk)
    same = taken(agents, name)
    if same:
        told = _("There is already an agent {name}.").format(name=same)
        raise DeskError(told, field="name")
    if agents.filter(email=email).exists():
        told = _("There is already an agent with the address {email}.").format(email=email)
        raise DeskError(told, field="email")


def _replace(others: "QuerySet[Membership]", members: Iterable[tuple[Agent, AgentGroup]]) -> None:
    with transaction.atomic():
        others.delete()
        for agent, group in members:
            join_group(agent, group)


def _check_group_is_new(organization_id: int, name: str, *, but: AgentGroup | None = None) -> None:
    lock_names(organization_id)
    same = taken(AgentGroup.objects.filter(organization=organization_id), name, but=but)
    if same:
        raise _group_taken(same)


def _group_taken(name: str) -> DeskError:
    return DeskError(_("There is already a group {name}.").format(name=name), field="name")


def _login(organization: Organization, email: str, password: str, role: User.Role) -> User:
    check_password(password)
    try:
        with transaction.atomic():
            return User.objects.create_login(
                organization, email=email, password=password, role=role
            )
    except IntegrityError:
        raise _login_taken(email) from None


def _login_taken(email: str) -> DeskError:
    told = _("There is already a login with the address {email}.").format(email=email)
    return DeskError(told, field="email")


def _agent_or_login_taken(name: str, email: str) -> DeskError:
    """Somebody else was a moment earlier, and the constraint does not say with which of the two."""
    told = _("There is already an agent {name} or one with {email}.")
    return DeskError(told.format(name=name, email=email), field="name")
