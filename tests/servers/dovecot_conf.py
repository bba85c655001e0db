"""The configuration file of the tests' Dovecot."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

from buzon.wire.endpoint import Security

if TYPE_CHECKING:
    from tests.servers.dovecot import Dovecot

PLAIN, STRICT, SELF_SIGNED = "127.0.0.1", "127.0.0.2", "127.0.0.3"
ADDRESSES = (PLAIN, STRICT, SELF_SIGNED)

LOCATIONS = {"maildir": "maildir:~/Maildir", "mdbox": "mdbox:~/mdbox"}


def configuration(server: Dovecot) -> str:
    """The whole text of dovecot.conf, `server.settings` last, so that they win."""
    root = server.root
    further = "\n".join(f"{name} = {value}" for name, value in server.settings.items())
    return f"""
base_dir = {root}/run
state_dir = {root}/run
log_path = {root}/dovecot.log
protocols = imap pop3
listen = {PLAIN}
{_processes()}
{_listeners(server)}
ssl = yes
ssl_min_protocol = TLSv1.2
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
disable_plaintext_auth = no
local {STRICT} {{
  disable_plaintext_auth = yes
}}
local {SELF_SIGNED} {{
  ssl_cert = <{root}/self-signed.pem
  ssl_key = <{root}/self-signed.key
}}
auth_mechanisms = plain login
auth_username_chars =
auth_username_format =
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {server.passwd_file}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {server.passwd_file}
}}
first_valid_uid = 1
first_valid_gid = 0
mail_location = {LOCATIONS[server.storage]}
mail_fsync = never
mail_max_userip_connections = 1000
mail_attribute_dict = file:%h/attributes
mailbox_idle_check_interval = 1s
namespace inbox {{
  inbox = yes
}}
protocol imap {{
  mail_plugins = zlib imap_zlib
  imap_metadata = yes
}}
{further}
"""


def _listeners(server: Dovecot) -> str:
    """Every process listens on all addresses of its protocol."""
    text = ""
    for protocol in ("imap", "pop3"):
        lines = "".join(
            f"  inet_listener {protocol}-{place} {{\n"
            f"    address = {listener.address}\n"
            f"    port = {listener.port}\n"
            f"    ssl = {'yes' if listener.security == Security.TLS else 'no'}\n"
            "  }\n"
            for place, listener in enumerate(server.listeners)
            if listener.protocol == protocol
        )
        standard = "".join(
            f"  inet_listener {name} {{\n    port = 0\n  }}\n"
            for name in (protocol, f"{protocol}s")
        )
        text += f"service {protocol}-login {{\n{standard}{lines}"
        text += f"  service_count = 0\n  process_min_avail = 1\n{_no_jail()}}}\n"
        text += f"service {protocol} {{\n  process_min_avail = 1\n  service_count = 100\n}}\n"
    return text


def _processes() -> str:
    """Failed logins are not slowed down (anvil's penalty); without root no change of user."""
    penalty = "  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n"
    text = f"service anvil {{\n{penalty}{_no_jail()}}}\ndefault_vsz_limit = 1G\n"
    text += "service auth {\n  client_limit = 4000\n}\n"
    if os.geteuid() == 0:
        return text
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    return text + (
        f"default_internal_user = {user}\ndefault_internal_group = {group}\n"
        f"default_login_user = {user}\n"
        f"service stats {{\n{_no_jail()}}}\n"
    )


def _no_jail() -> str:
    """Only root may chroot."""
    return "" if os.geteuid() == 0 else "  chroot =\n"
