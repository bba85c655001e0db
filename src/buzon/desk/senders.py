"""Whose the addresses of a batch are (R5), and who becomes a customer by writing (R8).

look up ══▶ match, create, match, create …  ══▶ store
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from buzon.desk.addresses import base_of, fold
from buzon.desk.entries import no_address
from buzon.desk.errors import DeskError, Overtaken
from buzon.desk.keys import Keys
from buzon.desk.matching import Candidate, Match, candidates, choose
from buzon.desk.models import Customer, CustomerAddress
from buzon.desk.reasons import reason
from buzon.desk.rows import insert_objects, insert_rows

_ADDRESS = ("organization", "store", "customer", "address", "folded", "base")


class Senders:
    """The customers that a store (or no store) has for these folded addresses, in a transaction.

    Whoever becomes a customer is known to the letters that follow, and stored by `store`.
    """

    def __init__(
        self,
        organization_id: int,
        store_id: int | None,
        keys: Keys,
        *,
        dots: bool = False,
        plus: bool = False,
    ) -> None:
        self._organization_id = organization_id
        self._store_id = store_id
        self._keys = keys
        self._rules = {"dots": dots, "plus": plus}
        self._asked: set[str] = set()
        self._rows: defaultdict[str, list[Candidate]] = defaultdict(list)
        self._customers: dict[int, Customer] = {}
        self._new: list[tuple[Candidate, str]] = []  # with the address as it was written

    def look_up(self, addresses: Collection[str]) -> None:
        """Read at once whose these are."""
        missing = {one for one in addresses if one} - self._asked
        if not missing:
            return
        self._asked |= missing
        rules = any(self._rules.values())
        for one in candidates(self._organization_id, self._store_id, missing, provider_rules=rules):
            known = replace(one, customer=self.the_one(one.customer))
            same = self._rows[self._form(one.folded)]
            if known not in same:  # with the providers' rules it was found before, perhaps
                same.append(known)

    def match(self, address: str) -> Match:
        """The customer of one folded address, and why."""
        if not address:
            return Match(None, reason("no_customer"))
        self.look_up([address])
        return choose(self._rows[self._form(address)], self._store_id, address)

    def the_one(self, customer: Customer) -> Customer:
        """The same customer is one object, so that what changes is seen everywhere."""
        return self._customers.setdefault(customer.pk, customer)

    def create(self, address: str) -> Customer:
        """A customer with only the e-mail field filled (R8). Raises DeskError if it is no address.

        Ask `match` before: an address that is held already is found out only by `store`.
        """
        folded = fold(address)
        if not folded:
            raise DeskError(no_address(address), field="address")
        customer = Customer(
            pk=self._keys.next(Customer),
            organization_id=self._organization_id,
            store_id=self._store_id,
            created_by=Customer.CreatedBy.MAIL,
        )
        known = Candidate(folded, self._store_id, self.the_one(customer))
        self._rows[self._form(folded)].append(known)
        self._new.append((known, address.strip()))
        return customer

    def store(self) -> None:
        """The new customers and their addresses. Raises Overtaken where somebody else has made a
        customer of one of these addresses meanwhile: the constraints decide.
        """
        insert_objects([one.customer for one, _ in self._new])
        rows = [
            (self._organization_id, self._store_id, one.customer.pk, address, one.folded)
            for one, address in self._new
        ]
        values = [(*row, base_of(row[-1])) for row in rows]
        if insert_rows(CustomerAddress, _ADDRESS, values, or_leave=True) < len(rows):
            raise Overtaken
        self._new = []

    def _form(self, address: str) -> str:
        return fold(address, **self._rules)
