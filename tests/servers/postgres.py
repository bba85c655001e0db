"""A PostgreSQL cluster of the tests' own: real server, temporary folder, loopback port."""

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass
class Postgres:
    """A running cluster; `url` is its superuser's. Stopped by its own pid file."""

    folder: Path
    binaries: Path
    port: int

    @classmethod
    def start(cls, folder: Path | None = None) -> Self:
        """In a folder of its own, or in this one, with the data of before where it has any."""
        folder = folder or Path(tempfile.mkdtemp(prefix="buzon-postgres-"))
        cluster = cls(folder=folder, binaries=_binaries(), port=_free_port())
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        if not (folder / "data").exists():
            # The tester's own locale is none of our business.
            cluster._run("initdb", "-D", str(folder / "data"), "-U", "buzon", "-A", "trust",
                         "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8")  # fmt: skip
        cluster._run("pg_ctl", "-D", str(folder / "data"), "-l", str(folder / "log"), "-w",
                     "-o", cluster._options(), "start")  # fmt: skip
        return cluster

    @property
    def url(self) -> str:
        return f"postgresql://buzon@127.0.0.1:{self.port}/postgres"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """Every connection is cut, as by an operator's restart."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"),
                  "-m", "fast", "-w", "-o", self._options(), "restart")  # fmt: skip

    def _options(self) -> str:
        return (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 "
            "-c max_connections=200 -c shared_buffers=256MB -c fsync=off"
        )

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments]
        if os.geteuid() == 0:
            command = [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                *command,
            ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")


def _binaries() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if not versions:
        raise RuntimeError("PostgreSQL is not installed: make test installs it.")
    return versions[-1].parent


def _version(initdb: Path) -> int:
    return int(initdb.parent.parent.name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
