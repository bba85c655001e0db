"""Wiring: the settings, and the `buzon` command. Imported by nobody."""
