"""Adds or changes several accounts in one process: `python -m tests.bad_input.accounts`.

Standard input is a JSON list of objects with the accounts' fields. The command would need a process
for each of them; it is tested with its flags elsewhere.
"""

import json
import sys

import django

django.setup()

from buzon.desk.models import Organization  # noqa: E402
from buzon.intake.accounts import add_account, change_account  # noqa: E402
from buzon.intake.models import CollectionAccount  # noqa: E402


def main() -> None:
    shop = Organization.objects.get()
    for fields in json.load(sys.stdin):
        held = CollectionAccount.objects.filter(name=fields["name"]).first()
        if held is None:
            add_account(shop, **fields)
        else:
            change_account(held, **fields)


main()
