"""SSH keys for tests: real ones of ssh-keygen, and those of security keys, made byte by byte."""

import base64
import os
import subprocess

# ssh-keygen's options for the types that it makes without a device.
TYPES = {
    "ed25519": ["-t", "ed25519"],
    "rsa-2048": ["-t", "rsa", "-b", "2048"],
    "rsa-4096": ["-t", "rsa", "-b", "4096"],
    "ecdsa-256": ["-t", "ecdsa", "-b", "256"],
    "ecdsa-384": ["-t", "ecdsa", "-b", "384"],
    "ecdsa-521": ["-t", "ecdsa", "-b", "521"],
}


def keygen(*options, stdin=None):
    return subprocess.run(
        ["ssh-keygen", *map(str, options)], input=stdin, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def make_pair(folder, *options, comment="alice@host"):
    """A new pair in a folder: the private key's path, and the public key's line."""
    path = folder / f"key-{os.urandom(4).hex()}"
    keygen("-q", "-N", "", "-C", comment, "-f", path, *options)
    return path, path.with_suffix(".pub").read_text().strip()


def printed_fingerprints(line):
    """What ssh-keygen -l prints, under the API's names."""
    digests = {}
    for name in ("md5", "sha256", "sha512"):
        word = keygen("-l", "-E", name, "-f", "-", stdin=line + "\n").split()[1]
        digests[f"fingerprint_{name}"] = word.removeprefix("MD5:")
    return digests


def parts_of(blob):
    """The fields of a blob."""
    parts = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        parts.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return parts


def line_of(*parts, word=None, comment="alice@host"):
    """A public key's line from its fields, the type first."""
    parts = [part.encode() if isinstance(part, str) else part for part in parts]
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    word = word or parts[0].decode()
    return f"{word} {base64.b64encode(blob).decode()} {comment}"


def blob_of(line):
    return base64.b64decode(line.split()[1])


def ed25519(comment="alice@host"):
    """A new key that nobody has the private half of."""
    return line_of("ssh-ed25519", os.urandom(32), comment=comment)


def of_security_key(line):
    """The key as it would be if a security key held its private half."""
    kind, *parts = parts_of(blob_of(line))
    return line_of(f"sk-{kind.decode()}@openssh.com", *parts, "ssh:")
