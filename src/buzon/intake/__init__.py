"""Custody: accounts, folders, the ledger, collecting, settling, and the recipe (`process`)."""
