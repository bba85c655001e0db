"""The connection check and the preview, asked for from a page: only so often, because each knocks
at a server that the person has named, on a port that the person has named.
"""

from collections.abc import Callable

from buzon.desk.models import Organization
from buzon.intake.account_values import AccountError
from buzon.intake.check_step import Step
from buzon.web.limits import Limit, forgive, try_once

PER_ORGANIZATION = 30  # that failed, in a quarter of an hour


def check_within_limit(organization: Organization, check: Callable[[], list[Step]]) -> list[Step]:
    """The steps that `check` finds; one that works, or that asks no server, is not counted.

    Raises DeskError after too many that failed, and what `check` raises.
    """
    counted = try_once(Limit("connection check", str(organization.pk), PER_ORGANIZATION))
    try:
        steps = check()
    except AccountError:  # before any server was asked
        forgive(counted)
        raise
    if all(step.ok for step in steps):
        forgive(counted)
    return steps


def preview_within_limit(organization: Organization, begin: Callable[[], str]) -> str:
    """The name of the preview that `begin` has begun. Raises DeskError after too many, and what
    `begin` raises; that one asked no server, and is not counted.
    """
    counted = try_once(Limit("preview", str(organization.pk), PER_ORGANIZATION))
    try:
        return begin()
    except AccountError:
        forgive(counted)
        raise
