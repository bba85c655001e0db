"""ENVELOPE and BODYSTRUCTURE of a message (RFC 9051, 7.5.2)."""

from email.utils import getaddresses

from buzon.demo.server.imap_grammar import quoted, quoted_or_nil
from buzon.demo.server.mime import Part, parameters_of, whole


def envelope(octets: bytes) -> bytes:
    """The ENVELOPE of a message."""
    return _envelope(whole(octets))


def structure(octets: bytes, *, extended: bool) -> bytes:
    """The BODYSTRUCTURE or, not `extended`, the BODY of a message."""
    return _structure(whole(octets), extended=extended)


def _envelope(message: Part) -> bytes:
    fields = message.fields
    sender = fields.get("from")
    people = [sender, fields.get("sender") or sender, fields.get("reply-to") or sender]
    people += [fields.get("to"), fields.get("cc"), fields.get("bcc")]
    items = [
        quoted_or_nil(fields.get("date")),
        quoted_or_nil(fields.get("subject")),
        *(_addresses(value) for value in people),
        quoted_or_nil(fields.get("in-reply-to")),
        quoted_or_nil(fields.get("message-id")),
    ]
    return b"(%b)" % b" ".join(items)


def _addresses(value: str | None) -> bytes:
    found = [_address(name, address) for name, address in getaddresses([value] if value else [])]
    return b"(%b)" % b"".join(found) if found else b"NIL"


def _address(name: str, address: str) -> bytes:
    local, _, domain = address.rpartition("@")
    local, host = (local, domain) if local else (domain, "")
    items = (quoted_or_nil(name or None), b"NIL", quoted(local), quoted(host))
    return b"(%b)" % b" ".join(items)


def _structure(part: Part, *, extended: bool) -> bytes:
    if part.children:
        return _multipart(part, extended=extended)
    main, sub = part.content_type
    if main == "multipart":
        main, sub = "text", "plain"  # without parts it is a text to whoever reads it
    fields = part.fields
    items = [quoted(main), quoted(sub), _parameters(_parameters_shown(part, main))]
    items += [quoted_or_nil(fields.get("content-id"))]
    items += [quoted_or_nil(fields.get("content-description"))]
    items += [quoted(fields.get("content-transfer-encoding") or "7bit")]
    items += [b"%d" % (part.end - part.body)]
    lines = b"%d" % part.body_octets.count(b"\n")
    if part.message:
        inner = _structure(part.message, extended=extended)
        items += [_envelope(part.message), inner, lines]
    elif main == "text":
        items += [lines]
    if extended:
        items += [quoted_or_nil(fields.get("content-md5")), *_extension(part)]
    return b"(%b)" % b" ".join(items)


def _parameters_shown(part: Part, main: str) -> dict[str, str]:
    if main == "text" and "content-type" not in part.fields:
        return {"charset": "us-ascii"}  # what a text without a type is (RFC 2045, 5.2)
    return part.parameters


def _multipart(part: Part, *, extended: bool) -> bytes:
    children = b"".join(_structure(child, extended=extended) for child in part.children)
    items = [quoted(part.content_type[1])]
    if extended:
        items += [_parameters(part.parameters), *_extension(part)]
    return b"(%b %b)" % (children, b" ".join(items))


def _extension(part: Part) -> list[bytes]:
    """Disposition, language and location."""
    value = part.fields.get("content-disposition", "")
    kind = value.partition(";")[0].strip()
    told = b"(%b %b)" % (quoted(kind), _parameters(parameters_of(value))) if kind else b"NIL"
    language = quoted_or_nil(part.fields.get("content-language"))
    return [told, language, quoted_or_nil(part.fields.get("content-location"))]


def _parameters(parameters: dict[str, str]) -> bytes:
    pairs = [quoted(name) + b" " + quoted(value) for name, value in parameters.items()]
    return b"(%b)" % b" ".join(pairs) if pairs else b"NIL"
