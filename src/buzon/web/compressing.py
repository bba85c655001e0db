"""Style sheets and scripts go out compressed: the first page is small on a slow line too.

Pages do not: what is secret on a page, beside what a stranger may have put into its address, could
be guessed from how well both compress together (BREACH).
"""

import gzip
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

_OK = 200
_WORTH_IT = ("text/", "image/svg+xml", "application/javascript")


class Compressed:
    """Middleware around the one that answers with static files, which is asynchronous too."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self._get_response(request)
        if not request.path_info.startswith(settings.STATIC_URL) or not _is_worth_it(response):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if request.method != "GET" or not _is_understood(request):
            return response
        return _in_one(response, _packed(await _octets(response)))


def _is_worth_it(response: HttpResponseBase) -> bool:
    kind = response.headers.get("Content-Type", "")
    return response.status_code == _OK and kind.startswith(_WORTH_IT)


def _is_understood(request: HttpRequest) -> bool:
    """Whether this browser takes gzip (RFC 9110, 12.5.3)."""
    codings = request.headers.get("Accept-Encoding", "").replace(" ", "").lower().split(",")
    return any(one == "gzip" or (one.startswith("gzip;") and one[5:] != "q=0") for one in codings)


async def _octets(response: HttpResponseBase) -> bytes:
    chunks: AsyncIterator[bytes] = response  # type: ignore[assignment]  # a file's, in chunks
    octets = b"".join([chunk async for chunk in chunks])
    response.close()
    return octets


@lru_cache(maxsize=64)
def _packed(octets: bytes) -> bytes:
    """Once for each file and version; our files are few and small."""
    return gzip.compress(octets, mtime=0)


def _in_one(response: HttpResponseBase, packed: bytes) -> HttpResponse:
    answer = HttpResponse(packed, headers=dict(response.headers))
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(packed))
    del answer.headers["ETag"]  # it is of the octets as they are in the file
    return answer
