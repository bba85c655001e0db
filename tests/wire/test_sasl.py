"""The messages of a login, octet by octet."""

import base64

import pytest

from buzon.wire import sasl
from buzon.wire.endpoint import Credentials, Endpoint
from buzon.wire.errors import NotPermitted

PLACE = Endpoint(host="mail.example", port=993)
PASSWORD = Credentials(username="ana", secret="pass wörd")
TOKEN = Credentials(username="a=b,c", secret="tok", mechanism="oauth2")


def test_plain() -> None:
    assert sasl.initial_response("PLAIN", PASSWORD, PLACE) == "\0ana\0pass wörd".encode()


def test_xoauth2() -> None:
    message = sasl.initial_response("XOAUTH2", TOKEN, PLACE)
    assert message == b"user=a=b,c\x01auth=Bearer tok\x01\x01"


def test_oauthbearer_escapes_the_login() -> None:
    message = sasl.initial_response("OAUTHBEARER", TOKEN, PLACE)
    assert message == (
        b"n,a=a=3Db=2Cc,\x01host=mail.example\x01port=993\x01auth=Bearer tok\x01\x01"
    )


def test_an_unknown_mechanism_is_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="NTLM"):
        sasl.initial_response("NTLM", PASSWORD, PLACE)


@pytest.mark.parametrize("bad", ["a\r\nb", "a\0b", "a\x7fb", "a\x85b", "a\ud800b", "\x01"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "XOAUTH2", "OAUTHBEARER"])
def test_control_characters_are_refused_without_showing_the_secret(
    bad: str, mechanism: str
) -> None:
    for credentials, named in (
        (Credentials(username=bad, secret="s3cr3t"), "login"),
        (Credentials(username="ana", secret="s3cr3t" + bad), "secret"),
    ):
        with pytest.raises(NotPermitted, match=named) as refused:
            sasl.initial_response(mechanism, credentials, PLACE)
        assert "s3cr3t" not in str(refused.value)


def test_choosing() -> None:
    assert sasl.choose(PASSWORD, {"PLAIN", "LOGIN"}) == "PLAIN"
    assert sasl.choose(PASSWORD, {"LOGIN", "XOAUTH2"}) is None
    assert sasl.choose(TOKEN, {"XOAUTH2", "PLAIN"}) == "XOAUTH2"
    assert sasl.choose(TOKEN, {"XOAUTH2", "OAUTHBEARER"}) == "OAUTHBEARER"
    assert sasl.choose(TOKEN, {"PLAIN"}) is None


def test_answers_to_a_refusal() -> None:
    assert sasl.answer_to_refusal("OAUTHBEARER") == b"\x01"
    assert sasl.answer_to_refusal("XOAUTH2") == b""


@pytest.mark.parametrize(
    ("challenge", "shown"),
    [
        (b'{"status":"401","schemes":"bearer"}', "status 401, schemes bearer"),
        (b"[1]", "[1]"),
        (b"no json", "no json"),
        (b"[" * 100_000, "[" * 100_000),
        (b"", ""),
    ],
)
def test_the_error_challenge_is_shown(challenge: bytes, shown: str) -> None:
    assert sasl.refusal(base64.b64encode(challenge)) == shown


def test_a_challenge_that_is_not_base64_is_shown_as_it_is() -> None:
    assert sasl.refusal(b"not base64!") == "not base64!"
