"""The letters that left from here, by Message-ID, so that what comes back of them is known."""

from buzon.desk.models import Message, SentLetter


def remember_sent(message: Message) -> None:
    """A letter to a customer, of which a copy was collected from a sent folder."""
    if not message.message_id:
        return
    SentLetter.objects.get_or_create(
        organization_id=message.organization_id,
        message_id=message.message_id,
        defaults={"purpose": SentLetter.Purpose.LETTER, "letter": message},
    )
