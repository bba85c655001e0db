"""The code that lets one person, who sees this machine's terminal, make the first administrator.

no administrator ─▶ code in the data folder, shown by `buzon up` ─▶ used once ─▶ gone
"""

import hmac
import os
from pathlib import Path

from django.conf import settings

from buzon.web.spelled import spelled


def setup_code() -> str:
    """The code as it is, made where there is none. Raises OSError where it cannot be kept."""
    try:
        return _file().read_text(encoding="ascii").strip() or _made()
    except FileNotFoundError:
        return _made()


def is_setup_code(typed: str) -> bool:
    """Whether this is the code; False where there is none."""
    try:
        kept = _file().read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return False
    return bool(kept) and hmac.compare_digest(kept.encode(), typed.strip().lower().encode())


def there_is_a_setup_code() -> bool:
    """Whether one was made that nobody has used yet."""
    return _file().exists()


def forget_setup_code() -> None:
    """It was used: from now on administrators are made by administrators."""
    _file().unlink(missing_ok=True)


def _made() -> str:
    code = spelled(groups=3, of=5)
    number = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as file:
        file.write(code + "\n")
    return code


def _file() -> Path:
    return Path(settings.BUZON_DATA_DIR) / "setup-code"
