"""`python -m buzon.config.settings_page`: prints docs/settings.md from the code."""

from collections.abc import Iterable

from buzon.config.command.account_flags import FLAGS, Flag
from buzon.config.environment import SETTINGS, Setting

_HEAD = """\
# Settings

This page is made by `python -m buzon.config.settings_page`; a test compares it with the code.

## The installation

Settings come from the environment. A variable that is empty counts as not set; a wrong value, or a
name that begins with `BUZON_` and is not in this list, is refused with a sentence.
"""
_ACCOUNTS = """
## Collection accounts

What `buzon account add NAME` sets, and the default of each. `buzon account set NAME` takes the same
flags. An account is active unless `--inactive` is given.
"""


def page() -> str:
    """The whole page."""
    settings = _table(("setting", "default", "meaning"), map(_setting, SETTINGS))
    flags = _table(("flag", "default", "meaning"), map(_flag, FLAGS))
    return f"{_HEAD}\n{settings}{_ACCOUNTS}\n{flags}"


def _setting(setting: Setting) -> tuple[str, ...]:
    return f"`{setting.name}`", _code(setting.default), setting.meaning


def _flag(flag: Flag) -> tuple[str, ...]:
    written = f"`{flag.name} {flag.takes}`" if flag.read else f"`{flag.name}`, `{flag.opposite}`"
    return written, flag.default, flag.meaning


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else "(empty)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
