"""The demonstration's organization, made by the verbs that any other is made by."""

from importlib import resources
from itertools import count
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from buzon.config.installation import spoken_language
from buzon.demo.shop import MAILBOXES, OFFICE, SERVER, ShopMail
from buzon.desk.blocking import block_sender
from buzon.desk.customers import import_csv
from buzon.desk.models import AgentGroup, Organization, Store
from buzon.desk.organizations import add_organization, remove_organization, suspend_organization
from buzon.desk.people import add_administrator, add_agent, add_group, set_status
from buzon.desk.stores import add_store
from buzon.intake.accounts import add_account

ADMINISTRATOR = f"admin@{OFFICE}"
CERAMICS, BICYCLES = "Barro y Olivo", "Fairwind Cycles"
POLL_SECONDS = 5.0
SMALL_LIMIT = 150_000  # octets: one letter of the workshop's is larger
BLOCKED = "@ofertas-sin-fin.example"
FORM = "formulario@barroyolivo.example"  # the store's web form, whose Reply-To is the customer
_LOGINS = ("pedidos", "hello", "workshop", "office", "old")


class _Person(NamedTuple):
    """An agent: in which group, with which status; whether signed in, and with a login."""

    name: str
    email: str
    group: str
    status: str
    present: bool = False
    login: bool = False


# Of the ceramics' group two are Free and signed in; of the bicycles' nobody, until Grace signs in:
# so both tiers of R10 can be seen.
PEOPLE = (
    _Person("Lucía Serrano", f"lucia@{OFFICE}", "care", "free", login=True),
    _Person("Marta Peral", f"marta@{OFFICE}", "care", "free", present=True),
    _Person("Diego Rivas", f"diego@{OFFICE}", "care", "free", present=True),
    _Person("Iván Cobo", f"ivan@{OFFICE}", "care", "lunch", present=True),
    _Person("Nuria Vidal", f"nuria@{OFFICE}", "care", "busy"),
    _Person("Grace Okafor", f"grace@{OFFICE}", "bicycles", "free", login=True),
    _Person("Tom Hollis", f"tom@{OFFICE}", "bicycles", "busy", present=True),
    _Person("Priya Nair", f"priya@{OFFICE}", "bicycles", "break", present=True),
    _Person("Owen Price", f"owen@{OFFICE}", "bicycles", "lunch", present=True),
)
PRESENT = tuple(person.name for person in PEOPLE if person.present)

# The names of things, in the language of the terminal.
_NAMES = {
    "es": {
        "organization": "Demostración",
        "care": "Atención al cliente",
        "bicycles": "Equipo de bicicletas",
        "pedidos": "Pedidos de Barro y Olivo",
        "hello": "Correo de Fairwind Cycles",
        "workshop": "Taller de Fairwind (POP3)",
        "office": "Oficina: no crea clientes",
        "old": "Ejemplo de fallo: contraseña incorrecta",
    },
    "en": {
        "organization": "Demonstration",
        "care": "Customer care",
        "bicycles": "Bicycle team",
        "pedidos": "Barro y Olivo, orders",
        "hello": "Fairwind Cycles",
        "workshop": "Fairwind workshop (POP3)",
        "office": "Office: creates no customers",
        "old": "Example of a failure: wrong password",
    },
}


def earlier() -> QuerySet[Organization]:
    """The organization of an earlier demonstration, if there is one.

    It is known by its administrator's login together with what only a demonstration has: one of
    its two stores, or one of its logins on our own server.
    """
    ours = Organization.objects.filter(users__email=ADMINISTRATOR).filter(
        Q(stores__name__in=(CERAMICS, BICYCLES))
        | Q(
            collection_accounts__host="127.0.0.1",
            collection_accounts__username__in=MAILBOXES.values(),
        )
    )
    return ours.distinct()


def remove_earlier() -> None:
    """Remove it, with everything in it."""
    for organization in earlier():
        suspend_organization(organization)
        remove_organization(organization)


def make_shop(mail: ShopMail, *, password: str) -> tuple[Organization, list[tuple[str, str]]]:
    """The organization with everything in it, and (name, e-mail) of the agents with a login.

    Meant for a transaction. Raises DeskError where the administrator's address is another's.
    """
    language = spoken_language()
    names = _NAMES[language]
    organization = add_organization(
        _free_name(names["organization"]),
        language=language,
        time_zone="Europe/Madrid",
        max_accounts=10,
    )
    add_administrator(organization, email=ADMINISTRATOR, password=password)
    groups = {one: add_group(organization, names[one]) for one in ("care", "bicycles")}
    stores = {name: add_store(organization, name) for name in (CERAMICS, BICYCLES)}
    _add_people(organization, groups, password=password)
    import_csv(organization, _known_customers())
    block_sender(organization, BLOCKED)
    _add_accounts(organization, mail, names=names, groups=groups, stores=stores)
    return organization, [(one.name, one.email) for one in PEOPLE if one.login]


def _free_name(name: str) -> str:
    """Somebody may have a real organization of this name: then this is the second."""
    taken = {one.casefold() for one in Organization.objects.values_list("name", flat=True)}
    further = (f"{name} {number}" for number in count(2))
    return name if name.casefold() not in taken else next(
        one for one in further if one.casefold() not in taken
    )  # fmt: skip


def _add_people(
    organization: Organization, groups: dict[str, AgentGroup], *, password: str
) -> None:
    for person in PEOPLE:
        agent = add_agent(
            organization,
            name=person.name,
            email=person.email,
            groups=(groups[person.group],),
            password=password if person.login else None,
        )
        set_status(agent, person.status)


def _known_customers() -> str:
    folder = resources.files("buzon.demo.shop") / "letters"
    return (folder / "known.csv").read_text("utf-8")


def _add_accounts(
    organization: Organization,
    mail: ShopMail,
    *,
    names: dict[str, str],
    groups: dict[str, AgentGroup],
    stores: dict[str, Store],
) -> None:
    ceramics = {"store": stores[CERAMICS], "group": groups["care"]}
    bicycles = {"store": stores[BICYCLES], "group": groups["bicycles"]}
    fields: dict[str, dict[str, Any]] = {
        "pedidos": ceramics
        | {"create_customer": True, "after": "read", "reply_to_senders": [FORM]}
        | {"sent_folders": ("Sent",)},
        "hello": bicycles | {"create_customer": True},
        # What is downloaded from the workshop's mailbox is removed there (R6).
        "workshop": bicycles
        | {"create_customer": True, "after": "delete", "max_message_bytes": SMALL_LIMIT},
        "office": {},
        "old": ceramics | {"secret": "not the password"},
    }
    for login in _LOGINS:
        address = MAILBOXES[login]
        server = mail.pop3 if login == "workshop" else mail.imap
        common: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "protocol": server.protocol,
            "pinned_sha256": server.certificate_sha256,
            "username": address,
            "secret": mail.passwords[address],
            "address": address,
            "trusted_authserv_id": SERVER,
            "poll_seconds": POLL_SECONDS,
        }
        add_account(organization, name=names[login], **common | fields[login])
