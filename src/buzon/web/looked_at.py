"""Whether somebody has a page before the eyes: only then was something read."""

from django.http import HttpRequest


def is_looked_at(request: HttpRequest) -> bool:
    """As far as the browser tells: not what it loads ahead, in case it is asked for, nor what it
    loads into something that nobody sees (fetch metadata, which is not sent over plain HTTP).
    """
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" not in purpose and request.headers.get("Sec-Fetch-Dest") in (None, "document")
