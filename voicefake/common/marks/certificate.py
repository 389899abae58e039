"""The certificate that signs content credentials on this machine.

It is made once per user and lies in the data folder under ``signing``: ``chain.pem`` (leaf,
then root) and ``key.pem`` (the leaf's key, for its owner alone). The root's own key is
thrown away, so nothing else can ever be issued under it. There is no time-stamp authority
to ask offline, so the claim lives as long as the leaf: thirty years. Somebody with a
certificate of their own puts that chain and key in these two files.
"""

from __future__ import annotations

import datetime
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.places import data_folder, write_private

_LIFETIME = datetime.timedelta(days=30 * 365)
_PEM = serialization.Encoding.PEM
_REMEDY = "mend or remove it; a new one is then made"


@dataclass(frozen=True)
class Identity:
    """What signs.

    Attributes:
        algorithm: as C2PA names it, e.g. ``es256``.
        chain: PEM, leaf first.
        key: PEM, PKCS#8, no password.
        serial: the leaf's serial number, decimal.
    """

    algorithm: str
    chain: bytes
    key: bytes
    serial: str


def signing_folder() -> Path:
    """Where this user's certificate and key lie."""
    return data_folder() / "signing"


def signing_identity(folder: Path | None = None) -> Identity:
    """This user's certificate and key, made on the first call.

    Raises:
        BadInput: they are there but damaged, or do not belong together.
        WrongUse: they cannot be written.
    """
    folder = folder or signing_folder()
    if not folder.exists():
        try:
            _make(folder)
        except OSError as error:
            fault = f"cannot be written ({error.strerror})"
            raise WrongUse(folder, fault, "make your data folder writable") from error
    chain_path, key_path = folder / "chain.pem", folder / "key.pem"
    try:
        chain = chain_path.read_bytes()
        leaf = x509.load_pem_x509_certificates(chain)[0]
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise BadInput(folder, "holds no readable certificate and key", _REMEDY) from error
    # A key that does not fit would sign without complaint.
    if key.public_key() != leaf.public_key():
        raise BadInput(folder, "holds a key that does not fit its certificate", _REMEDY)
    pkcs8 = serialization.PrivateFormat.PKCS8
    plain = key.private_bytes(_PEM, pkcs8, serialization.NoEncryption())
    return Identity(_algorithm(key, folder), chain, plain, str(leaf.serial_number))


def local_serial() -> str | None:
    """Serial number of this machine's leaf, if it has one."""
    try:
        chain = (signing_folder() / "chain.pem").read_bytes()
        return str(x509.load_pem_x509_certificates(chain)[0].serial_number)
    except (OSError, ValueError):
        return None


def _algorithm(key: object, folder: Path) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        names = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if key.curve.name in names:
            return names[key.curve.name]
    raise BadInput(folder, "holds a kind of key that C2PA does not know", _REMEDY)


def _make(folder: Path) -> None:
    """Write a new root, leaf and key to ``folder``; another process may win the race."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    root = _root(root_key)
    leaf = _leaf(leaf_key, root, root_key)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".signing-") as name:
        fresh = Path(name) / "new"
        pkcs8 = serialization.PrivateFormat.PKCS8
        key = leaf_key.private_bytes(_PEM, pkcs8, serialization.NoEncryption())
        write_private(fresh / "key.pem", key)
        (fresh / "chain.pem").write_bytes(leaf.public_bytes(_PEM) + root.public_bytes(_PEM))
        (fresh / "root.pem").write_bytes(root.public_bytes(_PEM))
        try:
            fresh.replace(folder)
        except OSError:
            if not os.access(folder / "key.pem", os.R_OK):
                raise


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("voicefake local root")
    return (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePrivateKey, root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    # C2PA wants an extended key usage, and of those only this one passes without a
    # trust configuration.
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    return (
        _builder(_name("voicefake local signer"), root.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(purpose, critical=False)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "a voicefake installation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
