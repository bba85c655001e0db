"""The web server of `buzon up`: uvicorn in a thread, on a socket that we open ourselves.

open_socket ─▶ (a port that is taken is refused before anything starts) ─▶ start ─▶ stop
"""

import contextlib
import socket
import threading
import time
from typing import Any

import uvicorn
from django.conf import settings

from buzon.config.browser_connection import BrowserConnection, more_descriptors
from buzon.config.refusal import InstallationError
from buzon.config.web_settings import is_loopback

STOP_WITHIN = 5.0  # seconds; requests under way end, streams are cut
_BACKLOG = 2048


class PageServer:
    """The pages, served until `stop`. `url` is where this machine reaches them."""

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening
        host, port = listening.getsockname()[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (shown only)
        self.url = f"http://{f'[{shown}]' if ':' in shown.strip('[]') else shown}:{port}"
        self._server = uvicorn.Server(_configuration())
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="pages", daemon=True
        )

    @classmethod
    def open(cls) -> "PageServer | None":
        """None where BUZON_LISTEN is off. Raises InstallationError where the port is not to be had,
        or people elsewhere are served under a name that nobody told us.
        """
        if settings.BUZON_LISTEN is None:
            return None
        host, port = settings.BUZON_LISTEN
        if not is_loopback(host) and not settings.BUZON_PUBLIC_URL:
            raise InstallationError(
                f"BUZON_LISTEN serves other machines ({host}), so BUZON_PUBLIC_URL must be the "
                "address under which they reach the pages, such as https://buzon.example.com."
            )
        return cls(_listening(host, port))

    @property
    def public_url(self) -> str:
        """Where people reach the pages."""
        return settings.BUZON_PUBLIC_URL or self.url

    def start(self) -> None:
        """Serve, and return once requests are answered."""
        more_descriptors()
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)

    def stop(self) -> None:
        """Answer nothing more; what is under way has a few seconds."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(STOP_WITHIN)
        with contextlib.suppress(OSError):
            self._socket.close()


def _configuration() -> uvicorn.Config:
    options: dict[str, Any] = {
        "loop": "asyncio",
        "http": BrowserConnection,
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.BUZON_TRUSTED_PROXIES),
        "forwarded_allow_ips": settings.BUZON_TRUSTED_PROXIES,
        "timeout_graceful_shutdown": 2,
        "timeout_keep_alive": 20,
    }
    return uvicorn.Config("buzon.config.asgi:application", **options)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise InstallationError(
            f"The pages cannot be served on {host}, port {port} ({error.strerror}); stop what uses "
            "it, or set BUZON_LISTEN to another address and port, or to off."
        ) from None
    return sock
