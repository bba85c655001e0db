"""The letters as they were written: text files in `letters/`, which a person can add to.

    to: pedidos                      a file's own defaults: for every letter below
    language: es
    ### lost-1                       a letter begins, with a name of its own
    from: Eva Ruiz <eva@casa.example>
    subject: My parcel
                                     an empty line, then the text: one line for each paragraph
    It has not arrived.

| key | meaning | without it |
|---|---|---|
| from | who writes; in `coming-*.txt` also `new` (a new customer) or `old` (one who wrote before) | needed |
| subject | of the letter | the earlier letter's, with "Re: " |
| to | the mailboxes that it arrives in, by their names in `places.py` | the file's |
| after | the letter that it answers, by name, and quotes below; in `coming-*.txt` `any` | none |
| quote | `no`: it answers, but quotes nothing | quoted |
| days | its age in days | chosen, spread over three months |
| shape | what kind of MIME it is made into: the names in `shapes.py` | plain |
| files | attachments, made by the endings of their names (`files.py`) | none |
| field | a field of the header, as it is; an empty value leaves out one of ours; may be repeated | ours |
| dmarc | what the shop's own server found: pass, fail or none | pass |
| kind | what Buzón has to make of it: person, auto_reply, bounce, list, bulk | person |
| folder | `Sent` for a letter from the shop | INBOX |

Letters that come while the demonstration runs (`coming-*.txt`) may hold blanks that are filled in
anew each time: {order} {item} {amount} {town} {weekday} {name} {phone}.
"""  # noqa: E501 (a table has one line for each row)

from dataclasses import dataclass, field
from importlib import resources

_KEYS = (
    "from", "subject", "to", "language", "after", "quote", "days", "shape", "files", "field",
    "dmarc", "kind", "folder",
)  # fmt: skip
_BEGINS = "### "


class BookError(Exception):
    """A letter's entry makes no sense; the text says in which file, where, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One letter as it was written; `book.py`'s table says what each value means."""

    name: str
    sender: str
    text: str
    language: str
    to: tuple[str, ...]
    subject: str = ""
    after: str = ""
    quotes: bool = True
    days: float | None = None
    shape: str = "plain"
    files: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = field(default=())
    dmarc: str = "pass"
    kind: str = "person"
    folder: str = "INBOX"


def read_all(beginning: str) -> list[Entry]:
    """The letters of every file whose name begins so, in order of the files. Raises BookError."""
    folder = resources.files("buzon.demo.shop") / "letters"
    files = sorted((one for one in folder.iterdir()), key=lambda one: one.name)
    chosen = [one for one in files if one.name.startswith(beginning) and one.name.endswith(".txt")]
    found = [entry for one in chosen for entry in read(one.read_text("utf-8"), of=one.name)]
    names = [entry.name for entry in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BookError(f"{beginning}*: there are two letters {twice[0]!r}.")
    return found


def read(written: str, *, of: str) -> list[Entry]:
    """The letters of one file's text; `of` is its name, for errors. Raises BookError."""
    head, *letters = ("\n" + written).split("\n" + _BEGINS)
    defaults, _ = _pairs(head.strip().splitlines(), of)
    return [_entry(defaults, letter, of) for letter in letters]


def _entry(defaults: dict[str, str], letter: str, of: str) -> Entry:
    name, _, rest = letter.partition("\n")
    head, _, text = rest.partition("\n\n")
    where = f"{of}, {name.strip()}"
    own, fields = _pairs(head.splitlines(), where)
    said = defaults | own
    if not said.get("from") or not said.get("to") or not text.strip():
        raise BookError(f"{where}: a letter has a sender, a mailbox and a text.")
    return Entry(
        name=name.strip(),
        sender=said["from"],
        text=text.strip(),
        language=said.get("language", "en"),
        to=tuple(said["to"].split()),
        subject=said.get("subject", ""),
        after=said.get("after", ""),
        quotes=said.get("quote") != "no",
        days=float(said["days"]) if "days" in said else None,
        shape=said.get("shape", "plain"),
        files=tuple(said.get("files", "").split()),
        fields=fields,
        dmarc=said.get("dmarc", "pass"),
        kind=said.get("kind", "person"),
        folder=said.get("folder", "INBOX"),
    )


def _pairs(lines: list[str], where: str) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The keys with their values, and the header fields apart, because they may be repeated."""
    said: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon or key not in _KEYS:
            raise BookError(f"{where}: {line!r} is none of {', '.join(_KEYS)}.")
        if key == "field":
            name, _, content = value.strip().partition(":")
            fields.append((name, content.strip()))
        else:
            said[key] = value.strip()
    return said, tuple(fields)
