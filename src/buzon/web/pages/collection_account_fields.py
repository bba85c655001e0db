"""The form of a collection account (R2): its fields in the words of a shop owner.

Fields take whatever was typed; the verbs refuse what makes no sense, all of it at once.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buzon.intake.accounts import FIELDS, default_port, field_defaults
from buzon.intake.models import CollectionAccount, Folder
from buzon.web.access import Person
from buzon.web.forms import PageForm, PickField
from buzon.web.typed_fields import Day, Decimals, Lines, Megabytes, Typed, Whole, YesOrNo

LOCKED = ("protocol", "start", "start_date")  # once mail was collected
# What removes mail from the server is changed only where the person changed it: a form that was
# open since before somebody else did so changes it back by nobody's wish.
KEPT = ("after", "delete_after_days")


def _text(**attrs: str) -> forms.TextInput:
    plain = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
    return forms.TextInput(attrs=plain | attrs)


class AccountForm(PageForm):
    """All fields of R2, and the secret and the folders beside them."""

    name = Typed(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("As you call it here, such as Orders or Info."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    store = PickField(
        label=gettext_lazy("Store"),
        required=False,
        none=gettext_lazy("All stores"),
        help_text=gettext_lazy(
            "Senders are looked for among the customers of this store, and those of no store."
        ),
    )
    address = Typed(
        label=gettext_lazy("E-mail address"),
        required=False,
        help_text=gettext_lazy("The address that customers write to, if it is not the login."),
        widget=_text(inputmode="email"),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Active: mail is collected"),
        required=False,
        help_text=gettext_lazy("Without the tick it is paused; nothing is forgotten."),
    )

    protocol = Typed(
        label=gettext_lazy("Protocol"),
        help_text=gettext_lazy("IMAP, where the server has it: it knows folders. POP3 otherwise."),
        widget=forms.Select(choices=CollectionAccount.Protocol.choices),
    )
    host = Typed(
        label=gettext_lazy("Server"),
        help_text=gettext_lazy("The name of the incoming mail server, as your provider gives it."),
        widget=_text(inputmode="url", placeholder="imap.example.com"),
    )
    security = Typed(
        label=gettext_lazy("Encryption"),
        help_text=gettext_lazy("TLS is usual. STARTTLS is the older way, encrypted too."),
        widget=forms.Select(choices=CollectionAccount.Security.choices),
    )
    port = Whole(
        label=gettext_lazy("Port"),
        required=False,
        help_text=gettext_lazy("Leave it empty for the usual one."),
        widget=_text(inputmode="numeric"),
    )
    username = Typed(
        label=gettext_lazy("Login (user name)"),
        help_text=gettext_lazy("Mostly the whole e-mail address."),
        widget=_text(),
    )
    secret = Typed(
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )
    pinned_sha256 = Typed(
        label=gettext_lazy("Trusted certificate"),
        required=False,
        help_text=gettext_lazy(
            "The SHA-256 of the one certificate to accept. Empty is right for every provider "
            "whose certificate is publicly trusted."
        ),
        widget=_text(),
    )

    start = Typed(
        label=gettext_lazy("Start with"),
        help_text=gettext_lazy(
            "All the mail includes what another program has downloaded already, as long as it is "
            "still on the server."
        ),
        widget=forms.RadioSelect(choices=CollectionAccount.Start.choices),
    )
    start_date = Day(
        label=gettext_lazy("From this day on"),
        required=False,
        help_text=gettext_lazy("What arrived before that day is counted, but never collected."),
    )
    folders = Lines(
        label=gettext_lazy("Folders"),
        help_text=gettext_lazy("One on each line. Customers' letters arrive in INBOX."),
    )
    sent_folders = Lines(
        label=gettext_lazy("Folders of sent letters"),
        required=False,
        help_text=gettext_lazy(
            "One on each line. What you sent from elsewhere then stands with the customer; nobody "
            "is notified of it."
        ),
    )
    max_message_bytes = Megabytes(
        label=gettext_lazy("Largest message, in MB"),
        required=False,
        help_text=gettext_lazy(
            "Of a larger one you see who wrote and when, and can fetch the rest by hand."
        ),
        widget=_text(inputmode="decimal"),
    )

    create_customer = YesOrNo(
        label=gettext_lazy("When the sender is not a customer"),
        help_text=gettext_lazy("A customer is known by the e-mail addresses on the card."),
        widget=forms.RadioSelect(
            choices=[
                (
                    "no",
                    gettext_lazy(
                        "Do not create one. The letter is not downloaded; it stays on the server, "
                        "untouched."
                    ),
                ),
                (
                    "yes",
                    gettext_lazy(
                        "Create the customer. All letters are downloaded, and the new customer is "
                        "given to an agent of the group."
                    ),
                ),
            ]
        ),
    )
    group = PickField(
        label=gettext_lazy("Agent group for new customers"),
        required=False,
        none=gettext_lazy("No group"),
        help_text=gettext_lazy(
            "They are shared out evenly: first among those who are Free and signed in."
        ),
    )
    notify_agent = forms.BooleanField(
        label=gettext_lazy("Notify the agent"),
        required=False,
        help_text=gettext_lazy("The customer's agent is told of each letter that comes in."),
    )
    after = Typed(
        label=gettext_lazy("Downloaded messages on the server"),
        help_text=gettext_lazy("Whatever was not downloaded is never touched."),
        widget=forms.RadioSelect(choices=CollectionAccount.After.choices),
    )
    delete_after_days = Whole(
        label=gettext_lazy("Days that a downloaded message stays there"),
        required=False,
        help_text=gettext_lazy(
            "0 deletes it as soon as it is stored here. With more days than lie between two "
            "backups, no letter is lost after a restore: what the backup lacks is collected again."
        ),
        widget=forms.NumberInput(attrs={"min": 0, "max": 365, "inputmode": "numeric"}),
    )
    history = Typed(
        label=gettext_lazy("Notify of letters that were there before"),
        help_text=gettext_lazy(
            "Old letters are filed as read; those of the last 7 days count as new."
        ),
        widget=forms.Select(choices=CollectionAccount.History.choices),
    )

    history_to_whole_group = forms.BooleanField(
        label=gettext_lazy("Share the new customers of old letters among the whole group"),
        required=False,
        help_text=gettext_lazy(
            "Else they go to those who are Free and signed in while the first download runs."
        ),
    )

    hand_out_existing = forms.BooleanField(
        label=gettext_lazy("Give customers without an agent to the group when they write"),
        required=False,
        help_text=gettext_lazy("The agent whose turn it is gets them, as if they were new."),
    )
    fetch_skipped_at_once = forms.BooleanField(
        label=gettext_lazy("When a customer is created, fetch earlier letters at once"),
        required=False,
        help_text=gettext_lazy(
            "Else they stay on the server, and the customer's card offers them."
        ),
    )
    lists_as_persons = forms.BooleanField(
        label=gettext_lazy("Treat mailing lists and bulk mail like letters from persons"),
        required=False,
        help_text=gettext_lazy("Their senders become customers too, and the agent is notified."),
    )
    fold_dots = forms.BooleanField(
        label=gettext_lazy("Dots before the @ make no difference"),
        required=False,
        help_text=gettext_lazy("a.na@example.com and ana@example.com are the same customer."),
    )
    fold_plus = forms.BooleanField(
        label=gettext_lazy("What follows a plus sign makes no difference"),
        required=False,
        help_text=gettext_lazy("ana+shop@example.com and ana@example.com are the same customer."),
    )
    reply_to_senders = Lines(
        label=gettext_lazy("Senders of web forms"),
        required=False,
        help_text=gettext_lazy(
            "One address on each line. Of their mail, who wrote is the address in Reply-To."
        ),
    )
    trusted_authserv_id = Typed(
        label=gettext_lazy("Server whose check of the sender is trusted"),
        required=False,
        help_text=gettext_lazy(
            "The first word of the header Authentication-Results, as your server writes it. With "
            "it, letters with a forged sender are marked (DMARC)."
        ),
        widget=_text(),
    )
    poll_seconds = Decimals(
        label=gettext_lazy("Seconds between two collections"),
        required=False,
        help_text=gettext_lazy("Empty is as usual in this installation."),
        widget=_text(inputmode="decimal"),
    )

    def __init__(
        self,
        data: "Mapping[str, Any] | None",
        *,
        person: Person,
        account: CollectionAccount | None = None,
        is_first: bool = False,
    ) -> None:
        initial = initial_of(account) if account else _initial_of_new()
        if is_first:
            initial |= _initial_of_first(person)
        super().__init__(data, initial=initial)
        self.choose_among(store=person.stores(), group=person.groups())
        self.is_settled = account is not None and _was_collected(account)
        if account is not None:
            for name in KEPT:
                self.fields[name].show_hidden_initial = True
            self.fields["secret"].required = False
            self.fields["secret"].help_text = _("Leave it empty to keep the stored one.")
        else:
            self.fields["secret"].help_text = _(
                "Often a password for programs alone, made in the provider's settings."
            )
        if self.data.get("secret"):
            self.fields["secret"].help_text = _(
                "Type it again: a password is never sent back to a page."
            )
        if self.is_settled:
            self._lock()

    def add_error(self, field: str | None, error: Any) -> None:
        """Django's; a size is refused in the unit in which it was typed."""
        if field == "max_message_bytes":
            error = _("The largest message has from 0.01 to 950 MB.")
        super().add_error(field, error)

    def clean_delete_after_days(self) -> Any:
        """As it was, where nothing is deleted: then the field is not shown."""
        days = self.cleaned_data["delete_after_days"]
        if days is None and self.cleaned_data.get("after") != CollectionAccount.After.DELETE:
            return self.initial["delete_after_days"]
        return days

    def whole(self) -> dict[str, Any]:
        """All fields, for a new account or a check. `secret` is what was typed, maybe ""."""
        names = (*FIELDS, "secret", "folders", "sent_folders")
        return {name: self.cleaned_data[name] for name in names}

    def changes(self) -> dict[str, Any]:
        """What is not as it was, and `secret` None where none was typed."""
        names = {*FIELDS, "folders", "sent_folders"}
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name in names}
        return changed | {"secret": self.cleaned_data["secret"] or None}

    def usual_port(self) -> int:
        """Of the protocol and the encryption that are chosen at present."""
        try:
            return default_port(self["protocol"].value(), self["security"].value())
        except ValueError:  # neither is one of ours
            return default_port("imap", "tls")

    def _lock(self) -> None:
        """A browser sends nothing for a locked field. What is sent all the same, from a page that
        was opened before the first collection, is for the verb to refuse.
        """
        for name in LOCKED:
            if name not in self.data:
                self.fields[name].disabled = True


def initial_of(account: CollectionAccount) -> dict[str, Any]:
    """The fields as they are stored; a usual port is shown as empty, so that it goes on following
    the protocol and the encryption.
    """
    values = {name: getattr(account, name) for name in FIELDS}
    if account.port == default_port(account.protocol, account.security):
        values["port"] = None
    folders = list(account.folders.order_by("pk"))
    for field, role in (("folders", Folder.Role.INBOX), ("sent_folders", Folder.Role.SENT)):
        values[field] = [folder.name for folder in folders if folder.role == role]
    return values


def _initial_of_new() -> dict[str, Any]:
    return field_defaults() | {"folders": ["INBOX"], "sent_folders": []}


def _initial_of_first(person: Person) -> dict[str, Any]:
    """While setting up: the group that was named a step before; and where there is no customer yet,
    that letters create them, or else not one of them would be downloaded.
    """
    return {"group": person.groups().first()} | (
        {} if person.customers().exists() else {"create_customer": True}
    )


def _was_collected(account: CollectionAccount) -> bool:
    return account.folders.filter(baseline_at__isnull=False).exists()
