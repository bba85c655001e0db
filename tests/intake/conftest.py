"""What the tests of intake share."""

import pytest

from buzon.desk.models import Organization


@pytest.fixture
def shop(db: None) -> Organization:
    """An organization with nothing in it yet."""
    return Organization.objects.create(name="Shop")
