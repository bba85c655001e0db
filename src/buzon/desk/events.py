"""What happened, written down for `notify` to tell."""

from collections.abc import Mapping
from typing import Any

from buzon.desk.models import Agent, Customer, Event, Message, Organization
from buzon.desk.text import storable_data


def record(
    kind: Event.Kind | str,
    *,
    organization: Organization | int,
    customer: Customer | None = None,
    message: Message | None = None,
    agent: Agent | int | None = None,
    silent: bool = False,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """One event, in the transaction of what it tells of. `organization` and `agent`
    may be given by their keys.

    `silent`: told as an entry of the list only, without pop-up and e-mail. Raises ValueError for
    a kind that does not exist.
    """
    return Event.objects.create(
        organization_id=organization if isinstance(organization, int) else organization.pk,
        kind=Event.Kind(kind),
        customer=customer,
        message=message,
        agent_id=agent.pk if isinstance(agent, Agent) else agent,
        silent=silent,
        data=storable_data(dict(data or {})),
    )
