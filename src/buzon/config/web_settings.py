"""What the pages' settings follow from: the key that signs, the hosts that are answered."""

import ipaddress
import secrets
from pathlib import Path
from urllib.parse import urlsplit

SECRET_KEY_FILE = "secret-key"  # noqa: S105 (its name)


def secret_key(given: str, folder: Path) -> str:
    """The given key, else that of the data folder. Where there is no folder yet, a new one, which
    `installation.open_installation` then keeps there.
    """
    if given:
        return given
    try:
        kept = (folder / SECRET_KEY_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        kept = ""
    return kept or secrets.token_urlsafe(50)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(address).is_loopback


def allowed_hosts(listen: tuple[str, int] | None, public_url: str) -> list[str]:
    """The names by which a browser may call us; any other Host header is refused."""
    hosts = ["localhost", "127.0.0.1", "[::1]"]
    if public_url:
        hosts.append(urlsplit(public_url).hostname or "")
    if listen is not None and not ipaddress.ip_address(listen[0]).is_unspecified:
        hosts.append(f"[{listen[0]}]" if ":" in listen[0] else listen[0])
    return sorted(set(hosts))
