"""Lists of customers as CSV files: what shops, spreadsheets and other programs write.

Columns by their heads, in any order: the e-mail addresses (several in one field are separated by
spaces, semicolons or bars), and if there are: name, store, agent. Without heads: the address and
the name. All or nothing: a file with one wrong line changes nothing.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from buzon.desk.addresses import fold
from buzon.desk.assignment import deactivated
from buzon.desk.customer_addresses import (
    address_row,
    checked_addresses,
    foreign_store,
    place_name,
)
from buzon.desk.errors import DeskError
from buzon.desk.models import (
    Agent,
    Assignment,
    Customer,
    CustomerAddress,
    Event,
    Organization,
    Store,
)
from buzon.desk.people import agent_named
from buzon.desk.reasons import reason
from buzon.desk.stores import store_named
from buzon.desk.text import storable

_BATCH = 500
_HEADS = {
    "address": (
        "address", "addresses", "email", "e-mail", "mail", "email address", "e-mail address",
        "correo", "correo electrónico", "correo electronico", "correos", "dirección de correo",
    ),
    "name": ("name", "nombre", "full name", "nombre completo", "customer", "cliente"),
    "store": ("store", "tienda"),
    "agent": ("agent", "agente"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """How many customers were made, and the heads of columns that mean nothing to us."""

    count: int
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class _Row:
    line: int
    addresses: list[str]
    folded: list[str]
    name: str
    store: Store | None
    agent: Agent | None


@dataclass(slots=True)
class _Lookup:
    """Stores and agents by name, each asked for once."""

    organization: Organization
    store: Store | None
    stores: dict[str, Store] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)

    def store_of(self, name: str) -> Store | None:
        if not name:
            return self.store
        if name not in self.stores:
            self.stores[name] = store_named(self.organization, name)
        return self.stores[name]

    def agent_of(self, name: str) -> Agent | None:
        if not name:
            return None
        if name not in self.agents:
            agent = agent_named(self.organization, name)
            if not agent.active:
                raise DeskError(deactivated(agent))
            self.agents[name] = agent
        return self.agents[name]


def import_csv(
    organization: Organization,
    lines: bytes | str | Iterable[bytes] | Iterable[str],
    *,
    store: Store | None = None,
) -> Imported:
    """Make the customers of a CSV file, those without a store of their own in `store`.

    UTF-8 with or without a byte order mark, UTF-16 with one, or Windows-1252; comma, semicolon or
    tab. Raises DeskError that names the line and what is wrong with it; then nothing was made.
    """
    if store is not None and store.organization_id != organization.pk:
        raise DeskError(foreign_store(store), field="store")
    columns, ignored, records = _columns(_records(_text(lines)))
    lookup = _Lookup(organization, store)
    rows = [_row(line, fields, columns, lookup) for line, fields in records]
    _check_each_once(rows)
    try:
        with transaction.atomic():
            _check_new(organization, rows)
            for start in range(0, len(rows), _BATCH):
                _make(organization, rows[start : start + _BATCH])
    except IntegrityError:
        told = _(
            "A customer of this list was made by another way at the same time; import it again."
        )
        raise DeskError(told, field="lines") from None
    return Imported(len(rows), ignored)


def _text(lines: bytes | str | Iterable[bytes] | Iterable[str]) -> str:
    if isinstance(lines, str):
        return lines.removeprefix("\ufeff")
    if not isinstance(lines, bytes):
        parts = list(lines)
        if all(isinstance(part, str) for part in parts):
            return _lines_of_text([str(part) for part in parts])
        lines = b"".join(part for part in parts if isinstance(part, bytes))
    encoding = "utf-16" if lines[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for one in (encoding, "cp1252"):
        try:
            return lines.decode(one)
        except UnicodeDecodeError:
            continue
    told = _("The list is neither UTF-8 nor Windows-1252 text; save it as CSV UTF-8.")
    raise DeskError(told, field="lines")


def _lines_of_text(parts: list[str]) -> str:
    whole = "".join(part if part.endswith(("\n", "\r")) else part + "\n" for part in parts)
    return whole.removeprefix("\ufeff")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of each record that is not empty; a field may go over several lines."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    told = first.strip().strip('"').lower()
    separator = told[4:] if told.startswith("sep=") and len(told) == 5 else _separator(first)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for fields in reader:
            wanted = any(one.strip() for one in fields)
            if wanted and not (line == 1 and told.startswith("sep=")):
                yield line, [one.strip() for one in fields]
            line = reader.line_num + 1
    except csv.Error as error:
        told = _("Line {line} is not CSV: {error}.").format(line=line, error=error)
        raise DeskError(told, field="lines") from None


def _separator(first: str) -> str:
    return max(",;\t", key=first.count)


def _columns(
    records: Iterator[tuple[int, list[str]]],
) -> tuple[dict[str, int], tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """Which column is what, the heads that mean nothing, and the records below the heads."""
    first = next(records, None)
    if first is None:
        raise DeskError(_("The list is empty."), field="lines")
    line, heads = first
    if any(fold(one) for one in heads):
        columns = {"address": 0, "name": 1}
        return columns, (), _with_first(line, heads, records)
    columns = {}
    for place, head in enumerate(heads):
        meaning = _meaning(head)
        if meaning and meaning in columns:
            told = _("Line {line} has two columns for the {meaning}.")
            raise DeskError(told.format(line=line, meaning=_column(meaning)), field="lines")
        if meaning:
            columns[meaning] = place
    if "address" not in columns:
        told = _('Line {line} has no column for the e-mail address; call one of them "email".')
        raise DeskError(told.format(line=line), field="lines")
    ignored = tuple(head for head in heads if head and not _meaning(head))
    return columns, ignored, _same_width(len(heads), records)


def _meaning(head: str) -> str:
    written = " ".join(head.lower().replace("_", " ").split())
    return next((meaning for meaning, heads in _HEADS.items() if written in heads), "")


def _column(meaning: str) -> str:
    return {
        "address": pgettext("column", "address"),
        "name": pgettext("column", "name"),
        "store": pgettext("column", "store"),
        "agent": pgettext("column", "agent"),
    }[meaning]


def _with_first(
    line: int, fields: list[str], records: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield line, fields
    yield from _same_width(len(fields), records)


def _same_width(
    width: int, records: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    for line, fields in records:
        if len(fields) > width and any(fields[width:]):
            told = _(
                "Line {line} has {number} fields, the first line has {width}; "
                "a field that holds the separator needs quotation marks."
            )
            told = told.format(line=line, number=len(fields), width=width)
            raise DeskError(told, field="lines")
        yield line, fields + [""] * (width - len(fields))


def _row(line: int, fields: list[str], columns: dict[str, int], lookup: _Lookup) -> _Row:
    def cell(meaning: str) -> str:
        place = columns.get(meaning)
        return fields[place] if place is not None and place < len(fields) else ""

    try:
        addresses = _split(cell("address"))
        return _Row(
            line=line,
            addresses=addresses,
            folded=checked_addresses(addresses),
            name=storable(cell("name"), 300),
            store=lookup.store_of(cell("store")),
            agent=lookup.agent_of(cell("agent")),
        )
    except DeskError as error:
        told = _("Line {line}: {sentence}").format(line=line, sentence=error.sentence)
        raise DeskError(told, field="lines") from None


def _split(written: str) -> list[str]:
    if fold(written):
        return [written]  # a quoted local part may hold spaces
    for separator in ";|,":
        written = written.replace(separator, " ")
    return written.split()


def _check_each_once(rows: list[_Row]) -> None:
    first: dict[tuple[int | None, str], int] = {}
    for row in rows:
        for address, folded in zip(row.addresses, row.folded, strict=True):
            before = first.setdefault((row.store.pk if row.store else None, folded), row.line)
            if before != row.line:
                told = _("Line {line}: the address {address} is in line {before} already.")
                told = told.format(line=row.line, address=address, before=before)
                raise DeskError(told, field="lines")


def _check_new(organization: Organization, rows: list[_Row]) -> None:
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        held = CustomerAddress.objects.filter(
            organization=organization, folded__in=[one for row in batch for one in row.folded]
        )
        taken = set(held.values_list("store_id", "folded"))
        for row in batch:
            for address, folded in zip(row.addresses, row.folded, strict=True):
                if (row.store.pk if row.store else None, folded) in taken:
                    told = _(
                        "Line {line}: the address {address} already belongs to a customer {place}."
                    )
                    place = place_name(row.store)
                    told = told.format(line=row.line, address=address, place=place)
                    raise DeskError(told, field="lines")


def _make(organization: Organization, rows: list[_Row]) -> None:
    customers = Customer.objects.bulk_create(
        Customer(
            organization=organization,
            store=row.store,
            name=row.name,
            agent=row.agent,
            created_by=Customer.CreatedBy.IMPORT,
        )
        for row in rows
    )
    CustomerAddress.objects.bulk_create(
        address_row(customer, *both)
        for customer, row in zip(customers, rows, strict=True)
        for both in zip(row.addresses, row.folded, strict=True)
    )
    _tell(organization, customers)


def _tell(organization: Organization, customers: list[Customer]) -> None:
    """A list of thousands is told in the agents' lists only, not by thousands of pop-ups."""
    given = [customer for customer in customers if customer.agent_id]
    why = reason("given_at_import")
    Assignment.objects.bulk_create(
        Assignment(organization=organization, customer=one, agent=one.agent, why=why)
        for one in given
    )
    created = [_event(one, Event.Kind.CUSTOMER_CREATED) for one in customers]
    assigned = [_event(one, Event.Kind.CUSTOMER_ASSIGNED) for one in given]
    Event.objects.bulk_create(created + assigned)


def _event(customer: Customer, kind: Event.Kind) -> Event:
    told = kind == Event.Kind.CUSTOMER_ASSIGNED
    return Event(
        organization_id=customer.organization_id,
        kind=kind,
        customer=customer,
        agent=customer.agent if told else None,
        silent=True,
        data={"why": reason("given_at_import")} if told else {"created_by": customer.created_by},
    )
