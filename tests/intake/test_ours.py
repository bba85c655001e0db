"""Mail of our own: the installation's address however it is written, and notifications anywhere."""

import pytest
from pytest_django import Settings

from buzon.desk.models import Message, SentLetter
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, outcomes, rows, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


@BOTH
@pytest.mark.parametrize("written", ["buzon@here.example", "Buzón <Buzon@HERE.example>"])
def test_the_installations_own_address_is_ignored(
    protocol: str, written: str, settings: Settings
) -> None:
    settings.BUZON_MAIL_FROM = written
    with scene(protocol) as at:
        at.deliver("buzon@here.example")
        account = at.account()
        collect(account)
        assert outcomes(account) == {"ignored": 1}
        assert rows(account)[0].reason["code"] == "our_own_address"


def test_a_notification_in_a_sent_folder_is_not_filed_even_if_its_reader_is_a_customer() -> None:
    """Some servers file what is sent through them in the folder of sent mail."""
    with scene() as at:
        sent = at.box.login.add_folder("Sent", special_use="\\Sent")
        at.customer()
        letter = at.letter("buzon@here.example", to=KNOWN)
        sent.deliver(letter)
        message_id = next(line for line in letter.decode().split("\r\n") if "Message-ID" in line)
        SentLetter.objects.create(
            organization=at.organization,
            message_id=message_id.partition(" ")[2],
            purpose="notification",
        )
        account = at.account(sent_folders=["Sent"])
        collect(account)
        assert outcomes(account) == {"ignored": 1}
        assert rows(account)[0].reason["code"] == "our_notification"
        assert not Message.objects.exists()
