"""What the processes of the desk's tests do: `python -m tests.desk.workers NAME ARGUMENTS…`."""

import hashlib
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

import django

django.setup()

from django.db import transaction  # noqa: E402

from buzon.desk.assignment import hand_out  # noqa: E402
from buzon.desk.customers import create_from_mail  # noqa: E402
from buzon.desk.errors import DeskError, Overtaken  # noqa: E402
from buzon.desk.events import Happened, record_all  # noqa: E402
from buzon.desk.filing import file_letter  # noqa: E402
from buzon.desk.handing_out import HandingOut  # noqa: E402
from buzon.desk.keys import Keys  # noqa: E402
from buzon.desk.models import (  # noqa: E402
    Agent,
    AgentGroup,
    Assignment,
    Conversation,
    Customer,
    CustomerAddress,
    Event,
    Membership,
    Message,
    Organization,
    Store,
)
from buzon.desk.organizations import add_organization  # noqa: E402
from buzon.desk.people import add_agent, add_group  # noqa: E402
from buzon.desk.senders import Senders  # noqa: E402
from buzon.desk.stores import add_store  # noqa: E402
from tests.desk import cast  # noqa: E402


def prepare(free: str, busy: str, customers: str) -> None:
    """A shop with one group and customers without an agent."""
    shop = cast.organization()
    group = cast.group(shop)
    for status, count in (("free", free), ("busy", busy)):
        for _ in range(int(count)):
            cast.agent(shop, group, status=status)
    Customer.objects.bulk_create(
        Customer(organization=shop, created_by="mail") for _ in range(int(customers))
    )


def hand_out_most(part: str, parts: str) -> None:
    """The customers of one's own part and half of the next one's, as they were before anybody
    began: many of them are in other hands by the time they are reached.
    """
    group = AgentGroup.objects.get()
    customers = list(Customer.objects.order_by("pk"))
    share = len(customers) // int(parts)
    mine = (customers * 2)[int(part) * share :][: share * 3 // 2]
    random.Random(part).shuffle(mine)
    wait_for_the_start()
    each = iter(mine)
    while batch := list(islice(each, 4)):
        with transaction.atomic():
            for customer in batch:
                hand_out(customer, group)
    say("done")


def shares() -> None:
    """The outcome of handing out, told from the assignments alone."""
    given = list(Assignment.objects.values_list("agent__status", "agent_id", "turn", "customer_id"))
    agents = dict(Customer.objects.values_list("pk", "agent_id"))
    last_turns = dict(Membership.objects.values_list("agent_id", "last_turn"))
    say(
        {
            "shares": sorted(Counter(agent for _, agent, _, _ in given).values()),
            "statuses": sorted({status for status, _, _, _ in given}),
            "turns": sorted(turn for _, _, turn, _ in given),
            "customers": len({customer for _, _, _, customer in given}),
            "agree": all(agents[customer] == agent for _, agent, _, customer in given),
            "group_turn": AgentGroup.objects.get().turn,
            "last_turns_agree": all(
                last_turns[one] == max((t for _, a, t, _ in given if a == one), default=0)
                for one in last_turns
            ),
            "events": Event.objects.filter(kind="customer_assigned").count(),
        }
    )


def meet(count: str) -> None:
    """The same new senders and the same letters as everybody else, at the same time."""
    shop, group = Organization.objects.get(), AgentGroup.objects.get()
    wait_for_the_start()
    made, stored = [], []
    for number in range(int(count)):
        address = f"sender{number}@example.com"
        letter = cast.letter(
            shop,
            message_id=f"<{number}@example.com>",
            identity=hashlib.sha256(address.encode()).hexdigest(),
        )
        with transaction.atomic():
            customer, new = create_from_mail(shop.pk, None, address)
            filed = file_letter(letter, customer=customer, link={})
            if new:
                hand_out(customer, group)
        made.append((customer.pk, new))
        stored.append((filed.message.pk, not filed.merged))
    say({"made": made, "stored": stored})


def meet_in_batches(count: str, part: str) -> None:
    """The same new senders as everybody else, in other batches, as the recipe meets them; whoever
    is overtaken does the batch again.
    """
    shop, group = Organization.objects.get(), AgentGroup.objects.get()
    addresses = [f"sender{number}@example.com" for number in range(int(count))]
    random.Random(part).shuffle(addresses)
    wait_for_the_start()
    met: dict[str, tuple[int, bool]] = {}
    overtaken, left = 0, iter(addresses)
    while batch := list(islice(left, 7)):
        for _ in range(50):
            with suppress(Overtaken):
                met |= _met(shop, group, batch)
                break
            overtaken += 1
    say({"met": sorted(met.items()), "overtaken": overtaken})


def _met(
    shop: Organization, group: AgentGroup, addresses: list[str]
) -> dict[str, tuple[int, bool]]:
    with transaction.atomic():
        keys = Keys(len(addresses), Customer, Assignment, Message, Conversation)
        events: list[Happened] = []
        senders, handing = Senders(shop.pk, None, keys), HandingOut(group, keys, events)
        senders.look_up(addresses)
        met = {}
        for address in addresses:
            customer = senders.match(address).customer
            met[address] = customer or senders.create(address), customer is None
            if customer is None:
                handing.give(met[address][0])
        senders.store()
        handing.store()
        record_all(events)
    return {address: (customer.pk, new) for address, (customer, new) in met.items()}


def converse(threads: str, each: str, part: str, parts: str) -> None:
    """Every `parts`-th letter of some threads, in any order, in batches; the same for everybody."""
    shop = Organization.objects.get()
    letters = [(thread, place) for thread in range(int(threads)) for place in range(int(each))]
    random.Random(7).shuffle(letters)
    mine = iter(letters[int(part) :: int(parts)])
    wait_for_the_start()
    while batch := list(islice(mine, 3)):
        with transaction.atomic():
            filing = cast.filing(shop, len(batch))
            for thread, place in batch:
                filing.file(_of_thread(shop, thread, place), customer=None, link={})
            filing.store()
    say("done")


def conversations() -> None:
    say(
        {
            "conversations": Conversation.objects.count(),
            "messages": Message.objects.count(),
            "threads": sorted(
                len({m.message_id.split(".")[0] for m in conversation.messages.all()})
                for conversation in Conversation.objects.prefetch_related("messages")
            ),
        }
    )


def name_things(part: str) -> None:
    """The same names as everybody else at the same time, each process in a spelling of its own."""
    shop = Organization.objects.get()
    spell = [str.lower, str.upper, str.title, str.swapcase][int(part)]
    verbs: dict[str, Callable[[str], Any]] = {
        "store": lambda name: add_store(shop, name),
        "group": lambda name: add_group(shop, name),
        "agent": lambda name: add_agent(shop, name=name, email=f"{part}{len(told)}@shop.example"),
        "organization": add_organization,
    }
    wait_for_the_start()
    told: list[str] = []
    for number in range(12):
        for noun, add in verbs.items():
            try:
                add(spell(f"Ñandú {number}"))
            except DeskError as refusal:
                told.append(f"{refusal.field}: {refusal.sentence}")
            else:
                told.append(noun)
    say(told)


def names() -> None:
    """How many there are of each, and how many names that differ in more than case."""
    rows: dict[str, Any] = {
        "store": Store, "group": AgentGroup, "agent": Agent, "organization": Organization,
    }  # fmt: skip
    found = {noun: [row.name.casefold() for row in rows[noun].objects.all()] for noun in rows}
    say({noun: [len(held), len(set(held))] for noun, held in found.items()})


def count_addresses() -> None:
    say([Customer.objects.count(), CustomerAddress.objects.count(), Assignment.objects.count()])


def _of_thread(shop: Organization, thread: int, place: int) -> Any:
    before = (f"<{thread}.{(place - 1) // 2}@x>",) if place else ()
    return cast.letter(
        shop,
        message_id=f"<{thread}.{place}@x>",
        identity=hashlib.sha256(f"{thread}.{place}".encode()).hexdigest(),
        in_reply_to=before,
        internal_date=cast.NOON + timedelta(minutes=place),
    )


def wait_for_the_start() -> None:
    print(flush=True)
    sys.stdin.readline()  # all of them start together


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    verbs: list[Callable[..., None]] = [
        prepare,
        hand_out_most,
        shares,
        meet,
        meet_in_batches,
        converse,
        conversations,
        count_addresses,
        name_things,
        names,
    ]
    {verb.__name__: verb for verb in verbs}[sys.argv[1]](*sys.argv[2:])
