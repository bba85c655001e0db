"""When two e-mail addresses are the same: ASCII case folded, the domain in its IDNA form.

Nothing else is folded, because a wrong match shows one person's mail to another. The rules of
some providers (dots, +tags) come on top only where the administrator turned them on.
"""

import functools
import re
from collections.abc import Iterable

import idna

LONGEST = 400  # characters; what RFC 5321 allows (64 + 1 + 255), and room for those who exceed it

_ASCII_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
# Quoted local parts may hold what plain ones may not (RFC 5321, 4.1.2).
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])+"')
_PLAIN = re.compile(r'[^\s<>()\[\],;:"\\@\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]+')
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")  # RFC 1035, 2.3.4
_LITERAL = re.compile(r"\[[0-9a-z.:-]+\]")  # RFC 5321, 4.1.3
# Providers that deliver "ana.b" and "anab" to the same person.
_DOTS_MEAN_NOTHING = frozenset({"gmail.com", "googlemail.com"})


@functools.lru_cache(maxsize=8192)
def fold(address: str, *, dots: bool = False, plus: bool = False) -> str:
    """The form in which addresses are compared; "" if it is no address.

    `dots`: at the providers that ignore dots in the local part, take them away. `plus`: take a
    "+tag" away (RFC 5233). Without them nothing is folded but ASCII case and the domain's form.
    """
    local, at, domain = address.strip(" \t\r\n").rpartition("@")
    if not at or not (_PLAIN.fullmatch(local) or _QUOTED.fullmatch(local)):
        return ""
    folded_domain = fold_domain(domain)
    folded_local = _by_provider(local.translate(_ASCII_UPPER), folded_domain, dots=dots, plus=plus)
    folded = f"{folded_local}@{folded_domain}"
    return folded if folded_domain and len(folded) <= LONGEST >= len(address) else ""


def base_of(folded: str) -> str:
    """The form under which an address is found by whichever provider rules are turned on."""
    return fold(folded, dots=True, plus=True)


def fold_all(addresses: Iterable[str]) -> list[str]:
    """The folded forms in their order, each once, without what is no address."""
    return list(dict.fromkeys(folded for folded in map(fold, addresses) if folded))


@functools.lru_cache(maxsize=8192)
def fold_domain(domain: str) -> str:
    """The domain in lower case and in A-labels (RFC 5890); "" if it is none."""
    if domain.isascii():
        return _sound(domain.translate(_ASCII_UPPER))
    try:
        return _sound(idna.encode(domain, uts46=True).decode("ascii"))
    except idna.IDNAError:
        return _sound(_beyond_idna(domain))
    except UnicodeError:
        return ""


def _by_provider(local: str, domain: str, *, dots: bool, plus: bool) -> str:
    if local.startswith('"'):
        return local
    if plus and not local.startswith("+"):
        local = local.partition("+")[0]
    if dots and domain in _DOTS_MEAN_NOTHING:
        local = local.replace(".", "") or local
    return local


def _sound(domain: str) -> str:
    if _LITERAL.fullmatch(domain):
        return domain
    labels = domain.split(".")
    return domain if all(_LABEL.fullmatch(label) for label in labels) else ""


def _beyond_idna(domain: str) -> str:
    # Names that IDNA 2008 does not allow are in use all the same (emoji domains); but U+FFFD and
    # what cannot be shown are a fault of the letter.
    if "\ufffd" in domain or not domain.isprintable():
        return ""
    labels = domain.lower().split(".")
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
        for label in labels
    )
