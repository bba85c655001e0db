"""The demonstration, and its small honest mail server. Imported by the wiring and tests alone."""
