"""A new password: typed by the person, tried against the desk's rule, put in the place of the old.

What the rule says comes in the person's language.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buzon.desk.errors import DeskError
from buzon.desk.models import User
from buzon.desk.people import change_password, check_password
from buzon.web.limits import Limit, forgive, try_once
from buzon.web.signing_in import PER_LOGIN

LONGEST = 4096  # characters: a longer one would only cost time
_RULES = gettext_lazy("At least 10 characters, and not one of those that everybody uses.")


class NewPasswordField(forms.CharField):
    """A password to be; it never comes back into a form."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _RULES)
        attributes = {"autocomplete": "new-password"}
        widget = forms.PasswordInput(attrs=attributes)
        super().__init__(max_length=LONGEST, strip=False, widget=widget, **options)

    def validate(self, value: str) -> None:
        super().validate(value)
        if not value:
            return
        try:
            check_password(value)
        except DeskError as refusal:
            raise ValidationError(refusal.sentence) from None


def replace_password(user: User, *, current: str, new: str) -> User:
    """For a person who knows the one so far, which is limited against guessing as signing in is.

    Raises DeskError: the current one is wrong, too many tries, the new one is weak.
    """
    counted = try_once(Limit("current password", str(user.pk), PER_LOGIN))
    if not user.check_password(current):
        raise DeskError(_("This is not your current password."), field="current")
    forgive(counted)
    change_password(user, new)
    return user
