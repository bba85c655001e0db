"""The addresses of our style sheets and scripts: each carries its digest, so that a browser keeps
it for a year and still sees the next version at once.
"""

import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.templatetags.static import static


@cache
def static_url(name: str) -> str:
    """Raises LookupError for a file that is not there."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise LookupError(f"there is no static file {name}")
    digest = hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12]
    return f"{static(name)}?v={digest}"
