"""The people of the page tests: Olga administers Casa Olivo, Ana and Luis answer its customers,
Charlie administers another organization and must see nothing of it.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from buzon.desk.models import Agent, AgentGroup, Organization, Store, User
from buzon.desk.organizations import add_organization
from buzon.desk.people import add_administrator, add_agent, add_group
from buzon.desk.stores import add_store

PASSWORD = "a long password 4711"


@dataclass
class Cast:
    """A shop with its people, and a stranger to it."""

    shop: Organization
    olga: User
    group: AgentGroup
    ana: Agent
    luis: Agent
    store: Store
    elsewhere: Organization
    charlie: User

    def browser(self, who: User | Agent | None = None, *, language: str = "en") -> Client:
        """A browser of this language, signed in as `who`; None: a stranger."""
        client = Reader(headers={"host": "localhost", "accept-language": language})
        user = who.user if isinstance(who, Agent) else who
        if user is not None:
            client.force_login(user)
        return client


class Reader(Client):
    """Reads pages as a person does: where a line may break (<wbr>), there is nothing to see."""

    def request(self, **request: Any) -> HttpResponse:  # type: ignore[override]  # and Client's own
        response = super().request(**request)
        if response["Content-Type"].startswith("text/html") and not response.streaming:
            response.content = response.content.replace(b"<wbr>", b"")
        return response


def make_cast() -> Cast:
    shop = add_organization("Casa Olivo", language="es", time_zone="Europe/Madrid")
    group = add_group(shop, "Ventas")
    elsewhere = add_organization("Elsewhere")
    return Cast(
        shop=shop,
        olga=add_administrator(shop, email="olga@olivo.example", password=PASSWORD),
        group=group,
        ana=_agent(shop, "Ana", group),
        luis=_agent(shop, "Luis", group),
        store=add_store(shop, "Norte"),
        elsewhere=elsewhere,
        charlie=add_administrator(elsewhere, email="charlie@elsewhere.example", password=PASSWORD),
    )


def _agent(shop: Organization, name: str, group: AgentGroup) -> Agent:
    email = f"{name.lower()}@olivo.example"
    return add_agent(shop, name=name, email=email, groups=[group], password=PASSWORD)
