"""The flags of `buzon account add` and `set`: one list, from which the parser, its help and the
table of the defaults in `docs/settings.md` are made.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from buzon.config.command.parser import Parser
from buzon.config.command.values import one_of, seconds, start, whole


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `field` is the account's field (or several), `default` as one would write it;
    `read` None makes a yes-or-no flag, with its --no- twin. `takes` is the value's name.
    """

    name: str
    field: str
    default: str
    meaning: str
    takes: str = ""
    read: Callable[[str], Any] | None = None
    many: bool = False
    required: bool = False
    also: str = ""

    @property
    def opposite(self) -> str:
        """The twin of a yes-or-no flag."""
        return self.name.replace("--", "--no-", 1)


FLAGS = (
    Flag("--host", "host", "needed", "the mail server's name", "HOST", str, required=True),
    Flag("--username", "username", "needed", "the login", "LOGIN", str, required=True),
    Flag(
        "--password-file", "secret", "needed",
        "the file that holds the password, - for standard input", "FILE", str, required=True,
    ),
    Flag("--protocol", "protocol", "imap", "imap or pop3", "P", one_of("imap", "pop3")),
    Flag(
        "--port", "port", "993 or 143 (IMAP), 995 or 110 (POP3)",
        "the server's port", "PORT", whole(1, 65_535),
    ),
    Flag(
        "--security", "security", "tls",
        "tls, starttls, or none: readable by everybody on the way", "S",
        one_of("tls", "starttls", "none"),
    ),
    Flag(
        "--pin", "pinned_sha256", "none",
        "accept exactly the certificate with this SHA-256, as `check` shows it", "SHA256", str,
        also="--pinned-sha256",
    ),
    Flag("--address", "address", "the login", "the e-mail address, if not the login", "A", str),
    Flag("--store", "store", "none: all stores", "whose customers match", "NAME", str),
    Flag(
        "--folder", "folders", "INBOX",
        "a folder to collect; may be given several times (IMAP)", "NAME", str, many=True,
    ),
    Flag(
        "--sent-folder", "sent_folders", "none",
        "a folder of sent letters, matched by recipient; may be given several times (IMAP)",
        "NAME", str, many=True,
    ),
    Flag(
        "--create-customer", "create_customer", "no",
        "make a customer of an unknown sender; without it mail of unknown senders stays on the "
        "server",
    ),
    Flag("--group", "group", "none", "the agent group that new customers go to", "NAME", str),
    Flag("--notify-agent", "notify_agent", "yes", "tell the customer's agent of each letter"),
    Flag(
        "--after", "after", "leave",
        "what becomes of a downloaded message on the server: leave, read or delete", "A",
        one_of("leave", "read", "delete"),
    ),
    Flag(
        "--delete-after-days", "delete_after_days", "0",
        "with --after delete: how many days a downloaded message stays on the server", "N",
        whole(0, 365),
    ),
    Flag(
        "--start", "start", "all",
        "what of the mail that is there already: all, now (none of it), or from a date", "S", start,
    ),
    Flag(
        "--history", "history", "auto",
        "letters that were there already: auto (those of the last 7 days, at most 50 one by one), "
        "silent or notify", "H", one_of("auto", "silent", "notify"),
    ),
    Flag(
        "--history-to-whole-group", "history_to_whole_group", "no",
        "share the new customers of the first download among the whole group, not only among who "
        "is Free and signed in at that hour",
    ),
    Flag(
        "--max-message-bytes", "max_message_bytes", "52428800 (BUZON_MAX_MESSAGE_BYTES)",
        "of larger messages only the header is collected", "N", whole(10_000, 1_000_000_000),
    ),
    Flag(
        "--poll-seconds", "poll_seconds", "60 (BUZON_POLL_SECONDS)",
        "how long until the next collection", "N", seconds,
    ),
    Flag(
        "--trusted-authserv-id", "trusted_authserv_id", "none",
        "whose Authentication-Results are believed (DMARC)", "HOST", str,
    ),
    Flag("--lists-as-persons", "lists_as_persons", "no", "treat mailing lists as persons"),
    Flag(
        "--hand-out-existing", "hand_out_existing", "no",
        "give customers without an agent to the group when they write, as if they were new",
    ),
    Flag(
        "--fetch-skipped-at-once", "fetch_skipped_at_once", "no",
        "when a customer comes to exist, download the letters that were skipped before",
    ),
    Flag("--fold-dots", "fold_dots", "no", "a.na@ and ana@ are the same sender"),
    Flag("--fold-plus", "fold_plus", "no", "ana+shop@ and ana@ are the same sender"),
    Flag(
        "--reply-to-sender", "reply_to_senders", "none",
        "a web form's sender address, for which Reply-To counts as the sender; may be given "
        "several times", "A", str, many=True,
    ),
)  # fmt: skip


def add_flags(parser: Parser, *, new: bool) -> None:
    """All flags. What is not given is not in the namespace: defaults are the account's own."""
    for flag in FLAGS:
        _add(parser, flag, new=new)
    parser.add_argument(
        "--delete-downloaded",
        dest="after",
        action="store_const",
        const="delete",
        default=argparse.SUPPRESS,
        help="the same as --after delete",
    )
    _add_activity(parser, new=new)
    if not new:
        _add_clearing(parser)


def _add(parser: Parser, flag: Flag, *, new: bool) -> None:
    needed = flag.required and new
    told = "" if needed or not new else f" (default: {flag.default})"
    options: dict[str, Any] = {
        "dest": flag.field,
        "default": argparse.SUPPRESS,
        "help": (flag.meaning + told).replace("%", "%%"),
    }
    if flag.read is None:
        parser.add_argument(flag.name, action=argparse.BooleanOptionalAction, **options)
        return
    names = [flag.name, flag.also] if flag.also else [flag.name]
    action = "append" if flag.many else "store"
    parser.add_argument(
        *names, type=flag.read, action=action, metavar=flag.takes, required=needed, **options
    )


def _add_activity(parser: Parser, *, new: bool) -> None:
    either = parser.add_mutually_exclusive_group()
    told = " (default: active)" if new else ""
    for name, value, meaning in (
        ("--active", True, f"collect this account{told}"),
        ("--inactive", False, "collect nothing until it is made active"),
    ):
        either.add_argument(
            name,
            dest="active",
            action="store_const",
            const=value,
            default=argparse.SUPPRESS,
            help=meaning,
        )


def _add_clearing(parser: Parser) -> None:
    """What `set` can take away."""
    for name, field, empty, meaning in (
        ("--no-store", "store", None, "belong to no store: all stores"),
        ("--no-group", "group", None, "give new customers to nobody"),
        ("--no-pin", "pinned_sha256", "", "verify the certificate again"),
        ("--no-sent-folder", "sent_folders", [], "collect no folder of sent letters"),
        ("--no-reply-to-sender", "reply_to_senders", [], "Reply-To counts for nobody"),
        ("--no-poll-seconds", "poll_seconds", None, "as the installation has it"),
    ):
        parser.add_argument(
            name,
            dest=field,
            action="store_const",
            const=empty,
            default=argparse.SUPPRESS,
            help=meaning,
        )
