"""What every test may use. Servers are real, or speak the protocol."""

import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.servers.fixtures", "tests.database"]


@pytest.fixture(autouse=True)
def umask_of_before() -> Iterator[None]:
    """Opening an installation sets this process's umask, which no other test is to inherit."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
