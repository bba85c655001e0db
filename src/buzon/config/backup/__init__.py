"""Backup and restore: the whole database as one file, the same for SQLite and PostgreSQL.

    database ─snapshot─▶ rows ─▶ archive (one file) ─checked─▶ rows ─▶ new database ─▶ in place

The keys are never in it: together with the file they would open every mailbox.
"""

from buzon.config.backup.amounts import amounts
from buzon.config.backup.make import Made, make_backup
from buzon.config.backup.restoring import Restored, restore_backup

__all__ = ["Made", "Restored", "amounts", "make_backup", "restore_backup"]
