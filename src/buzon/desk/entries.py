"""What a person typed, checked: names and e-mail addresses, each refusal one sentence."""

from django.db.models import Model

from buzon.desk.addresses import fold
from buzon.desk.errors import DeskError

_SHOWN_AS = {"Conversation": "letters", "Message": "letters", "CustomerAddress": "customers"}


def checked_name(written: str, what: str, *, longest: int = 200) -> str:
    """The name without the spaces around it. Raises DeskError: empty, too long, unprintable."""
    name = " ".join(written.split())
    if not name:
        raise DeskError(f"{what} needs a name.")
    if len(name) > longest:
        raise DeskError(f"The name of {_lower(what)} may have {longest} characters at most.")
    if not name.isprintable():
        raise DeskError(f"The name of {_lower(what)} holds characters that cannot be shown.")
    return name


def checked_email(written: str) -> str:
    """The address as it is compared. Raises DeskError for what is no address or is too long."""
    folded = fold(written)
    if not folded:
        raise DeskError(f"{written.strip()[:100]!r} is not an e-mail address.")
    if len(folded) > 254:
        raise DeskError("An e-mail address may have 254 characters at most.")
    return folded


def names(rows: "list[str]") -> str:
    """What there is, for a sentence that refuses a name: " There are: a, b.", or less."""
    if not rows:
        return " There is none yet."
    shown = ", ".join(sorted(rows)[:10]) + (", …" if len(rows) > 10 else "")
    return f" There {'is' if len(rows) == 1 else 'are'}: {shown}."


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
            return _SHOWN_AS.get(model.__name__, str(model._meta.verbose_name_plural))
    return ""


def _lower(what: str) -> str:
    return what[0].lower() + what[1:]
