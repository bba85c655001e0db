"""A certificate authority of our own, for servers that speak TLS."""

import hashlib
import ssl
from pathlib import Path

import trustme


class Authority:
    """`context` serves a certificate for `localhost` that `ca_file` vouches for."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert("localhost")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(self.context)
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        self.sha256 = hashlib.sha256(der).hexdigest()
