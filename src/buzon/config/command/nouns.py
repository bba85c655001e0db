"""The list of commands: what each is for, and which file does it."""

from typing import NamedTuple


class Noun(NamedTuple):
    """`meaning` is the help's line, without a full stop."""

    module: str
    meaning: str
    needs_django: bool = True


NOUNS = {
    "up": Noun("up", "Run everything on this machine until Ctrl-C; the first start sets it up"),
    "organization": Noun("organization", "The companies that use this installation"),
    "account": Noun("account", "Collection accounts: where mail is collected, and how"),
    "collect": Noun("collect", "Collect now, in the foreground"),
    "ledger": Noun("ledger", "The fate of every message seen on the servers"),
    "retry": Noun("retry", "Try failed messages again"),
    "fetch": Noun("fetch", "Download messages that were skipped or too large"),
    "raw": Noun("raw", "Print the octets of a message, as received"),
    "read": Noun("read", "Show what Buzón understands of message files", needs_django=False),
    "store": Noun("store", "Stores: the shops of the organization"),
    "group": Noun("group", "Agent groups, among which new customers are shared out"),
    "agent": Noun("agent", "Agents: those who answer customers"),
    "administrator": Noun("administrator", "Administrators, and the passwords of all logins"),
    "customer": Noun("customer", "Customers and the addresses they write from"),
    "search": Noun("search", "Find letters by their words"),
    "notification": Noun("notification", "Who was told of what"),
    "block": Noun("block", "Senders and domains whose mail is ignored"),
    "backup": Noun("backup", "Everything in one file, while Buzón runs; without the keys"),
    "restore": Noun("restore", "Make the database what a backup holds"),
    "doctor": Noun("doctor", "Is this installation sound"),
}
