"""What the journeys share: the shop, set up once, and the moment at which all mail was written."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.journeys.mail import make_mail
from tests.journeys.shop import Shop, copy_of, set_up
from tests.journeys.specimens import Mail

_numbers = itertools.count(1)
SEED = 4711


@pytest.fixture(scope="session")
def first_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Never collected with: only copied."""
    return set_up(tmp_path_factory.mktemp("shop") / "data", number="first")


@pytest.fixture
def shop(first_shop: Shop, tmp_path: Path) -> Shop:
    """A shop with its customers, agents and group, and no account yet."""
    return copy_of(first_shop, tmp_path / "data", number=str(next(_numbers)))


@pytest.fixture(scope="session")
def mail() -> Mail:
    """Of this session's day, so that what is a week old is a week old."""
    return make_mail(SEED, datetime.now(UTC))
