"""How long one answer may take in all, however often something of it comes.

A server that sends an octet every few seconds keeps every single read within its deadline. So an
answer has a time for its whole: a fixed one, and what its octets take at the slowest rate that we
put up with. Only the octets that came count, up to what the command may bring:

    allowed = seconds + min(received, twice the octets expected, and UNEXPECTED) / SLOWEST

What is more than any honest answer is cut off at whatever rate it comes: to read it takes time too.

From the greeting to the login it is the fixed one alone, for all answers together.
"""

from buzon.wire.waits import SLOWEST, asked

UNEXPECTED = 4 * 1_048_576  # octets that any answer may bring besides
FLOOD = 1_073_741_824  # octets besides; sizes may be understated, and what is too large is skipped


class Patience:
    """The time that is left for the answer under way. Counted is the time spent waiting for the
    server, in seconds: whoever reads an answer may do other things between two octets.

    No clock of its own: `spent` tells it what passed.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waited = 0.0
        self._received = 0
        self._most = 0
        self._flood = UNEXPECTED
        self._is_logged_in = False

    def logged_in(self) -> None:
        """From now on each answer has its own time."""
        self._is_logged_in = True
        self.begin()

    def begin(self, octets: int = 0) -> None:
        """Another answer, of which so many octets are expected."""
        if not self._is_logged_in:
            return
        asked()
        self._waited = 0.0
        self._received = 0
        self._most = 2 * octets + UNEXPECTED
        self._flood = 2 * octets + FLOOD

    def spent(self, seconds: float, octets: int) -> None:
        """Waited so long, and so many octets came."""
        self._waited += seconds
        self._received += octets

    @property
    def is_flooded(self) -> bool:
        """Whether more octets came than any honest answer has."""
        return self._received > self._flood

    @property
    def left(self) -> float:
        """Seconds; 0 or less when it has run out."""
        return self._seconds + min(self._received, self._most) / SLOWEST - self._waited
