"""What the product says of a journey, told in the words of the independent count."""

import json
from collections import defaultdict
from typing import Any

import zstandard

from tests.journeys.shop import Shop
from tests.journeys.specimens import Mail, SentSpecimen, Specimen


class Found:
    """Everything there is, read once: by the command line, and by SQL what no command shows."""

    def __init__(self, shop: Shop, mail: Mail) -> None:
        self.shop = shop
        self.ledger: dict[int, dict[str, Any]] = {}
        self.sent_ledger: dict[int, dict[str, Any]] = {}
        for row in shop.jsonl("ledger"):
            rows = self.ledger if row["folder"] == "INBOX" else self.sent_ledger
            assert rows.setdefault(_number(row), row) is row, f"two rows for one message: {row}"
        self.customers = {row["id"]: row for row in shop.json("customer", "list")}
        self.agents = {row["name"]: row for row in shop.json("agent", "list")}
        self.notifications = shop.json("notification", "list")
        self.letters = {m.number: m for m in mail.letters}
        self.sent = {m.number: m for m in mail.sent}

    def agent_of(self, customer: int | None) -> str | None:
        return self.customers[customer]["agent"] if customer is not None else None

    def messages(self) -> dict[int, list[Specimen | SentSpecimen]]:
        """The arrivals of each letter that the desk holds."""
        found: defaultdict[int | None, list[Specimen | SentSpecimen]] = defaultdict(list)
        for number, row in self.ledger.items():
            found[row["message"]].append(self.letters[number])
        for number, row in self.sent_ledger.items():
            found[row["message"]].append(self.sent[number])
        return {message: arrivals for message, arrivals in found.items() if message is not None}

    # -- by SQL

    def conversations(self) -> dict[int, int]:
        """The conversation of each letter."""
        return dict(self.shop.rows("select id, conversation_id from desk_message"))

    def conversation_count(self) -> int:
        """With those that hold no letter, of which there must be none."""
        return int(self.shop.rows("select count(*) from desk_conversation")[0][0])

    def read_messages(self) -> set[int]:
        rows = self.shop.rows("select id from desk_message where read_at is not null")
        return {row[0] for row in rows}

    def warnings(self) -> dict[int, list[Any]]:
        rows = self.shop.rows("select id, warnings from desk_message")
        return {number: json.loads(w) if isinstance(w, str) else w for number, w in rows}

    def raw(self) -> dict[str, bytes]:
        """The octets in custody by their names, unpacked without the product."""
        unpack = zstandard.ZstdDecompressor().decompress
        rows = self.shop.rows("select sha256, octets from intake_rawmessage")
        return {name: unpack(bytes(packed)) for name, packed in rows}

    def assignments(self) -> list[tuple[int, str | None, str]]:
        """(customer, agent, the code of why) in the order in which they were made by the rules."""
        rows = self.shop.rows(
            "select a.customer_id, g.name, a.why from desk_assignment a "
            "left join desk_agent g on g.id = a.agent_id order by a.id"
        )
        made = [(c, g, (json.loads(w) if isinstance(w, str) else w)["code"]) for c, g, w in rows]
        return [row for row in made if row[2] not in _BY_PERSON]

    def everything(self) -> dict[str, Any]:
        """All of it, for seeing whether anything has changed."""
        tables = ("intake_arrival", "intake_folder", "intake_outsidemail", "intake_rawmessage",
                  "desk_message", "desk_reference", "desk_conversation", "desk_customer",
                  "desk_customeraddress", "desk_assignment", "desk_membership", "desk_event",
                  "notify_notification", "notify_copy")  # fmt: skip
        return {name: sorted(map(repr, self.shop.rows(f"select * from {name}"))) for name in tables}


_BY_PERSON = ("given_by_hand", "given_at_import")


def _number(row: dict[str, Any]) -> int:
    """The place of delivery: the UID, which Dovecot puts into the UIDL too (%08Xu%08Xv)."""
    return int(row["uid"] if row["uid"] is not None else int(row["uidl"][:8], 16))
