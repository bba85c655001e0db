"""IMAP: a sans-IO core, and the blocking session that collects."""
