"""A real Dovecot 2.3 of our own, in a temporary folder, on free loopback ports.

The wire and the journeys are tested against it, so that our own demonstration server cannot drift.
Four listeners for each protocol, told apart by loopback address (Dovecot chooses settings by it):

    127.0.0.1  clear with STARTTLS, and TLS, certificate by `ca_file`
    127.0.0.2  clear, but a secret is refused before STARTTLS           (`strict=True`)
    127.0.0.3  clear with STARTTLS, and TLS, certificate self-signed    (`self_signed=True`)

Mail lies in Maildirs, which `deliver` and `messages` write and read as files: they are the oracle
of the tests, apart from any protocol. With `storage="mdbox"` they go through Python's imaplib.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from buzon.wire.endpoint import Credentials, Endpoint, Security
from tests.servers import maildir, mdbox
from tests.servers.dovecot_conf import PLAIN, STRICT, configuration
from tests.servers.dovecot_listeners import Listener, accepts, address_of, free_listeners
from tests.servers.dovecot_login import Login
from tests.servers.modified_utf7 import encode_folder

DOVECOT = "/usr/sbin/dovecot"
DOVEADM = "/usr/bin/doveadm"
START_SECONDS = 10.0
PORT_ATTEMPTS = 5


class DovecotUnavailable(RuntimeError):
    """Dovecot cannot be started here; the sentence says what to do."""


class Dovecot:
    """`with Dovecot() as server:` starts it and stops it (by its process id).

    `storage` is "maildir" or "mdbox"; `settings` are further Dovecot settings, for instance
    {"pop3_uidl_format": "%g"} or {"imap_capability": "IMAP4rev1 IDLE"}. Start it in the thread that
    outlives it: it is stopped by the kernel when the thread that started it ends.
    """

    host = PLAIN

    def __init__(
        self, *, storage: str = "maildir", settings: Mapping[str, str] | None = None
    ) -> None:
        if storage not in ("maildir", "mdbox"):
            raise ValueError(f"storage is maildir or mdbox, not {storage!r}")
        self.storage = storage
        self.settings = dict(settings or {})
        self.listeners: list[Listener] = []
        self._logins: dict[str, Login] = {}
        self._delivered = 0
        self._process: subprocess.Popen[bytes] | None = None

    # -- starting and stopping

    def __enter__(self) -> Self:
        _require_installed()
        self.root = Path(tempfile.mkdtemp(prefix="buzon-dovecot-"))
        self.root.chmod(0o755)
        try:
            self._make_certificates()
            (self.root / "logins").mkdir()
            (self.root / "logins").chmod(0o755)  # whatever the umask: its own users look in here
            self._start_on_free_ports()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and remove its folder. Safe to call twice."""
        self._end_process()
        shutil.rmtree(self.root, ignore_errors=True)

    def _make_certificates(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.root / "ca.pem")
        known = authority.issue_cert("localhost", PLAIN, STRICT)
        # An authority nobody trusts signs with itself: its own certificate is a self-signed one.
        lonely = trustme.CA()
        lonely.cert_pem.write_to_path(self.root / "self-signed.pem")
        lonely.private_key_pem.write_to_path(self.root / "self-signed.key")
        known.private_key_pem.write_to_path(self.root / "server.key")
        for place, blob in enumerate(known.cert_chain_pems):
            blob.write_to_path(self.root / "server.pem", append=place > 0)
        self.certificate_sha256 = _fingerprint(self.root / "server.pem")
        self.self_signed_sha256 = _fingerprint(self.root / "self-signed.pem")

    def _start_on_free_ports(self) -> None:
        """Another process may take a port between our look and Dovecot's bind: then look again."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.listeners = free_listeners()
            self._launch()
            if self._comes_up():
                return
            log = self.log()
            self._end_process()
            if "Address already in use" not in log or attempt == PORT_ATTEMPTS:
                raise DovecotUnavailable(f"Dovecot did not start. Its log says:\n{log}")

    def _launch(self) -> None:
        configuration_file = self.root / "dovecot.conf"
        configuration_file.write_text(configuration(self))
        # The kernel ends Dovecot when we are killed, so that no test run leaves one behind.
        tied = ["setpriv", "--pdeathsig", "TERM"]
        with (self.root / "start.log").open("wb") as output:
            self._process = subprocess.Popen(
                [*tied, DOVECOT, "-F", "-c", str(configuration_file)],
                stdout=output, stderr=output, start_new_session=True, umask=0o022,
            )  # fmt: skip

    def _comes_up(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        waiting = list(self.listeners)
        while waiting and time.monotonic() < deadline and self._process.poll() is None:
            waiting = [listener for listener in waiting if not accepts(listener)]
        return not waiting and self._process.poll() is None

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # Its whole process group at once: a polite end takes Dovecot a second, and nothing is kept.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self) -> str:
        """What Dovecot wrote so far."""
        names = ("start.log", "dovecot.log")
        return "".join(
            (self.root / name).read_text(errors="replace")
            for name in names
            if (self.root / name).exists()
        )

    # -- where it listens, and how it is trusted

    @property
    def ca_file(self) -> str:
        """PEM of the authority that signed the certificate on 127.0.0.1 and 127.0.0.2."""
        return str(self.root / "ca.pem")

    @property
    def passwd_file(self) -> str:
        """Where Dovecot finds a login, in its own variables."""
        return f"{self.root}/logins/%{{sha256:user}}"

    def port(
        self,
        protocol: str,
        security: Security | str,
        *,
        strict: bool = False,
        self_signed: bool = False,
    ) -> int:
        """The port for "imap" or "pop3"; NONE and STARTTLS share the clear one."""
        wire = Security.TLS if security == Security.TLS else Security.NONE
        address = address_of(strict=strict, self_signed=self_signed)
        for listener in self.listeners:
            if (listener.protocol, listener.security, listener.address) == (
                protocol,
                wire,
                address,
            ):
                return listener.port
        raise LookupError(f"no listener for {protocol} {security} on {address}")

    def endpoint(
        self,
        protocol: str,
        security: Security | str,
        *,
        strict: bool = False,
        self_signed: bool = False,
        **changes: object,
    ) -> Endpoint:
        """The endpoint, trusting `ca_file`; `changes` replace any of its fields."""
        values: dict[str, object] = {
            "host": address_of(strict=strict, self_signed=self_signed),
            "port": self.port(protocol, security, strict=strict, self_signed=self_signed),
            "security": Security(security),
            "ca_file": self.ca_file,
            "read_timeout": 20.0,
            "allow_private": True,
        }
        return Endpoint(**(values | changes))  # type: ignore[arg-type]

    def credentials(self, login: str) -> Credentials:
        """The login and the password that `add_login` was given."""
        return Credentials(username=login, secret=self._logins[login].secret)

    # -- logins, folders, mail

    def add_login(self, login: str, password: str) -> None:
        """A new login with an empty INBOX; it may hold any character but a colon or a line end."""
        if any(c in login for c in ":\r\n"):
            raise ValueError(f"Dovecot's passwd-file cannot hold the login {login!r}")
        home = self.home(login)
        home.mkdir(parents=True)
        maildir.lend(home.parent)
        maildir.lend(home)
        if self.storage == "maildir":
            maildir.make(self.folder_path(login, "INBOX"))
        self._logins[login] = Login(login, password, home)
        self._write(self._logins[login])

    def add_folder(self, login: str, name: str, special_use: str | None = None) -> None:
        r"""A folder by its readable name ("Enviados", "Añejo"; "." parts levels); e.g. \Sent.

        Dovecot 2.3 takes the special use from its settings alone, so it comes with the next login.
        """
        if special_use is not None and " " in name:
            raise ValueError(f"Dovecot's passwd-file cannot hold a space: {name!r}")
        self.doveadm("mailbox", "create", "-u", login, "-s", name)
        if special_use is not None:
            self._logins[login].special_uses[name] = special_use
            self._write(self._logins[login])
            self._await_special_use(login, name)

    def deliver(
        self,
        login: str,
        octets: bytes,
        folder: str = "INBOX",
        internal_date: datetime | None = None,
        flags: str = "",
    ) -> None:
        r"""Put a message into a folder. UIDs are given in the order of delivery.

        `flags` are Maildir's letters: S seen, R answered, F flagged, T deleted, D draft. What is
        fetched is `octets`, but for a bare LF, which Dovecot sends as CRLF.
        """
        when = internal_date or datetime.now(UTC)
        if self.storage == "mdbox":
            mdbox.append(self, login, octets, encode_folder(folder), when, flags)
            return
        self._delivered += 1
        maildir.append(self.folder_path(login, folder), octets, self._delivered, when, flags)

    def messages(self, login: str, folder: str = "INBOX") -> list[bytes]:
        """The octets that lie in the folder now, in order of delivery."""
        if self.storage == "mdbox":
            return mdbox.messages(self, login, encode_folder(folder))
        return [file.read_bytes() for file in self._files(login, folder)]

    def flags(self, login: str, folder: str = "INBOX") -> list[str]:
        """Maildir's flag letters of each message, in order of delivery (Maildir only)."""
        return [file.name.partition(":2,")[2] for file in self._files(login, folder)]

    def remove(self, login: str, octets: bytes, folder: str = "INBOX") -> None:
        """Another client deletes each message with these octets (Maildir only)."""
        for file in self._files(login, folder):
            if file.read_bytes() == octets:
                file.unlink()

    def _files(self, login: str, folder: str) -> list[Path]:
        return maildir.files(self.folder_path(login, folder))

    def home(self, login: str) -> Path:
        """The login's folder; named by a digest, since a login may hold any character."""
        return self.root / "mail" / hashlib.sha256(login.encode()).hexdigest()[:16]

    def folder_path(self, login: str, folder: str) -> Path:
        """The Maildir of a folder, by its readable name."""
        inbox = self.home(login) / "Maildir"
        return inbox if folder == "INBOX" else inbox / f".{encode_folder(folder)}"

    def doveadm(self, *arguments: str) -> str:
        """Run doveadm on this server; its output. Raises RuntimeError."""
        command = [DOVEADM, "-c", str(self.root / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode:
            raise RuntimeError(f"doveadm {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def _write(self, login: Login) -> None:
        """A file of its own for each login: Dovecot looks at a file once a second at most."""
        written = self.root / "logins" / "new"
        written.write_text(login.line(*maildir.owner()), encoding="utf-8")
        written.chmod(0o644)
        written.replace(self.root / "logins" / hashlib.sha256(login.name.encode()).hexdigest())

    def _await_special_use(self, login: str, name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while f"/name\t{name}\n" not in self.doveadm("user", login):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Dovecot does not read the special use of {name!r}")


def _require_installed() -> None:
    for program in (DOVECOT, DOVEADM):
        if not Path(program).exists():
            raise DovecotUnavailable(
                f"{program} is missing: the tests need a real Dovecot 2.3. "
                "Install it: apt-get install dovecot-imapd dovecot-pop3d"
            )


def _fingerprint(path: Path) -> str:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
