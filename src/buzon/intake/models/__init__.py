"""The tables of custody: where mail is collected, what was seen there, and its octets."""

from buzon.intake.models.account import CollectionAccount, Duty
from buzon.intake.models.arrival import Arrival
from buzon.intake.models.folder import Folder, OutsideMail
from buzon.intake.models.raw import RawMessage, RawPiece
from buzon.intake.models.traffic import Traffic

__all__ = [
    "Arrival",
    "CollectionAccount",
    "Duty",
    "Folder",
    "OutsideMail",
    "RawMessage",
    "RawPiece",
    "Traffic",
]
