"""`buzon doctor`: finds what is wrong, says what to do, changes nothing."""

from pathlib import Path
from typing import Any

from tests.config.conftest import Installation


def findings(installed: Installation, **settings: object) -> tuple[int, dict[str, dict[str, Any]]]:
    """Its exit status, and what it found by name; the wrong one where there are several."""
    import json

    ran = installed("doctor", "--json", **settings)
    assert ran.error == ""
    by_name: dict[str, dict[str, Any]] = {}
    for found in json.loads(ran.out):
        if by_name.get(found["name"], {"ok": True})["ok"]:
            by_name[found["name"]] = found
    return ran.status, by_name


def wrong(found: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, each in found.items() if not each["ok"]]


def test_a_sound_installation(installed: Installation) -> None:
    status, found = findings(installed)
    assert (status, wrong(found)) == (0, [])
    assert list(found) == [
        "data folder", "database", "tables", "keys", "clock", "leases", "due", "search",
        "copies by e-mail", "backup",
    ]  # fmt: skip
    shown = installed("doctor")
    assert shown.status == 0
    assert all(line.startswith("ok ") for line in shown.text.splitlines())


def test_no_installation(fresh: Installation) -> None:
    status, found = findings(fresh)
    assert (status, wrong(found)) == (1, ["data folder"])
    assert "buzon up" in found["data folder"]["remedy"]
    assert not fresh.folder.exists()


def test_an_empty_folder(fresh: Installation) -> None:
    fresh.folder.mkdir()
    status, found = findings(fresh)
    assert status == 1
    assert len(wrong(found)) == 1
    assert [path.name for path in fresh.folder.iterdir()] == []


def test_letters_that_cannot_be_found_by_words(installed: Installation) -> None:
    installed.python(
        "import django; django.setup()\n"
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "from buzon.desk.models import Message, SearchEntry\n"
        "from tests.desk import cast\n"
        "from tests.desk.search.entries import letter\n"
        "shop = cast.organization()\n"
        "letter(shop, 'botas'), letter(shop, 'botas')\n"
        "Message.objects.update(received_at=timezone.now() - timedelta(hours=1))\n"
        "last = SearchEntry.objects.latest('id')\n"
        "SearchEntry.objects.filter(pk=last.pk).update(waits=True)\n"
    )
    status, found = findings(installed)
    assert (status, wrong(found)) == (1, ["search"])
    assert found["search"]["detail"] == "1 letter cannot be found by words yet."


def test_keys_that_are_not_those_of_the_secrets(installed: Installation, password: Path) -> None:
    add = ["--host", "localhost", "--username", "u", "--password-file", password]
    installed("account", "add", "sales", *add)
    status, found = findings(installed, BUZON_KEYS="other:" + "B" * 43 + "=")
    assert (status, wrong(found)) == (1, ["keys"])
    assert found["keys"]["detail"].startswith("sales: ")
    keys = installed.folder / "keys"
    keys.chmod(0o644)
    _, found = findings(installed)
    assert wrong(found) == ["keys"]
    keys.unlink()
    _, found = findings(installed)
    assert wrong(found) == ["keys"]
    assert not keys.exists()


def test_what_needs_a_person(installed: Installation, password: Path) -> None:
    add = ["--host", "localhost", "--username", "u", "--password-file", password]
    installed("account", "add", "sales", *add)
    installed.python(
        "import django; django.setup()\n"
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "from buzon.intake.models import CollectionAccount, Duty\n"
        "from buzon.desk.models import Event, Organization\n"
        "long_ago = timezone.now() - timedelta(hours=2)\n"
        "Duty.objects.update(due_at=long_ago)\n"
        "CollectionAccount.objects.update(state='rejected')\n"
        "Event.objects.create(organization=Organization.objects.get(), kind='account_failed')\n"
        "Event.objects.update(at=long_ago)\n"
    )
    status, found = findings(installed, BUZON_SMTP_URL="smtp://localhost")
    assert status == 1
    assert wrong(found) == ["due", "events", "copies by e-mail", "account"]
    assert "buzon up" in found["due"]["remedy"]
    assert "1 readings" in found["due"]["detail"]  # of accounts, not of messages
    assert "buzon account check sales" in found["account"]["remedy"]
    assert "BUZON_MAIL_FROM" in found["copies by e-mail"]["detail"]


def test_an_account_that_asks_and_messages_that_failed(
    installed: Installation, password: Path
) -> None:
    add = ["--host", "localhost", "--username", "u", "--password-file", password]
    installed("account", "add", "the sales", *add)
    installed.python(
        "import django; django.setup()\n"
        "from buzon.intake.models import Arrival, CollectionAccount\n"
        "account = CollectionAccount.objects.get()\n"
        "CollectionAccount.objects.update(state='stopped')\n"
        "Arrival.objects.create(organization=account.organization, account=account,"
        " folder=account.folders.get(), uidvalidity=1, uid=1, outcome='failed')\n"
    )
    _, found = findings(installed)
    assert "buzon account resume 'the sales'" in found["account"]["remedy"]
    assert "1 message failed." in found["messages"]["detail"]
    assert "buzon retry --all" in found["messages"]["remedy"]


def test_what_waits_in_a_suspended_organization_is_not_late(installed: Installation) -> None:
    installed.python(
        "import django; django.setup()\n"
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "from buzon.desk.models import Event, Organization\n"
        "from buzon.desk.organizations import suspend_organization\n"
        "shop = Organization.objects.get()\n"
        "Event.objects.create(organization=shop, kind='account_failed')\n"
        "Event.objects.update(at=timezone.now() - timedelta(hours=2))\n"
        "suspend_organization(shop)\n"
    )
    status, found = findings(installed)
    assert (status, wrong(found)) == (0, [])


def test_only_one_organization(installed: Installation) -> None:
    assert installed("doctor", "--organization", "My shop").status == 0
    assert "'Nobody'" in installed("doctor", "--organization", "Nobody").sentence()
