"""Which addresses are on the open Internet: everything else is somebody's inside, or nothing.

    IPv4   all that is not listed in NOT_PUBLIC_V4 (IANA's special-purpose registry, RFC 6890)
    IPv6   2000::/3, the only range that is given out, without what is listed in NOT_PUBLIC_V6;
           and addresses that carry an IPv4 one, which are what that one is

The lists are our own: what Python's `is_global` says differs from release to release.
"""

import ipaddress
from collections.abc import Callable

_V4 = ipaddress.IPv4Network
_V6 = ipaddress.IPv6Network

NOT_PUBLIC_V4 = tuple(
    map(
        _V4,
        (
            "0.0.0.0/8",  # this host; connecting to it reaches loopback
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier's NAT; a cloud's metadata at 100.100.100.200
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's host, public by its number only
            "169.254.0.0/16",  # link-local; the metadata of most clouds at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocols; a cloud's metadata at 192.0.0.192
            "192.0.2.0/24",
            "192.88.99.0/24",  # relays of 6to4, given up (RFC 7526)
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
GIVEN_OUT_V6 = _V6("2000::/3")
NOT_PUBLIC_V6 = tuple(
    map(
        _V6,
        (
            "2001::/23",  # protocols, among them Teredo, which carries two IPv4 addresses
            "2001:db8::/32",
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address, also one hidden inside another, is on the open Internet.

    A zone ("fe80::1%eth0") is passed over. ValueError for what is no address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in NOT_PUBLIC_V4)
    for network, inner in _CARRIERS:
        if ip in network:
            return is_public(str(inner(int(ip))))
    return ip in GIVEN_OUT_V6 and not any(ip in network for network in NOT_PUBLIC_V6)


def _last(number: int) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(number & 0xFFFFFFFF)


def _behind_2002(number: int) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)


# A gateway, or the system itself, would connect to the IPv4 address inside. An IPv6-only host
# reaches IPv4 mail servers by NAT64 alone. Compatible addresses (::127.0.0.1, RFC 4291 section
# 2.5.5.1) and translated ones (::ffff:0:127.0.0.1) are in no use and not in 2000::/3: refused.
_CARRIERS: tuple[tuple[_V6, Callable[[int], ipaddress.IPv4Address]], ...] = (
    (_V6("::ffff:0:0/96"), _last),  # IPv4-mapped (RFC 4291 section 2.5.5.2)
    (_V6("64:ff9b::/96"), _last),  # NAT64 (RFC 6052)
    (_V6("2002::/16"), _behind_2002),  # 6to4 (RFC 3056)
)
