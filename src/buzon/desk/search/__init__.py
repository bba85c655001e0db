"""Words to be found: which letters hold them, one function for both databases.

a batch of letters ─index─▶ SearchEntry ═ in the transaction that files them ═
                                 │ SQLite: at once             PostgreSQL: within a minute
                                 ▼
                           index of words ◀─ found ─ what somebody typed
"""

from buzon.desk.search.excerpt import Excerpt, excerpts
from buzon.desk.search.find import Asked, found
from buzon.desk.search.index import Indexable, any_waits, index, index_waiting

__all__ = [
    "Asked",
    "Excerpt",
    "Indexable",
    "any_waits",
    "excerpts",
    "found",
    "index",
    "index_waiting",
]
