"""Comparing what the product says with the independent count. Each function is one agreement."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping

from tests.journeys import cast
from tests.journeys.found import Found
from tests.journeys.rules import CustomerKey, LetterKey, Rules
from tests.journeys.specimens import SentSpecimen, Specimen
from tests.servers.dovecot import Dovecot

DOUBLE = "doble@known.example"  # a customer twice: an account of no store may take either


def compare_all(rules: Rules, found: Found, dovecot: Dovecot, login: str) -> None:
    """Server, ledger, raw, customers, links, assignments, conversations, notifications."""
    compare_server(rules, dovecot, login)
    compare_ledger(rules, found)
    compare_raw(rules, found)
    compare_customers(rules, found)
    compare_links(rules, found)
    compare_letters(rules, found)
    compare_conversations(rules, found)
    compare_assignments(rules, found)
    compare_notifications(rules, found)


def compare_server(rules: Rules, dovecot: Dovecot, login: str) -> None:
    """R6 and R9: nothing but what is to be removed is gone, and nothing else is changed."""
    left = rules.left_on_server()
    assert dovecot.messages(login) == [m.octets for m in left]
    read = rules.journey.after == "read"
    seen = ["S" if read and rules.fates[m.number].outcome == "filed" else "" for m in left]
    if rules.journey.protocol == "imap":  # over POP3 it is Dovecot that marks what it gives out
        assert dovecot.flags(login) == seen
    if rules.journey.sent_folder:
        assert dovecot.messages(login, "Enviados") == [m.octets for m in rules.mail.sent]


def compare_ledger(rules: Rules, found: Found) -> None:
    """One row for each message within the window, and what became of it."""
    expected = {n: fate.outcome for n, fate in rules.fates.items() if fate.outcome != "outside"}
    got = {number: row["outcome"] for number, row in found.ledger.items()}
    assert got == expected, _different(rules, got, expected)
    sent = {
        number: fate.outcome
        for number, fate in rules.sent_fates.items()
        if fate.outcome not in ("outside", "absent")
    }
    assert {number: row["outcome"] for number, row in found.sent_ledger.items()} == sent
    for number, row in found.ledger.items():
        letter, filed = found.letters[number], row["outcome"] == "filed"
        settled = filed and rules.journey.after != "leave"
        assert row["sender"] == letter.sender
        assert row["sha256"] == (_digest(letter.octets) if filed else "")
        assert row["size"] == len(letter.octets)
        assert row["reason"]["code"]
        assert (row["settled_at"] is not None) == settled, letter.shape
        assert (row["message"] is not None) == (row["outcome"] in ("filed", "oversized"))
    assert all(row["settled_at"] is None for row in found.sent_ledger.values())


def compare_raw(rules: Rules, found: Found) -> None:
    """Byte by byte what was delivered, and nothing of what was not to be downloaded (R9)."""
    raw = found.raw()
    assert all(_digest(octets) == name for name, octets in raw.items())
    letters = [m for m in rules.mail.letters if rules.fates[m.number].outcome == "filed"]
    large = [m for m in rules.mail.letters if rules.fates[m.number].outcome == "oversized"]
    sent = [m for m in rules.mail.sent if rules.sent_fates[m.number].outcome == "filed"]
    whole = {m.octets for m in letters} | {m.octets for m in sent}
    headers = {m.octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" for m in large}
    assert set(raw.values()) == whole | headers
    for letter in letters[:2]:
        assert found.shop.raw(_digest(letter.octets)) == letter.octets


def compare_customers(rules: Rules, found: Found) -> None:
    """R8: exactly these came to exist, with only the e-mail field filled."""
    made = [row for row in found.customers.values() if row["created_by"] != "import"]
    keys = Counter((row["store"] or "", _folded(row["addresses"])) for row in made)
    assert keys == Counter(rules.created())
    assert all(row["name"] == "" and row["created_by"] == "mail" for row in made)
    assert len(found.customers) - len(made) == len(cast.CUSTOMERS)


def compare_links(rules: Rules, found: Found) -> None:
    """R5: whose letter each is."""
    expected = {number: rules.customer_key(found.letters[number]) for number in found.ledger}
    got = {number: key_of(rules, found, row["customer"]) for number, row in found.ledger.items()}
    assert got == expected, _different(rules, got, expected)
    for number, row in found.sent_ledger.items():
        assert key_of(rules, found, row["customer"]) == rules.sent_customer_key(found.sent[number])
    for row in found.ledger.values():
        assert row["agent"] == found.agent_of(row["customer"])


def compare_letters(rules: Rules, found: Found) -> None:
    """Arrivals of the same letter share one message; read is what is old; warnings are kept."""
    groups = found.messages()
    keys = [{_letter_key(rules, m) for m in arrivals} for arrivals in groups.values()]
    assert all(len(each) == 1 for each in keys), "different letters were merged"
    assert len(set().union(*keys)) == len(keys), "a letter was filed twice"
    read = found.read_messages()
    warnings = found.warnings()
    for message, arrivals in groups.items():
        first, *others = arrivals
        if isinstance(first, SentSpecimen):
            assert message in read
            continue
        expected = {rules.is_read(m) for m in arrivals if isinstance(m, Specimen)}
        if not others or len(expected) == 1:
            assert {message in read} == expected, first.shape
        doubtful = rules.journey.trusts and first.forged
        assert ("dmarc_failed" in warnings[message]) == doubtful


def compare_conversations(rules: Rules, found: Found) -> None:
    """Letters are joined by References and In-Reply-To of letters that we hold, and only so."""
    of_message = found.conversations()
    members: defaultdict[int, set[LetterKey]] = defaultdict(set)
    for message, arrivals in found.messages().items():
        members[of_message[message]].add(_letter_key(rules, arrivals[0]))
    assert {frozenset(each) for each in members.values()} == rules.conversations()
    assert found.conversation_count() == len(members)


def compare_assignments(rules: Rules, found: Found) -> None:
    """R10: even among the Free and signed in; the agent of each customer is the last assigned."""
    made = found.assignments()
    expected = rules.handed_out()
    assert Counter(key_of(rules, found, c) for c, _, _ in made) == Counter(expected)
    assert all(found.customers[customer]["agent"] == agent for customer, agent, _ in made)
    if not rules.journey.group:
        assert {agent for _, agent, _ in made} <= {None}
        return
    free = {a.name for a in cast.AGENTS if a.present and a.status == "free" and a.in_group}
    shares = Counter(dict.fromkeys(free, 0)) + Counter(agent for _, agent, _ in made)
    assert set(shares) <= free
    assert not made or max(shares.values()) - min(shares.get(n, 0) for n in free) <= 1
    assert {why for _, _, why in made} <= {"free_next_in_turn"}


def compare_notifications(rules: Rules, found: Found) -> None:
    """R7 and R11: who was told of what, each exactly once."""
    told = Counter(
        (row["kind"], row["agent"], row["customer"], row["message"])
        for row in found.notifications
        if row["kind"] in ("customer_assigned", "message_received", "letter_bounced")
        and not _of_import(row)
    )
    assert told == _expected_of_agents(rules, found)
    imported = [row for row in found.notifications if _of_import(row)]
    assert len(imported) == sum(k.agent not in ("", "Rosa") for k in cast.CUSTOMERS)
    _compare_summaries(rules, found)
    _compare_administrators(rules, found)


def _expected_of_agents(rules: Rules, found: Found) -> "Counter[tuple[object, ...]]":
    expected: Counter[tuple[object, ...]] = Counter()
    for customer, agent, _ in found.assignments():
        if agent is not None:
            expected["customer_assigned", agent, customer, None] += 1
    for letter in rules.told_one_by_one():
        row = found.ledger[letter.number]
        agent = found.agent_of(row["customer"])
        if agent is not None and found.agents[agent]["active"]:
            ours = rules.is_of_ours(letter)
            kind = "letter_bounced" if ours else "message_received"
            expected[kind, agent, row["customer"], row["message"]] += 1
    return expected


def _compare_summaries(rules: Rules, found: Found) -> None:
    """History that is not told one by one: one summary for each agent who has letters of it."""
    letters: Counter[str] = Counter()
    customers: Counter[str] = Counter()
    for key, held in rules.history_by_customer().items() if rules.summed_up() else ():
        agent = _agent_at(rules, found, key)
        if agent is not None and found.agents[agent]["active"]:
            letters[agent] += len(held)
            customers[agent] += key in rules.created()
    rows = [row for row in found.notifications if row["kind"] == "history_collected"]
    got = {row["agent"]: (row["data"]["letters"], row["data"]["customers"]) for row in rows}
    assert len(got) == len(rows), "an agent got two summaries"
    expected = {agent: (letters[agent], customers[agent]) for agent in letters}
    assert got == expected


def _compare_administrators(rules: Rules, found: Found) -> None:
    """Customers who stay without an agent: the administrator is told, not of each one again."""
    rows = [row for row in found.notifications if row["login"] is not None]
    left = not rules.journey.group and rules.handed_out()
    assert [row["kind"] for row in rows] == (["customer_left_unassigned"] if left else [])


def key_of(rules: Rules, found: Found, customer: int | None) -> CustomerKey | None:
    """The customer by store and folded address, as the rules name it."""
    if customer is None:
        return None
    row = found.customers[customer]
    address = _folded(row["addresses"])
    if address == DOUBLE and not rules.journey.store:
        return "", address
    return row["store"] or "", address


def _agent_at(rules: Rules, found: Found, key: CustomerKey) -> str | None:
    agents: set[str | None] = {
        row["agent"]
        for number, row in found.ledger.items()
        if rules.customer_key(found.letters[number]) == key
    }
    assert len(agents) == 1
    return agents.pop()


def _letter_key(rules: Rules, arrival: "Specimen | SentSpecimen") -> LetterKey:
    if isinstance(arrival, SentSpecimen):
        return "sent", arrival.number
    return rules.letter_key(arrival)


_EVERYBODY = (
    *cast.KNOWN_SENDERS,
    *cast.STRANGERS,
    cast.IDN_STRANGER,
    *cast.FORGED,
    *cast.SENDERS_OF_LARGE,
    *(machine for machines in cast.MACHINES.values() for machine in machines),
)
_FORMS = {form: one.folded for one in _EVERYBODY for form in (one.folded, *one.forms)}


def _folded(addresses: list[str]) -> str:
    """The first address, as it is compared: kept as it was written, so one of the known forms."""
    return _FORMS[addresses[0]]


def _of_import(row: dict[str, object]) -> bool:
    data = row["data"]
    assert isinstance(data, dict)
    return bool(data.get("why", {}).get("code") == "given_at_import")


def _digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def _different(rules: Rules, got: Mapping[int, object], expected: Mapping[int, object]) -> str:
    """The first few that do not agree, in words."""
    letters = {m.number: m for m in rules.mail.letters}
    numbers = [n for n in sorted({*got, *expected}) if got.get(n) != expected.get(n)]
    lines = [
        f"{n} ({letters[n].kind}, {letters[n].shape}, from {letters[n].sender!r}, "
        f"{letters[n].received_at}): {got.get(n)} instead of {expected.get(n)}"
        for n in numbers[:10]
    ]
    return f"{len(numbers)} differ:\n" + "\n".join(lines)
