"""Pure Python mail: IMAP, POP3 and the reading of messages. No Django, no settings, no database."""
