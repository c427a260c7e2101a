"""TLS: contexts, the self-made certificate, fingerprints.

A server without a certificate of its own makes one (ECDSA P-256, self-signed) and keeps it in its data directory; our
clients pin its SHA-256 fingerprint, which the start prints and invites carry.

Source: rows A08, X19; RFC 5929 §4 (`tls-server-end-point`).
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import socket
import ssl
from pathlib import Path

ALPN_LINES = "veche/1"
ALPN_HTTP = "http/1.1"


class CertificateError(Exception):
    """The certificate or its key cannot be used; the text says which and why."""


def fingerprint(der: bytes) -> str:
    """SHA-256 of a DER certificate, as 64 hexadecimal digits."""
    return hashlib.sha256(der).hexdigest()


def readable(fingerprint_hex: str) -> str:
    """The fingerprint in groups, for people to compare: `AB:CD:...`."""
    return ":".join(fingerprint_hex[i : i + 2] for i in range(0, len(fingerprint_hex), 2)).upper()


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A context for the one port.  Raises CertificateError with one clear sentence."""
    for path, what in ((certificate, "certificate"), (key, "key")):
        if not path.exists():
            raise CertificateError(f"The TLS {what} {path} does not exist.")
        if not os.access(path, os.R_OK):
            raise CertificateError(f"The TLS {what} {path} cannot be read: check its permissions.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN_LINES, ALPN_HTTP])
    context.num_tickets = 0  # links live long; a ticket costs every handshake and saves few
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise CertificateError(
            f"The TLS certificate {certificate} and key {key} cannot be used: {error.reason or error}."
        ) from None
    except (OSError, ValueError) as error:
        raise CertificateError(f"The TLS certificate {certificate} cannot be used: {error}.") from None
    return context


def leaf(certificate: Path) -> bytes:
    """The first certificate of a PEM file, as DER.  Raises CertificateError."""
    try:
        pem = certificate.read_text("ascii")
        end = "-----END CERTIFICATE-----"
        start = pem.index("-----BEGIN CERTIFICATE-----")
        return ssl.PEM_cert_to_DER_cert(pem[start : pem.index(end, start) + len(end)])
    except (OSError, ValueError) as error:
        raise CertificateError(f"The TLS certificate {certificate} cannot be read: {error}.") from None


def end_point_binding(der: bytes, *, is_self_made: bool = False) -> bytes:
    """Channel binding data `tls-server-end-point`.

    RFC 5929 §4.1: the hash is that of the certificate's signature; for MD5 and SHA-1, SHA-256.
    """
    if is_self_made:
        return hashlib.sha256(der).digest()
    from cryptography import x509

    try:
        algorithm = x509.load_der_x509_certificate(der).signature_hash_algorithm
    except ValueError:
        algorithm = None
    name = algorithm.name if algorithm is not None else "sha256"
    return hashlib.new("sha256" if name in ("md5", "sha1") else name, der).digest()


def self_signed(
    common_name: str,
    names: list[str],
    starts: datetime.datetime,
    ends: datetime.datetime,
    password: bytes | None = None,
) -> tuple[bytes, bytes]:
    """A certificate of a fresh key (ECDSA P-256), signed by itself, and that key; both PEM.

    names: the host names and addresses that it holds for; password: encrypts the key.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    alternative: list[x509.GeneralName] = []
    for name in names:
        try:
            alternative.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            if name.isascii() and name:
                alternative.append(x509.DNSName(name))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption),
    )


def make_certificate(directory: Path, names: list[str]) -> tuple[Path, Path]:
    """Make `certificate.pem` and `key.pem` in a directory, the key readable by its owner only.

    names: host names and addresses that go into the certificate, besides localhost.
    """
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    here = ["localhost", "127.0.0.1", "::1", socket.gethostname()]
    certificate, key = self_signed(
        "Veche home server", list(dict.fromkeys([*here, *names])), now - day, now + 3650 * day
    )
    key_path, certificate_path = directory / "key.pem", directory / "certificate.pem"
    _write(key_path, key)
    _write(certificate_path, certificate)
    return certificate_path, key_path


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
