"""The tables of the desk: who the shop is, whom it serves, and what was written."""

from buzon.desk.models.blocked import BlockedSender
from buzon.desk.models.conversation import Conversation, Message, Reference
from buzon.desk.models.customer import Assignment, Customer, CustomerAddress
from buzon.desk.models.event import Event
from buzon.desk.models.organization import Organization, Store
from buzon.desk.models.people import Agent, AgentGroup, Membership, User
from buzon.desk.models.search_entry import SearchEntry
from buzon.desk.models.sent_letter import SentLetter

__all__ = [
    "Agent",
    "AgentGroup",
    "Assignment",
    "BlockedSender",
    "Conversation",
    "Customer",
    "CustomerAddress",
    "Event",
    "Membership",
    "Message",
    "Organization",
    "Reference",
    "SearchEntry",
    "SentLetter",
    "Store",
    "User",
]
