"""A real SMTP server (aiosmtpd) on a loopback port, that can refuse, hang up, and go away."""

import asyncio
import email
import email.policy
import ssl
import threading
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class SmtpServer:
    """`letters` are those accepted. Refusals are answers such as "550 no such user"."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.letters: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.refused_recipients: dict[str, str] = {}
        self.refuse_data = ""
        self.port = 0
        self.logins = 0
        self._tls, self._implicit_tls, self._login = tls, implicit_tls, login
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "SmtpServer":
        self._thread.start()
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        self._run(self._listen())

    def go_away(self) -> None:
        """Refuse connections."""
        self._run(self._close())

    # What aiosmtpd calls.

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused_recipients:
            return self.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data
        assert isinstance(envelope.content, bytes)
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.envelopes.append(envelope)
        self.letters.append(letter)
        return "250 OK"

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> Any:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        self.logins += given == self._login
        return AuthResult(success=given == self._login, handled=False)

    def _protocol(self) -> SMTP:
        starttls = None if self._implicit_tls else self._tls
        protocol = SMTP(
            self,
            hostname="smtp.example",
            loop=self._loop,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=self._login is not None,
            authenticator=self._authenticate if self._login else None,
        )
        # aiosmtpd knows of TLS only what STARTTLS began, and its constructor warns about the rest.
        protocol._auth_require_tls = starttls is not None
        return protocol

    async def _listen(self) -> None:
        implicit = self._tls if self._implicit_tls else None
        self._server = await self._loop.create_server(
            self._protocol, "127.0.0.1", self.port, ssl=implicit
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _run(self, what: Any) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)
