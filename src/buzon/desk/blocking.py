"""Senders and domains whose mail is ignored."""

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from buzon.desk.addresses import fold, fold_domain
from buzon.desk.errors import DeskError
from buzon.desk.models import BlockedSender, Organization


def block_sender(organization: Organization, written: str) -> BlockedSender:
    """Ignore mail of this address ("ana@example.com") or domain ("@example.com", "example.com").

    What is blocked already stays so. Raises DeskError for what is neither.
    """
    blocked, _made = BlockedSender.objects.get_or_create(
        organization=organization, pattern=_pattern(written)
    )
    return blocked


def unblock_sender(organization: Organization, written: str) -> None:
    """Raises DeskError where it was not blocked."""
    pattern = _pattern(written)
    rows = BlockedSender.objects.filter(organization=organization, pattern=pattern)
    if not rows.delete()[0]:
        raise DeskError(_("{pattern} is not blocked.").format(pattern=pattern), field="written")


def blocked_senders(organization: Organization) -> "QuerySet[BlockedSender]":
    """All that is blocked, whole domains first."""
    return BlockedSender.objects.filter(organization=organization).order_by("pattern")


def blocked_among(organization_id: int, folded: Collection[str]) -> set[str]:
    """Which of these folded addresses are blocked, themselves or by their domain. One query."""
    domains = {one: "@" + one.rpartition("@")[2] for one in folded if one}
    patterns = BlockedSender.objects.filter(
        organization_id=organization_id, pattern__in={*domains, *domains.values()}
    )
    held = set(patterns.values_list("pattern", flat=True))
    return {one for one, domain in domains.items() if one in held or domain in held}


def _pattern(written: str) -> str:
    address, _at, domain = written.strip().rpartition("@")
    folded_domain = fold_domain(domain)
    pattern = fold(written) if address else folded_domain and f"@{folded_domain}"
    if not pattern or len(pattern) > 400:
        told = _("{written!r} is neither an e-mail address nor a domain.")
        raise DeskError(told.format(written=written.strip()[:100]), field="written")
    return pattern
