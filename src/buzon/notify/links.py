"""Where what a notification is about can be seen: the one place outside the pages that knows one of
their addresses. A test holds it against the pages' own table.
"""

from django.conf import settings

from buzon.notify.models import Notification

_OPEN = "/notifications/{pk}/open"


def address_of(notification: Notification) -> str:
    """The public address that marks it as read and leads on to the customer, the letter or the
    account; "" where this installation was not told its own (BUZON_PUBLIC_URL).
    """
    if not settings.BUZON_PUBLIC_URL:
        return ""
    return settings.BUZON_PUBLIC_URL.rstrip("/") + _OPEN.format(pk=notification.pk)
