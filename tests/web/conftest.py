"""The people that every page test may meet."""

import pytest
from pytest_django.fixtures import Settings

from tests.web.cast import Cast, make_cast


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """A hash that is slow on purpose is not what these tests are about."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()
