"""One sitting of the recipe: what the messages of a batch concern, read once and stored once.

    of ══▶ the recipe for one message after the other (nothing but memory) ══▶ store

Each message finds what those before it have left: a customer who was made for the third is known to
the fourth, a letter answers one of the same batch, and the turns of the group go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from buzon.desk.events import Happened, record_all
from buzon.desk.filing import Filing
from buzon.desk.handing_out import HandingOut
from buzon.desk.keys import Keys
from buzon.desk.letter import named_by
from buzon.desk.models import Assignment, Conversation, Customer, Message, SentLetter
from buzon.desk.senders import Senders
from buzon.desk.sent_letters import SentLetters
from buzon.desk.text import storable_id
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.surroundings import Surroundings
from buzon.wire.reading import Kind, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One message in custody that has been read. `whole` is False for an oversized one's header.

    `held` is the message that an earlier arrival's header was filed as, before the whole came.
    """

    arrival: Arrival
    held: Message | None
    folder: Folder
    reading: Reading
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """The desk as the recipe meets it, in one transaction in which nobody else files."""

    account: CollectionAccount
    around: Surroundings
    senders: Senders
    filing: Filing
    handing: HandingOut
    sent: SentLetters
    events: list[Happened]

    @classmethod
    def of(cls, account: CollectionAccount, works: Sequence[Work]) -> "Sitting":
        """Everything that these messages may ask for, in a handful of queries."""
        organization, store = account.organization_id, account.store_id
        around = Surroundings.of(account)
        keys = Keys(len(works), Message, Conversation, Customer, Assignment)
        rules = {"dots": account.fold_dots, "plus": account.fold_plus}
        events: list[Happened] = []
        sitting = cls(
            account=account,
            around=around,
            senders=Senders(organization, store, keys, **rules),
            filing=Filing(organization, store, keys),
            handing=HandingOut(account.group, keys, events),
            sent=SentLetters(organization, _ids_of_ours(around, works)),
            events=events,
        )
        sitting._look_up([work.reading for work in works])
        asked = (around.asked_about(work.folder, work.reading) for work in works)
        sitting.senders.look_up({address for addresses in asked for address in addresses})
        return sitting

    def letter_bounced(self, reading: Reading) -> SentLetter | None:
        """The letter of ours that this bounce brings back, if it is one and names it."""
        if reading.kind is not Kind.BOUNCE:
            return None
        return self.sent.named(reading.bounced_ids)

    def customer_of(self, sent: SentLetter) -> Customer | None:
        """To whom a letter of ours went."""
        customer = self.sent.customer_of(sent)
        return self.senders.the_one(customer) if customer else None

    def store(self) -> None:
        """All rows of the desk; the ledger's are the caller's. Raises Overtaken."""
        self.senders.store()
        self.handing.store()
        self.filing.store()
        self.sent.store()
        record_all(self.events)

    def _look_up(self, readings: Sequence[Reading]) -> None:
        own = [storable_id(reading.message_id) for reading in readings]
        fields = [one for reading in readings for one in (reading.references, reading.in_reply_to)]
        self.filing.look_up(own, (name for field in fields for name in named_by(field)))


def _ids_of_ours(around: Surroundings, works: Sequence[Work]) -> list[str]:
    """Which Message-IDs may be of letters that we sent."""
    if not around.has_sent_letters:
        return []
    readings = [work.reading for work in works]
    returned = [one for reading in readings for one in reading.bounced_ids]
    return [*returned, *(reading.message_id for reading in readings)]
