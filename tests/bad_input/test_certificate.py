"""A self-signed certificate is refused, shown by `account check`, pinned, and then believed."""

import re

import pytest

from tests.bad_input.shop import Shop
from tests.servers.dovecot import Dovecot


@pytest.mark.parametrize(("protocol", "security"), [("imap", "tls"), ("pop3", "starttls")])
def test_a_self_signed_certificate_is_refused_until_it_is_pinned(
    shop: Shop, dovecot: Dovecot, login: str, protocol: str, security: str
) -> None:
    dovecot.deliver(login, b"From: eva@cliente.example\r\n\r\nHola.\r\n")
    port = dovecot.port(protocol, security, self_signed=True)
    shop.do("account", "add", "a", "--host", "127.0.0.3", "--port", port, "--protocol", protocol,
            "--security", security, "--username", login, "--password-file", "-",
            "--create-customer", stdin=b"secret\n")  # fmt: skip
    assert dovecot.self_signed_sha256 in shop.fails("a")
    checked = shop("account", "check", "a")
    assert checked.status == 1
    (remedy,) = re.findall(r"buzon (account set a --pin \S+?)[ .:;]*$", checked.text, re.M)
    assert remedy.endswith(dovecot.self_signed_sha256)
    shop.do(*remedy.split())
    assert shop.collected("a")["filed"] == 1
    shop.do("account", "set", "a", "--pin", "ab" * 32)
    assert "pin" in shop.fails("a")
