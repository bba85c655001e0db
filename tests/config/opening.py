"""What the processes of the installation tests do: `python -m tests.config.opening VERB …`.

As the command does, an InstallationError is a sentence on stderr and exit status 2.
"""

import json
import sys
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from buzon.config.installation import (  # noqa: E402
    InstallationError,
    open_installation,
)
from buzon.desk.models import Event, Organization, User  # noqa: E402
from buzon.intake.accounts import add_account  # noqa: E402
from buzon.notify.models import Notification  # noqa: E402


def first(**options: Any) -> None:
    made = open_installation(create=True, **({"administrator": "admin@localhost"} | options))
    say(made and [made.organization, made.email, made.password])


def first_named(organization: str, administrator: str) -> None:
    first(organization=organization, administrator=administrator)


def without_people() -> None:
    first(organization=None)


def upgraded() -> None:
    first(upgrade=True)


def only_open() -> None:
    assert open_installation(create=False) is None


def look() -> None:
    people = User.objects.values_list("email", "role")
    organizations = Organization.objects.values_list("name", "language")
    say({"people": list(people), "organizations": list(organizations)})


def signs_in(email: str, password: str) -> None:
    say(User.objects.get(email=email).check_password(password))


def hold_a_secret(port: str = "1", host: str = "127.0.0.1") -> None:
    add_account(
        Organization.objects.get(),
        name="info",
        host=host,
        port=int(port),
        security="none",
        username="info@shop.example",
        secret="the-secret",
        create_customer=True,
        poll_seconds=1.0,
    )


def told() -> None:
    events = Event.objects.order_by("pk").values_list("kind", flat=True)
    say({"events": list(events), "notifications": Notification.objects.count()})


def from_the_future() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('desk', '9999_future', '2030-01-01')"
        )


def from_the_past() -> None:
    call_command("migrate", "notify", "zero", verbosity=0)


def up(administrator: str | None = None) -> None:
    from buzon.config.up import run

    sys.exit(run(administrator=administrator))


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]](*sys.argv[2:])
    except InstallationError as error:
        print(error.sentence, file=sys.stderr)
        sys.exit(2)
    finally:
        connections.close_all()
