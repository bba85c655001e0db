"""The command run by another user of the machine: root's own rights cannot be too few."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bad_input.shop import Shop
from tests.config.commands import ROOT, Ran

NOBODY = 65534
_WHO = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@contextmanager
def moved_out(shop: Shop) -> Iterator[Path]:
    """The shop's data folder where another user can get at it, and is its owner."""
    _require()
    room = Path(tempfile.mkdtemp(prefix="buzon-other-user-"))
    try:
        room.chmod(0o755)
        folder = room / "data"
        shutil.copytree(shop.installation.folder, folder)
        for one in (folder, *folder.iterdir()):
            os.chown(one, NOBODY, NOBODY)
        shop.env["BUZON_DATA_DIR"] = str(folder)
        yield folder
    finally:
        shutil.rmtree(room)


def as_nobody(shop: Shop, *arguments: str) -> Ran:
    """One command by that user."""
    command = [*_WHO, sys.executable, "-m", "buzon.config.command", *arguments]
    env = shop.env | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, timeout=60, check=False)
    return Ran(done.returncode, done.stdout, done.stderr.decode())


def _require() -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can be somebody else, by setpriv")
    tried = [*_WHO, sys.executable, "-c", "import buzon"]
    if subprocess.run(tried, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("the program lies where another user cannot read it")
