"""When two addresses are the same: ASCII case, IDNA, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.desk.addresses import LONGEST, base_of, fold, fold_all, fold_domain


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("  ana@example.com\r\n", "ana@example.com"),
        ("ANA@TIENDA.ÑANDÚ.es", "ana@tienda.xn--and-6ma2c.es"),
        ("ana@XN--AND-6MA2C.es", "ana@xn--and-6ma2c.es"),
        ("ana@straße.de", "ana@xn--strae-oqa.de"),
        ("ana@例え.jp", "ana@xn--r8jz45g.jp"),
        ("ana@💩.la", "ana@xn--ls8h.la"),
        ("ÁNA@example.com", "Ána@example.com"),  # beyond ASCII nothing is folded
        ("İ@example.com", "İ@example.com"),
        ("a.na+x@gmail.com", "a.na+x@gmail.com"),
        ('"Ana B"@example.com', '"ana b"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("ana..b.@docomo.example", "ana..b.@docomo.example"),
        ("root@localhost", "root@localhost"),
        ("ana@[192.0.2.1]", "ana@[192.0.2.1]"),
        ("ana@[IPv6:2001:DB8::1]", "ana@[ipv6:2001:db8::1]"),
        ("ana@my_host.example", "ana@my_host.example"),
        ("o'hara/x=y@example.com", "o'hara/x=y@example.com"),
    ],
)
def test_addresses_are_compared_in_this_form(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    "written",
    [
        "", "@", "ana", "ana@", "@example.com", "a b@example.com", "a@b@example.com",
        "Ana <ana@example.com>", "ana@example..com", "ana@.com", "ana@example.com.",
        "ana@exa mple.com", "ana,eva@example.com", "ana@-a.com", "a\x00b@example.com",
        "a\udcffb@example.com", "ana@\udcff.com", "a\ufffd@example.com", "ana@a\ufffd.com",
        '"ana@example.com', '""@example.com', "a" * LONGEST + "@example.com",
        "ana@" + "ñ" * LONGEST, "ana@" + "ñ" * 100 + ".com", "ana@\n.com", "ana@[]",
    ],
)  # fmt: skip
def test_what_is_no_address_has_no_form(written: str) -> None:
    assert fold(written) == ""


@pytest.mark.parametrize(
    ("written", "rules", "folded"),
    [
        ("A.N.A+shop@gmail.com", {"dots": True}, "ana+shop@gmail.com"),
        ("a.na+shop@gmail.com", {"plus": True}, "a.na@gmail.com"),
        ("a.na+shop+x@googlemail.com", {"dots": True, "plus": True}, "ana@googlemail.com"),
        ("a.na@example.com", {"dots": True}, "a.na@example.com"),
        ("a.na+shop@example.com", {"plus": True}, "a.na@example.com"),
        ("+34600@example.com", {"plus": True}, "+34600@example.com"),
        ("...@gmail.com", {"dots": True}, "...@gmail.com"),
        ('"a.b+c"@gmail.com', {"dots": True, "plus": True}, '"a.b+c"@gmail.com'),
    ],
)
def test_provider_rules_on_top(written: str, rules: dict[str, bool], folded: str) -> None:
    assert fold(written, **rules) == folded


@given(st.text())
def test_any_text_is_folded_or_refused(text: str) -> None:
    for written in (text, f"{text}@example.com", f"ana@{text}"):
        folded = fold(written)
        assert fold(folded) == folded
        assert len(folded) <= LONGEST
        assert bool(base_of(folded)) == bool(folded)
        assert not folded or folded.count("@") >= 1


def test_fold_all_keeps_the_order_and_drops_doubles() -> None:
    assert fold_all(["B@x.es", "", "a@x.es", "b@X.es", "no"]) == ["b@x.es", "a@x.es"]


def test_domains_alone() -> None:
    assert fold_domain("Example.COM") == "example.com"
    assert fold_domain("") == ""
