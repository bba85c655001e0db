"""What judging a message needs to know beside the message: ourselves, the blocked, our letters.

Loaded once for a batch, so that judging a thousand headers takes a handful of queries.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr

from django.conf import settings

from buzon.desk import matching
from buzon.desk.addresses import fold
from buzon.desk.models import BlockedSender, SentLetter
from buzon.desk.sent_letters import letter_sent_by_us
from buzon.intake.history import is_muted
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.screen import Facts
from buzon.wire.reading import Address, Kind, Reading, dmarc_verdict

MOST_RECIPIENTS = 50  # of a sent letter that are looked up


@dataclass(slots=True)
class Surroundings:
    """One account's view of its organization at the time of a batch."""

    account: CollectionAccount
    own_addresses: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    has_sent_letters: bool = False
    is_history_muted: bool = False

    @classmethod
    def of(cls, account: CollectionAccount) -> "Surroundings":
        organization = account.organization_id
        blocked = BlockedSender.objects.filter(organization_id=organization)
        sent = SentLetter.objects.filter(organization_id=organization)
        return cls(
            account=account,
            own_addresses=_own_addresses(organization),
            blocked=set(blocked.values_list("pattern", flat=True)),
            has_sent_letters=sent.exists(),
            is_history_muted=is_muted(account),
        )

    def sender_of(self, reading: Reading) -> str:
        """The folded address that counts as the sender, "" without one.

        From; Reply-To only where From is a web form that the administrator listed.
        """
        sender = fold(_first(reading.from_))
        if sender and sender in self.account.reply_to_senders:
            return fold(_first(reading.reply_to)) or sender
        return sender

    def folds_to(self, written: str, folded: str) -> bool:
        """Whether this is how the folded address was written."""
        return bool(written) and fold(written) == folded

    def asked_about(self, folder: Folder, reading: Reading) -> list[str]:
        """Whose being a customer decides, folded: the sender; in a sent folder the recipients, in
        the order of To, Cc, Bcc, each once.
        """
        if folder.role != Folder.Role.SENT:
            sender = self.sender_of(reading)
            return [sender] if sender else []
        folded = (fold(a.address) for a in (*reading.to, *reading.cc, *reading.bcc))
        return list(dict.fromkeys(address for address in folded if address))[:MOST_RECIPIENTS]

    def known(self, addresses: Collection[str]) -> dict[str, int]:
        """Which of these are customers that this account may match: address to customer."""
        return matching.known_senders(
            self.account.organization_id,
            self.account.store_id,
            addresses,
            dots=self.account.fold_dots,
            plus=self.account.fold_plus,
        )

    def notification_ids(self, readings: Iterable[Reading]) -> set[str]:
        """Which of these Message-IDs are of our own notifications."""
        if not self.has_sent_letters:
            return set()
        ids = {reading.message_id for reading in readings if reading.message_id}
        rows = SentLetter.objects.filter(
            organization_id=self.account.organization_id,
            message_id__in=ids,
            purpose=SentLetter.Purpose.NOTIFICATION,
        )
        return set(rows.values_list("message_id", flat=True))

    def letter_bounced(self, reading: Reading) -> SentLetter | None:
        """The letter of ours that this bounce brings back, if it is one and names it."""
        if reading.kind is not Kind.BOUNCE or not self.has_sent_letters:
            return None
        return letter_sent_by_us(self.account.organization_id, reading.bounced_ids)

    def facts(
        self,
        reading: Reading,
        *,
        folder: Folder,
        known: bool,
        oversized: bool,
        asked_by_person: bool,
        is_notification: bool,
        bounced: SentLetter | None,
        whole: bool,
    ) -> Facts:
        """Everything that `screen.judge` asks for."""
        sender = self.sender_of(reading)
        from_address = fold(_first(reading.from_))
        return Facts(
            kind=reading.kind,
            known=known,
            create=self.account.create_customer,
            has_sender=bool(sender),
            sent_folder=folder.role == Folder.Role.SENT,
            ours=self._ours(sender, bounced, is_notification=is_notification),
            blocked=self._is_blocked(from_address) or self._is_blocked(sender),
            answers_our_letter=self._answers(bounced, whole=whole),
            dmarc_failed=dmarc_verdict(reading, self.account.trusted_authserv_id) == "fail",
            oversized=oversized,
            lists_as_persons=self.account.lists_as_persons,
            asked_by_person=asked_by_person,
        )

    def _ours(self, sender: str, bounced: SentLetter | None, *, is_notification: bool) -> str:
        if is_notification:
            return "notification"
        if bounced is not None and bounced.purpose == SentLetter.Purpose.NOTIFICATION:
            return "notification"
        return "address" if sender in self.own_addresses else ""

    def _is_blocked(self, address: str) -> bool:
        if not address or not self.blocked:
            return False
        return address in self.blocked or "@" + address.rpartition("@")[2] in self.blocked

    def _answers(self, bounced: SentLetter | None, *, whole: bool) -> bool | None:
        if bounced is not None:
            return True
        return False if whole or not self.has_sent_letters else None


def _first(addresses: Sequence[Address]) -> str:
    return next((a.address for a in addresses if a.address), "")


def _own_addresses(organization_id: int) -> set[str]:
    accounts = CollectionAccount.objects.filter(organization_id=organization_id)
    pairs = accounts.values_list("address", "username")
    ours = parseaddr(settings.BUZON_MAIL_FROM)[1]  # it may have a name before it
    names = [ours, *(name for pair in pairs for name in pair)]
    return {folded for name in names if (folded := fold(name))}
