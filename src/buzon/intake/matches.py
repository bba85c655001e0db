"""Whose letters a batch holds (R5): one query tells who is unknown; who is known is asked once."""

from collections.abc import Collection

from buzon.desk import matching
from buzon.desk.addresses import fold
from buzon.desk.matching import Match
from buzon.desk.reasons import reason
from buzon.intake.models import CollectionAccount


class Matches:
    """The matches of these folded addresses, within the transaction that files their letters."""

    def __init__(self, account: CollectionAccount, addresses: Collection[str]) -> None:
        self._account = account
        self._rules = {"dots": account.fold_dots, "plus": account.fold_plus}
        known = matching.known_senders(
            account.organization_id, account.store_id, addresses, **self._rules
        )
        self._unknown = {self._form(one) for one in addresses if one not in known}
        self._found: dict[str, Match] = {}

    def of(self, address: str) -> Match:
        """The customer of one address, and why."""
        if not address or self._form(address) in self._unknown:
            return Match(None, reason("no_customer"))
        if address not in self._found:
            self._found[address] = matching.match(
                self._account.organization_id, self._account.store_id, address, **self._rules
            )
        return self._found[address]

    def now_known(self, address: str) -> None:
        """A customer with this address has come to exist."""
        self._unknown.discard(self._form(address))

    def _form(self, address: str) -> str:
        return fold(address, **self._rules)
