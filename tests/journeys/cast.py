"""Who writes in the journeys: customers of two stores and of none, strangers, machines.

Persons who are strangers write only as persons, and machines that are strangers only as machines:
what becomes of a letter must not depend on which of two strangers' letters is processed first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CENTRO, NORTE = "Centro", "Norte"
OWN_ADDRESS = "pedidos@tienda.example"
BLOCKED = ("spam@blocked.example", "@blocked-domain.example")
AUTHSERV = "mx.tienda.example"


@dataclass(frozen=True, slots=True)
class Sender:
    """One address: as it is compared, and the other ways in which it may be written."""

    folded: str
    forms: tuple[str, ...] = ()

    def written(self, place: int) -> str:
        forms = (self.folded, *self.forms)
        return forms[place % len(forms)]


@dataclass(frozen=True, slots=True)
class Known:
    """A customer of the CSV file; `store` and `agent` may be "" for none."""

    addresses: tuple[Sender, ...]
    name: str
    store: str
    agent: str


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the group; `gone` is deactivated after the customers were imported."""

    name: str
    status: str = "free"
    present: bool = False
    gone: bool = False
    in_group: bool = True


# Two of the five of the group are Free and signed in: R10's first tier.
AGENTS = (
    Agent("Ana", present=True),
    Agent("Bruno", present=True),
    Agent("Carla"),
    Agent("Diego", status="lunch", present=True),
    Agent("Elena", status="busy"),
    Agent("Fermín", in_group=False),
    Agent("Rosa", gone=True),
)
GROUP = "Ventas"


def _odd_case(address: str) -> str:
    return "".join(c.upper() if place % 2 else c for place, c in enumerate(address))


def sender(address: str, *further: str) -> Sender:
    return Sender(address, (address.upper(), _odd_case(address), *further))


def _customer(number: int, store: str, agent: str) -> Known:
    address = sender(f"cliente{number}@known.example")
    return Known((address,), f"Cliente {number}", store, agent)


CUSTOMERS = (
    *(_customer(n, CENTRO, AGENTS[n % 6].name) for n in range(12)),
    *(_customer(n, "", AGENTS[n % 6].name) for n in range(12, 18)),
    *(_customer(n, CENTRO, "") for n in range(18, 22)),
    *(_customer(n, CENTRO, "Rosa") for n in range(22, 25)),
    # For the other store's account these are strangers.
    *(_customer(n, NORTE, "Fermín") for n in range(25, 30)),
    Known(
        (
            sender("compras@xn--muoz-hijos-u9a.example", "Compras@muñoz-hijos.example"),
            sender("marta.ruiz@known.example"),
        ),
        "Muñoz e hijos",
        CENTRO,
        "Ana",
    ),
    # One address in two places: a store's account takes the store's own.
    Known((sender("doble@known.example"),), "Doble del centro", CENTRO, "Bruno"),
    Known((sender("doble@known.example"),), "Doble de nadie", "", "Fermín"),
)
STRANGERS = tuple(
    sender(f"{name}{number}@{domain}")
    for number, (name, domain) in enumerate(
        (name, domain)
        for name in ("luis", "o'brien", "maría-josé".encode().hex(), "x_y+shop", "jane.doe")
        for domain in (
            "gmail.example",
            "correo.example",
            "xn--espaa-rta.example",
            "mail.co.example",
        )
    )
)  # 20 of them; the third domain is españa.example
IDN_STRANGER = sender("tienda@xn--caf-dma.example", "tienda@café.example", "Tienda@CAFÉ.example")
FORGED = tuple(sender(f"forged{n}@bank.example") for n in range(4))
SENDERS_OF_LARGE = tuple(sender(f"large{n}@plans.example") for n in range(2))
MACHINES = {
    "auto_reply": tuple(sender(f"away{n}@offices.example") for n in range(6)),
    "list": tuple(sender(f"member{n}@lists.example") for n in range(6)),
    "bulk": tuple(sender(f"news{n}@letters.example") for n in range(6)),
    "bounce": (sender("mailer-daemon@mx1.example"), sender("mailer-daemon@mx2.example")),
}
KNOWN_SENDERS = tuple(address for known in CUSTOMERS for address in known.addresses)


def customers_csv() -> str:
    """The file that `buzon customer import` reads: as a Spanish spreadsheet writes it."""
    rows = ["correo;nombre;tienda;agente"]
    for place, known in enumerate(CUSTOMERS):
        addresses = " ".join(a.written(place) for a in known.addresses)
        rows.append(f"{addresses};{known.name};{known.store};{known.agent}")
    return "\r\n".join(rows) + "\r\n"


def named(addresses: Sequence[Sender]) -> set[str]:
    return {one.folded for one in addresses}
