"""Through the pages of a stage, one after the other, as one person."""

from collections.abc import Iterator
from typing import NamedTuple

from playwright.sync_api import Page
from tools.stage import Stage

OK = 200


class Loaded(NamedTuple):
    """A page as it is loaded now; `octets` is what came over the wire for it."""

    name: str
    octets: int


ALL = slice(None)


def walk(
    page: Page, stage: Stage, who: str, *, but: str = "", part: slice = ALL
) -> Iterator[Loaded]:
    """Loads each page; the test looks at it in between. Left out are URLs that `but` has too;
    `part` is for tests that share a long way.
    """
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    transferred = [0]

    def count(finished: dict[str, float]) -> None:
        transferred[0] += int(finished["encodedDataLength"])

    session.on("Network.loadingFinished", count)
    known = {one.name.split("-")[0] for one in stage.pages(but)} if but else set()
    pages = [one for one in stage.pages(who) if one.name.split("-")[0] not in known]
    assert pages, f"there is no page for {who}"
    for one in pages[part]:
        transferred[0] = 0
        response = page.goto(one.url)
        assert response is not None
        assert response.status == OK, f"{one.name} {one.url}: {response.status}"
        yield Loaded(one.name, transferred[0])
