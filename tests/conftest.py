"""What every test may use. Servers are real, or speak the protocol."""

pytest_plugins = ["tests.servers.fixtures", "tests.database"]
