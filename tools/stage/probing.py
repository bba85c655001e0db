"""What an address answers: a page that one can look at, something else, or nothing."""

import http.client
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlsplit

WITHIN = 10.0  # seconds
BEGINNING = b"<!doctype html"
NO_PAGE = (http.HTTPStatus.METHOD_NOT_ALLOWED, http.HTTPStatus.NO_CONTENT)


class Answer(StrEnum):
    """PAGE is a whole page; OTHER a redirect, a download, a stream, a part of a page, or what only
    takes forms; NOTHING is "not found"; FAULT any other refusal.
    """

    PAGE = "page"
    OTHER = "other"
    NOTHING = "nothing"
    FAULT = "fault"


def probe(base: str, path: str, cookies: Iterable[tuple[str, str]]) -> Answer:
    """Asked once, without following; a stream is left as soon as it has begun."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=WITHIN)
    header = "; ".join(f"{name}={value}" for name, value in cookies)
    try:
        connection.request("GET", path, headers={"Cookie": header} if header else {})
        response = connection.getresponse()
        return _judged(response)
    finally:
        connection.close()


def _judged(response: http.client.HTTPResponse) -> Answer:
    if response.status == http.HTTPStatus.NOT_FOUND:
        return Answer.NOTHING
    if response.status < http.HTTPStatus.BAD_REQUEST or response.status in NO_PAGE:
        return Answer.PAGE if _is_page(response) else Answer.OTHER
    return Answer.FAULT


def _is_page(response: http.client.HTTPResponse) -> bool:
    is_html = (response.headers.get("Content-Type") or "").startswith("text/html")
    if response.status != http.HTTPStatus.OK or not is_html:
        return False
    return response.read(200).lstrip().lower().startswith(BEGINNING)
