"""Mail servers for tests: a real Dovecot, and servers that play a script."""
