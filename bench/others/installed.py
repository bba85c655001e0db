"""Where the other programs are: Debian's mbsync and mpop, Python's in an environment of their own.

They are no part of the product, so that nothing of theirs comes into its environment.
"""

import os
import shutil
import sys
from pathlib import Path

from bench.measured import ROOT, CannotMeasure, run

FOLDER = ROOT / "var" / "bench" / "others"
PACKAGES = ("getmail6==6.20.2", "django-mailbox==4.10.1", "django-helpdesk==2.6.1")
_UV = Path(sys.executable).with_name("uv")


def program(name: str) -> str:
    """Of Debian's packages, its path. Raises CannotMeasure."""
    found = shutil.which(name)
    if found is None:
        raise CannotMeasure(f"{name} is not installed: make system-bench.")
    return found


def in_environment(name: str) -> str:
    """The path of a command of the other programs' environment. Raises CannotMeasure."""
    path = FOLDER / "bin" / name
    if not path.exists():
        raise CannotMeasure(f"{name} is not installed: python -m bench.others.")
    return str(path)


def install() -> None:
    """Make the environment, where it is not what PACKAGES says. Raises CannotMeasure."""
    wanted = "\n".join(PACKAGES)
    noted = FOLDER / "packages.txt"
    if noted.exists() and noted.read_text() == wanted:
        return
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": str(FOLDER)}
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)],
        ["pip", "install", "--quiet", *PACKAGES],
    ):
        run([str(_UV), *command], environment, name="Installing the other programs")
    noted.write_text(wanted)
