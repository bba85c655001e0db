"""One login of the tests' Dovecot, as a line of its passwd-file."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Login:
    """One line of the passwd-file."""

    name: str
    secret: str
    home: Path
    special_uses: dict[str, str] = field(default_factory=dict)

    def line(self, uid: int, gid: int) -> str:
        """In hex the secret may hold any character, also a colon."""
        secret = "{PLAIN.HEX}" + self.secret.encode().hex()
        return f"{self.name}:{secret}:{uid}:{gid}::{self.home}::{self._special_use_fields()}\n"

    def _special_use_fields(self) -> str:
        if not self.special_uses:
            return ""
        prefix = "userdb_namespace/inbox/mailbox"
        keys = {f"f{place}": name for place, name in enumerate(self.special_uses)}
        fields = [f"{prefix}={' '.join(keys)}".replace(" ", ",")]
        for key, name in keys.items():
            fields.append(f"{prefix}/{key}/name={name}")
            fields.append(f"{prefix}/{key}/special_use={self.special_uses[name]}")
        return " ".join(fields)
