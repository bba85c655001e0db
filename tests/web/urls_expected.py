"""Whom every address of the pages is for: the one table to extend when a page is added.

A name that is in `buzon.web.urls` and not here fails `test_access.py`. `row` says which row of the
world fills the address's numbers; the rows are Casa Olivo's, and those of agents are Ana's.
"""

from dataclasses import dataclass

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
PUBLIC, AGENTS, ADMINISTRATORS = "public", "agents", "administrators"
FINE = frozenset({200, 302})
NOT_THERE = frozenset({404})


@dataclass(frozen=True)
class Expected:
    """`audience` as the view says it. `only`: who beside Ana may see the row ("" for nobody, not
    even the administrator). `answers`: what those who may get; `posted`: where it is something else
    for an empty form.
    """

    audience: str
    methods: tuple[str, ...] = GET
    row: str = ""
    only: str = "olga"
    answers: frozenset[int] = FINE
    posted: frozenset[int] = frozenset()


EXPECTED = {
    "home": Expected(AGENTS),
    "sign_in": Expected(PUBLIC, BOTH),
    "sign_out": Expected(AGENTS, POST),
    "language": Expected(PUBLIC, POST),
    "forgotten": Expected(PUBLIC, BOTH),
    "forgotten_asked": Expected(PUBLIC),
    "new_password": Expected(PUBLIC, BOTH, "wrong_link", answers=NOT_THERE),
    # There is an administrator, so the first step of setting up is over for everybody.
    "setup": Expected(PUBLIC, BOTH, answers=NOT_THERE),
    "setup_demonstration": Expected(PUBLIC, POST, answers=NOT_THERE),
    "setup_stores": Expected(ADMINISTRATORS, BOTH),
    "setup_people": Expected(ADMINISTRATORS, BOTH),
    "setup_mailbox": Expected(ADMINISTRATORS, BOTH),
    "setup_done": Expected(ADMINISTRATORS),
    "me": Expected(AGENTS, BOTH),
    "my_status": Expected(AGENTS, POST, answers=FINE | NOT_THERE),  # Olga answers no customers
    "my_sessions": Expected(AGENTS),
    "my_session_end": Expected(AGENTS, POST, "session", only=""),
    "my_other_sessions_end": Expected(AGENTS, POST),
    "my_password": Expected(AGENTS, BOTH),
    "collection_accounts": Expected(ADMINISTRATORS),
    "new_collection_account": Expected(ADMINISTRATORS, BOTH),
    "collection_account": Expected(ADMINISTRATORS, GET, "account"),
    "collection_account_change": Expected(ADMINISTRATORS, BOTH, "account"),
    "collection_account_due": Expected(ADMINISTRATORS, POST, "account"),
    "collection_account_active": Expected(ADMINISTRATORS, POST, "account"),
    "collection_account_resumption": Expected(ADMINISTRATORS, POST, "account"),
    "collection_account_certificate": Expected(ADMINISTRATORS, POST, "account"),
    "collection_account_preview": Expected(
        ADMINISTRATORS, GET, "forgotten_preview", answers=NOT_THERE
    ),
    "collection_account_history": Expected(ADMINISTRATORS, POST, "account"),
    "collection_account_cancelling": Expected(ADMINISTRATORS, BOTH, "account"),
    "collection_account_again": Expected(ADMINISTRATORS, BOTH, "account"),
    "collection_account_check": Expected(ADMINISTRATORS, POST, "account"),
    "collection_account_removal": Expected(ADMINISTRATORS, BOTH, "account"),
    "ledger": Expected(ADMINISTRATORS, BOTH, posted=NOT_THERE),
    "ledger_changes": Expected(ADMINISTRATORS, answers=FINE | {204}),
    "ledger_row": Expected(ADMINISTRATORS, BOTH, "arrival", posted=NOT_THERE),
    "ledger_row_raw": Expected(ADMINISTRATORS, GET, "arrival"),
    "quarantine": Expected(ADMINISTRATORS, BOTH, posted=NOT_THERE),
    "letters": Expected(AGENTS),
    "search": Expected(AGENTS),
    "letter": Expected(AGENTS, GET, "letter"),
    "letter_raw": Expected(AGENTS, GET, "letter"),
    "letter_attachment": Expected(AGENTS, GET, "attachment"),
    "letter_fetch": Expected(AGENTS, POST, "letter"),
    "letter_blocking": Expected(ADMINISTRATORS, BOTH, "letter"),
    "customers": Expected(AGENTS),
    "new_customer": Expected(AGENTS, BOTH),
    "customer_import": Expected(ADMINISTRATORS, BOTH),
    "customer": Expected(AGENTS, GET, "customer"),
    "customer_change": Expected(AGENTS, BOTH, "customer"),
    "customer_earlier_letters": Expected(AGENTS, POST, "customer"),
    "customer_agent": Expected(ADMINISTRATORS, BOTH, "customer"),
    "customer_removal": Expected(ADMINISTRATORS, BOTH, "customer"),
    "customer_blocking": Expected(ADMINISTRATORS, BOTH, "customer"),
    "agents": Expected(ADMINISTRATORS),
    "new_agent": Expected(ADMINISTRATORS, BOTH),
    "agent": Expected(ADMINISTRATORS, GET, "agent"),
    "agent_change": Expected(ADMINISTRATORS, BOTH, "agent"),
    "agent_status": Expected(ADMINISTRATORS, POST, "agent"),
    "agent_login": Expected(ADMINISTRATORS, BOTH, "agent"),
    "agent_deactivation": Expected(ADMINISTRATORS, BOTH, "agent"),
    "agent_reactivation": Expected(ADMINISTRATORS, POST, "agent"),
    "administrators": Expected(ADMINISTRATORS),
    "new_administrator": Expected(ADMINISTRATORS, BOTH),
    "administrator_password": Expected(ADMINISTRATORS, BOTH, "administrator"),
    "administrator_removal": Expected(ADMINISTRATORS, BOTH, "administrator"),
    "administrator_agent": Expected(ADMINISTRATORS, BOTH, "administrator"),
    "groups": Expected(ADMINISTRATORS),
    "new_group": Expected(ADMINISTRATORS, BOTH),
    "group": Expected(ADMINISTRATORS, GET, "group"),
    "group_change": Expected(ADMINISTRATORS, BOTH, "group"),
    "group_removal": Expected(ADMINISTRATORS, BOTH, "group"),
    "stores": Expected(ADMINISTRATORS),
    "new_store": Expected(ADMINISTRATORS, BOTH),
    "store": Expected(ADMINISTRATORS, BOTH, "store"),
    "store_removal": Expected(ADMINISTRATORS, BOTH, "store"),
    "organization": Expected(ADMINISTRATORS, BOTH),
    "blocked": Expected(ADMINISTRATORS, BOTH),
    "blocked_removal": Expected(ADMINISTRATORS, POST, "blocked"),
    "notifications": Expected(AGENTS),
    "latest_notifications": Expected(AGENTS),
    "notifications_read": Expected(AGENTS, POST),
    "notification_open": Expected(AGENTS, GET, "notification", only=""),
    "notification_read": Expected(AGENTS, POST, "notification", only=""),
    "stream": Expected(AGENTS),
}
