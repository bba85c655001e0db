"""The form in which letters are written: whoever adds one and slips is told where."""

import pytest

from buzon.demo.shop.book import BookError, read

WRITTEN = """to: pedidos
language: es
### one
from: Eva <eva@casa.example>
subject: Hola: dos puntos
days: 2.5
files: a.png b.pdf
field: X-One: 1
field: X-Two: a: b

Hola.

### two
from: Luis <luis@casa.example>
to: hello workshop
language: en
after: one
quote: no

Bye. # not a key: nor a comment
"""


def test_a_file_is_read_as_its_table_says() -> None:
    one, two = read(WRITTEN, of="a.txt")
    assert (one.name, one.to, one.language, one.subject) == (
        "one", ("pedidos",), "es", "Hola: dos puntos",
    )  # fmt: skip
    assert (one.days, one.files, one.text) == (2.5, ("a.png", "b.pdf"), "Hola.")
    assert one.fields == (("X-One", "1"), ("X-Two", "a: b"))
    assert (two.to, two.language) == (("hello", "workshop"), "en")
    assert (two.after, two.quotes) == ("one", False)
    assert two.text == "Bye. # not a key: nor a comment"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("days: 2.5", "dyas: 2.5", "a.txt, one: 'dyas: 2.5' is none of from"),
        ("from: Eva <eva@casa.example>\n", "", "a.txt, one: a letter has a sender"),
        ("Hola.\n", "", "a.txt, one: a letter has a sender"),
        ("to: pedidos\n", "", "a.txt, one: a letter has a sender, a mailbox and a text"),
    ],
)
def test_a_slip_is_told_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(BookError, match=told):
        read(WRITTEN.replace(old, new, 1), of="a.txt")
