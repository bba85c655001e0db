"""The DMARC verdict: only the account's own server, only its topmost field (DESIGN §9)."""

import pytest

from buzon.wire.reading import dmarc_verdict, read_header

OWN = "mx.tienda.example"


def verdict(*fields: str, server: str = OWN) -> str | None:
    header = "".join(f"Authentication-Results: {field}\r\n" for field in fields)
    return dmarc_verdict(read_header(f"{header}From: a@b.es\r\n\r\n".encode()), server)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (f"{OWN}; dmarc=pass header.from=b.es", "pass"),
        (f"{OWN}; dmarc=fail (p=reject) header.from=b.es", "fail"),
        (f"{OWN.upper()} 1; spf=pass; DMARC = Fail", "fail"),
        (f"(a comment) {OWN}; dmarc/1=pass", "pass"),
        (f"{OWN};\r\n\tspf=fail;\r\n\tdmarc=pass", "pass"),
        (f"{OWN}; dmarc=none", None),
        (f"{OWN}; dmarc=temperror", None),
        (f"{OWN}; dmarc=bestguesspass", None),
        (f"{OWN}; dmarc=pass; dmarc=fail", "fail"),
        (f"{OWN}; none", None),
        (f'{OWN}; spf=pass smtp.mailfrom="x; dmarc=pass"@b.es', None),
        (f"{OWN}; spf=pass (x; dmarc=pass)", None),
        (f"{OWN}; spf=pass (x; dmarc=pass", None),
        (f'{OWN}; spf=pass "x; dmarc=pass', None),
        (f"{OWN}; xdmarc=pass", None),
        (f"{OWN}.evil.example; dmarc=pass", None),
        ("spf=pass smtp.mailfrom=b.es; dmarc=pass", None),
        ("", None),
    ],
)
def test_one_field(field: str, expected: str | None) -> None:
    assert verdict(field) == expected


def test_a_field_below_the_topmost_is_the_senders() -> None:
    assert verdict(f"{OWN}; dmarc=fail", f"{OWN}; dmarc=pass") == "fail"
    assert verdict(f"{OWN}; spf=pass", f"{OWN}; dmarc=pass") is None
    assert verdict("other.example; dmarc=pass", f"{OWN}; dmarc=pass") is None


def test_no_trusted_server_means_no_verdict() -> None:
    assert verdict(f"{OWN}; dmarc=fail", server="") is None
    assert verdict(f"{OWN}; dmarc=fail", server="  ") is None
    assert verdict() is None
