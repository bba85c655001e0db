"""The people that every page test may meet."""

import pytest
from pytest_django.fixtures import Settings

from buzon.intake.models import CollectionAccount
from tests.web.cast import Cast, make_cast
from tests.web.letters import account_of


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """A hash that is slow on purpose is not what these tests are about."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def account(cast: Cast) -> CollectionAccount:
    """One whose new customers go to Ana and Luis."""
    return account_of(cast.shop, group=cast.group)
