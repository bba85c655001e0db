"""What a person typed, checked: names and e-mail addresses, each refusal one sentence."""

import unicodedata
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from buzon.desk.addresses import fold
from buzon.desk.alphabet import place
from buzon.desk.errors import DeskError
from buzon.desk.models import Organization

_Row = TypeVar("_Row", bound=Model)
_LETTERS = gettext_noop("letters")
_SHOWN_AS = {
    "Conversation": _LETTERS,
    "Message": _LETTERS,
    "CustomerAddress": gettext_noop("customers"),
}
# Django's own words for the other tables that may refer to a row, so that they are translated.
_PLURALS = (
    gettext_noop("agent groups"),
    gettext_noop("agents"),
    gettext_noop("assignments"),
    gettext_noop("blocked senders"),
    gettext_noop("collection accounts"),
    gettext_noop("events"),
    gettext_noop("notifications"),
    gettext_noop("stores"),
)


def checked_name(written: str, what: str, *, longest: int = 200) -> str:
    """The name as it is stored: composed, single spaces, none around it.

    `what`: whose name, as it begins a sentence in the active language ("A store").
    Raises DeskError: empty, too long, unprintable.
    """
    name = " ".join(composed(written).split())
    if not name:
        raise DeskError(_("{what} needs a name.").format(what=what), field="name")
    if len(name) > longest:
        told = _("The name of {what} may have {longest} characters at most.")
        raise DeskError(told.format(what=_lower(what), longest=longest), field="name")
    if not name.isprintable():
        told = _("The name of {what} holds characters that cannot be shown.")
        raise DeskError(told.format(what=_lower(what)), field="name")
    return name


def composed(name: str) -> str:
    """The name in Unicode's form NFC: one look, one spelling (a Mac types ñ as two characters)."""
    return unicodedata.normalize("NFC", name)


def named(rows: "QuerySet[_Row]", name: str) -> _Row | None:
    """The row of this name; where there is none, the only one whose name is alike but for case."""
    exact = rows.filter(name=name).first()
    if exact is not None:
        return exact
    alike = _alike(rows, name)
    return rows.filter(pk=next(iter(alike))).first() if len(alike) == 1 else None


def lock_names(organization_id: int) -> None:
    """Until the transaction ends nobody else names anything in this organization: of two people who
    add both spellings in the same instant the second finds the first one's, and is refused.

    No constraint could do it: neither database folds case as we do (SQLite that of ASCII letters
    alone, PostgreSQL by its locale). On SQLite whoever writes is alone anyway.
    """
    rows = Organization.objects.select_for_update(no_key=True)  # rows may refer to it meanwhile
    rows.values_list("pk").get(pk=organization_id)


def taken(rows: "QuerySet[_Row]", name: str, *, but: Model | None = None) -> str:
    """The name among `rows` that is this one, or differs from it only in case; "" if none does.

    `but`: the row that is being renamed. The constraint compares exactly, so `lock_names` before.
    """
    alike = _alike(rows if but is None else rows.exclude(pk=but.pk), name)
    return next(iter(alike.values()), "")


def checked_email(written: str) -> str:
    """The address as it is compared. Raises DeskError for what is no address or is too long."""
    folded = fold(written)
    if not folded:
        raise DeskError(no_address(written), field="email")
    if len(folded) > 254:
        raise DeskError(_("An e-mail address may have 254 characters at most."), field="email")
    return folded


def no_address(written: str) -> str:
    """The sentence for what is no e-mail address."""
    return _("{written!r} is not an e-mail address.").format(written=written.strip()[:100])


def names(rows: "list[str]") -> str:
    """What there is, for a sentence that refuses a name: " There are: a, b.", or less."""
    if not rows:
        return " " + _("There is none yet.")
    shown = ", ".join(sorted(rows, key=lambda name: (place(name), name))[:10]) + (
        ", …" if len(rows) > 10 else ""
    )
    told = ngettext("There is: {names}.", "There are: {names}.", len(rows))
    return " " + told.format(names=shown)


def first_use(row: Model, *, but: frozenset[str] = frozenset()) -> str:
    """What refers to this row, as "collection accounts"; "" if nothing does.

    Asks every table that has a foreign key to it, also those of rooms that the desk does not
    know. `but`: model names that do not count.
    """
    for relation in row._meta.get_fields(include_hidden=True):
        if not (relation.one_to_many or relation.one_to_one) or not relation.auto_created:
            continue
        model = relation.related_model
        if not isinstance(model, type) or model.__name__ in but:
            continue
        if model._base_manager.filter(**{relation.field.name: row}).exists():  # type: ignore[union-attr]
            return _(_SHOWN_AS.get(model.__name__, str(model._meta.verbose_name_plural)))
    return ""


def _alike(rows: "QuerySet[_Row]", name: str) -> dict[int, str]:
    """Key → name. Compared here: SQLite knows the case of ASCII letters alone."""
    wanted = _folded(name)
    known = rows.order_by("pk").values_list("pk", "name")
    return {key: other for key, other in known if _folded(other) == wanted}


def _folded(name: str) -> str:
    return composed(" ".join(composed(name).split()).casefold())


def _lower(what: str) -> str:
    return what[0].lower() + what[1:]
