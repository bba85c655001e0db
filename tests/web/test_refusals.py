"""The pages that say no."""

import pytest

from tests.web.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/me/status", "/sign-out"])
@pytest.mark.parametrize(
    ("language", "told"), [("en", "Only a button leads here"), ("es", "Aquí solo se llega")]
)
def test_the_address_of_a_button_says_so(
    cast: Cast, address: str, language: str, told: str
) -> None:
    answer = cast.browser(cast.ana, language=language).get(address)
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert told in answer.text
    assert told in cast.browser(language=language).get(address).text


def test_a_program_that_uses_another_method_is_only_refused(cast: Cast) -> None:
    answer = cast.browser(cast.ana).put("/letters/")
    assert answer.status_code == 405
    assert answer.content == b""
