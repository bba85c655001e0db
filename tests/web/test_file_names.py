"""Names of attached files: nothing that a path, a shell or an eye could be deceived by is left."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.web.file_names import LONGEST, file_name


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("factura.pdf", "factura.pdf"),
        ("Factura año 2026.pdf", "Factura año 2026.pdf"),
        ("../../etc/passwd", "etc_passwd"),
        ("C:\\Windows\\system.ini", "C_Windows_system.ini"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("\u2066a\u2069\u200f.txt", "a.txt"),
        ("a\u200b\u00adb\ufeff.txt", "ab.txt"),
        ("a\r\nSet-Cookie: x.txt", "a Set-Cookie_ x.txt"),
        ("nul\x00.txt", "_nul.txt"),
        ("CON", "_CON"),
        ("com1.txt", "_com1.txt"),
        (".htaccess", "htaccess"),
        ("…", "…"),
        ("   ", ""),
        ("../..", ""),
        ("", ""),
        ("\udc80.txt", "txt"),
        ("n\u0303.txt", "ñ.txt"),
    ],
)
def test_what_is_shown_is_harmless(written: str, shown: str) -> None:
    assert file_name(written) == shown


def test_a_missing_extension_is_told_by_the_type() -> None:
    assert file_name("foto", "image/png") == "foto.png"
    assert file_name("foto", "no/such") == "foto"


def test_a_long_name_keeps_its_extension() -> None:
    name = file_name("a" * 500 + ".pdf")
    assert len(name) == LONGEST
    assert name.endswith(".pdf")


@given(st.text(max_size=300))
def test_any_text_makes_a_name_or_none(written: str) -> None:
    name = file_name(written)
    assert len(name) <= LONGEST + 1
    assert not set(name) & set('\\/:*?"<>|')
    assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs") for one in name)
    assert file_name(name) == name
