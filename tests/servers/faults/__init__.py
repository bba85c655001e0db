"""A mail server that misbehaves by plan: our own IMAP/POP3 server, cut, slow, lying, or changing.

    with FaultServer(store, protocol="imap", plan=Plan(cut_at=4000, cut_with="rst")) as server:
        …                       # the client under test
        server.heal()           # from now on it is honest

Deterministic: a plan holds every number that it needs, and `Plan.seeded` draws them from a seed.
"""

from tests.servers.faults.plan import LIES, Cut, Lie, Plan
from tests.servers.faults.server import FaultServer

__all__ = ["LIES", "Cut", "FaultServer", "Lie", "Plan"]
