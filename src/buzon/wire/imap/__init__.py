"""IMAP: a sans-IO core, and the blocking session that collects."""

from buzon.wire.imap.session import ImapSession
from buzon.wire.imap.structure import Part
from buzon.wire.imap.values import (
    Changed,
    Changes,
    FolderInfo,
    Header,
    Listed,
    Retrieved,
    Selected,
    Wanted,
)

__all__ = [
    "Changed",
    "Changes",
    "FolderInfo",
    "Header",
    "ImapSession",
    "Listed",
    "Part",
    "Retrieved",
    "Selected",
    "Wanted",
]
