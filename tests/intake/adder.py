"""A process of its own that adds collection accounts: `prepare N`, or `add NAME` when told to."""

import sys

import django

django.setup()

from buzon.desk.models import Organization  # noqa: E402
from buzon.intake.accounts import AccountError, add_account  # noqa: E402
from buzon.intake.models import CollectionAccount  # noqa: E402


def main(verb: str, argument: str) -> None:
    if verb == "prepare":
        shop = Organization.objects.create(name="Shop")
        for number in range(int(argument)):
            _add(shop, f"a{number}")
    elif verb == "add":
        shop = Organization.objects.get()
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            _add(shop, argument)
        except AccountError as error:
            print(error.sentence)
        else:
            print("added")
    else:
        print(CollectionAccount.objects.count())


def _add(shop: Organization, name: str) -> None:
    add_account(shop, name=name, host="imap.example.com", username="ana", secret="s3cret")


main(*sys.argv[1:])
