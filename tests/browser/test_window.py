"""The windows of these tests hear what goes wrong in them: else no test would."""

from urllib.parse import urlsplit

import pytest

from tests.browser.window import StageWindows

STYLE = "document.head.append(Object.assign(document.createElement('style'), {textContent: 'p{}'}))"


@pytest.mark.parametrize(
    ("provoked", "heard"),
    [
        ("console.error('broken')", "error: broken"),
        ("console.warn('doubtful')", "warning: doubtful"),
        ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
        ("fetch('/this-page-does-not-exist')", "404"),
        (STYLE, "Content Security Policy"),
    ],
)
def test_a_page_that_complains_is_heard(windows: StageWindows, provoked: str, heard: str) -> None:
    page = windows.open()
    page.goto("/sign-in")
    page.evaluate(f"() => {{ {provoked} }}")
    page.wait_for_timeout(300)
    assert heard in "\n".join(windows.complaints)
    windows.forgive(heard)


def test_another_host_is_not_asked_unheard(windows: StageWindows) -> None:
    port = urlsplit(windows.stage.url).port
    page = windows.open()
    page.goto(f"http://localhost:{port}/sign-in")
    assert any(one.startswith("asks another host") for one in windows.complaints)
    windows.forgive("asks another host")


def test_who_closes_windows_with_complaints_is_told(windows: StageWindows) -> None:
    page = windows.open()
    page.goto("/sign-in")
    page.evaluate("console.error('broken')")
    with pytest.raises(AssertionError, match="broken"):
        windows.close()
    windows.forgive("broken")
