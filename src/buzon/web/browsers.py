"""Which browser somebody uses, in as few words as a person would."""

import re

# In this order: each calls itself by the names of those below it, too.
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Vivaldi", r"Vivaldi/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Chromium", r"Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux|X11"),
)


def browser_of(agent: str) -> str:
    """ "Chrome · Linux" from a User-Agent header (RFC 9110 section 10.1.5); "" where it says
    nothing that we know.
    """
    written = agent[:1_000]
    names = [_first(_BROWSERS, written), _first(_SYSTEMS, written)]
    return " · ".join(name for name in names if name)


def _first(known: tuple[tuple[str, str], ...], written: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, written)), "")
