"""Letters as lists and pages ask for them: their order, what is unread, and who has read them.

A letter is for its customer's agent; one that is no customer's is for the administrators, who
alone see it. Somebody else who looks at it leaves it unread.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from buzon.desk.models import Agent, Conversation, Message

# As `Letter.happened_at`: the server's date before the author's, and never later than it came.
HAPPENED_AT = Least(Coalesce("internal_date", "date", "received_at"), "received_at")


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation as a list shows it: its newest letter, how many there are, how many unread."""

    newest: Message
    letters: int
    unread: int


def in_order(letters: "QuerySet[Message]") -> "QuerySet[Message]":
    """The newest first, each with `happened_at`."""
    return letters.annotate(happened_at=HAPPENED_AT).order_by("-happened_at", "-pk")


def unread(letters: "QuerySet[Message]") -> "QuerySet[Message]":
    """Those that were received and that whoever they are for has not opened yet."""
    return letters.filter(read_at=None, direction=Message.Direction.INCOMING)


def threads(
    letters: "QuerySet[Message]", conversations: Collection[int], *, shown: "QuerySet[Message]"
) -> dict[int, Thread]:
    """Of these conversations, by key, what is to be seen of them; two queries and what `shown`
    prefetches.

    `letters`: all that the person may see, which are counted; `shown`: of these the ones that may
    stand for their conversation, with whatever the list wants joined.
    """
    own = letters.filter(conversation=OuterRef("pk")).order_by()
    newest = in_order(shown.filter(conversation=OuterRef("pk"))).values("pk")[:1]
    waiting = Q(read_at=None, direction=Message.Direction.INCOMING)
    counted = own.values("conversation")
    rows = Conversation.objects.filter(pk__in=conversations).annotate(
        newest=Subquery(newest),
        letters=Subquery(counted.annotate(n=Count("pk")).values("n")),
        unread=Subquery(counted.annotate(n=Count("pk", filter=waiting)).values("n")),
    )
    found = list(rows.values_list("pk", "newest", "letters", "unread"))
    held = shown.in_bulk([newest for _, newest, _, _ in found if newest])
    return {
        pk: Thread(held[newest], count, waiting)
        for pk, newest, count, waiting in found
        if newest in held
    }


def read_by(message: Message, *, agent: Agent | None, administrator: bool) -> bool:
    """Somebody has opened the letter: it is read now, if it is for that person.

    `agent`: who that is, None for one who answers no customers. True where it was unread.
    """
    if message.customer is None:
        its_reader = administrator
    else:
        its_reader = agent is not None and message.customer.agent_id == agent.pk
    if not its_reader:
        return False
    now = timezone.now()
    changed = Message.objects.filter(pk=message.pk, read_at=None).update(read_at=now)
    if changed:
        message.read_at = now
    return bool(changed)
