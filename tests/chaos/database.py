"""The trials' own installation: a folder with an embedded database, or a PostgreSQL cluster.

`prepare` sets this process's environment and Django up, so it comes before any model is imported.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.servers.postgres import Postgres

SETTINGS = {
    # A second, and what follows from it: what waits for a dead worker does not wait long.
    "BUZON_LEASE_SECONDS": "1",
    "BUZON_READ_TIMEOUT_SECONDS": "0.4",
    "BUZON_CONNECT_TIMEOUT_SECONDS": "2",
    "BUZON_READER_SECONDS": "5",
    "BUZON_LISTEN": "off",
    "BUZON_ALLOW_PRIVATE_HOSTS": "yes",
    "BUZON_LOG_LEVEL": "error",
}


def prepare(database: str) -> tuple[Path | str, Postgres | None]:
    """Make it; SQLite's file or PostgreSQL's URL, for the oracle, and the cluster if it is one."""
    folder = Path(tempfile.mkdtemp(prefix="buzon-chaos-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(SETTINGS, BUZON_DATA_DIR=str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    cluster: Postgres | None = None
    place: Path | str = folder / "buzon.sqlite3"
    if database == "postgresql":
        cluster = Postgres.start()
        atexit.register(cluster.stop)
        place = os.environ["BUZON_DATABASE_URL"] = cluster.url
    import django

    django.setup()
    from buzon.config.installation import open_installation
    from tests.chaos.quiet import be_quiet

    be_quiet()
    open_installation(create=True, organization=None, say=lambda line: None)
    return place, cluster
