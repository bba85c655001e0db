"""Other programs that take mail from a server, each with its usual settings."""
