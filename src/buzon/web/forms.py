"""Forms of the pages: what was typed stays, each refusal stands next to its field.

The checks live in the rooms' verbs, which answer with a sentence and the name of the field; a form
here only turns what a browser sends into values, and puts those sentences where they belong.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.forms.renderers import Jinja2
from django.http import HttpRequest, QueryDict

from buzon.desk.errors import DeskError
from buzon.intake.account_values import AccountError
from buzon.intake.asked import AskedError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

T = TypeVar("T")


_LONGEST_KEY = 18  # digits: less than 2^63
REFUSALS = (DeskError, AccountError, AskedError)
Refusal = DeskError | AccountError | AskedError


class Renderer(Jinja2):
    """Fields are drawn by the macros of `ui.html`; Django's own templates draw only widgets."""


class Kept(QueryDict):
    """What was typed into a form that came too late (`too_late.py`): it is shown once more, and
    nothing is done with it.
    """


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form of this page was sent with; None for a page that was only opened."""
    kept: Kept | None = getattr(request, "kept", None)
    if kept is not None:
        return kept
    return request.POST if request.method == "POST" else None


class PageForm(forms.Form):
    """A form without the browser's colon after labels, whose `refuse` shows a verb's refusal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("aria-describedby", f"help-{name} error-{name}")

    def is_valid(self) -> bool:
        """Django's; but with what was kept nothing is ever done."""
        return not isinstance(self.data, Kept) and super().is_valid()

    def refuse(self, refusal: Refusal) -> None:
        """Each sentence next to the field that it names, or above the form."""
        for field, sentence in getattr(refusal, "all", [(refusal.field, refusal.sentence)]):
            self.add_error(field if field in self.fields else None, sentence)

    def does(self, verb: Callable[[], T]) -> T | None:
        """What `verb` returns; None where it refused, which then stands in the form. For a form
        that is valid so far, and a verb that returns something.
        """
        try:
            return verb()
        except REFUSALS as refusal:
            self.refuse(refusal)
            return None

    def did(self, verb: Callable[[], object]) -> bool:
        """Whether `verb` did its work; for one that returns nothing."""
        return self.does(lambda: (verb(),)) is not None

    def choose_among(self, **rows: "QuerySet[Any]") -> None:
        """The person's own rows, for each field of that name."""
        for name, offered in rows.items():
            field = self.fields[name]
            assert isinstance(field, PickField | PickSeveralField)
            field.offer(offered)


class Filters(PageForm):
    """What a list is filtered by; a filter that makes no sense says so and filters nothing."""

    @property
    def asked(self) -> dict[str, Any]:
        """The filters that make sense, by name."""
        self.is_valid()
        return self.cleaned_data

    @property
    def is_asked(self) -> bool:
        """Whether anything is filtered at all."""
        return any(self.asked.values())


class PickField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of any of our models
    """One of the person's own rows; another organization's is as unknown as one that never was."""

    def __init__(self, *, none: "StrOrPromise", **options: Any) -> None:
        super().__init__(queryset=None, empty_label=none, **options)

    def offer(self, rows: "QuerySet[Any]") -> None:
        """The rows to choose from, for this request's person."""
        self.queryset = rows


class PickSeveralField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # likewise
    """Several of the person's own rows, as checkboxes."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=None, **options)

    def clean(self, value: Any) -> Any:
        # Django asks for them in one list, and a database cannot be asked for a number like that.
        for one in value or ():
            if len(str(one)) > _LONGEST_KEY:
                told = self.error_messages["invalid_pk_value"]
                raise forms.ValidationError(told, "invalid_pk_value", {"pk": one[:_LONGEST_KEY]})
        return super().clean(value)

    def offer(self, rows: "QuerySet[Any]") -> None:
        """The rows to choose from, for this request's person."""
        self.queryset = rows


class LinesField(forms.CharField):
    """Several values, one on each line, in a text area; cleaned to a list without empty ones."""

    widget: type[forms.Textarea] | forms.Textarea = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


def keys(rows: Iterable[Model]) -> list[int]:
    """Their primary keys, for a form's initial values."""
    return [row.pk for row in rows]
