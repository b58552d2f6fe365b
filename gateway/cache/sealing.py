"""What keeps a value of a shared cache honest: it names its key and its own bytes.

Whoever may write into the cache can seal what they like, since the code is public: this finds accidents, such
as another program's value, one cut off or put under another key. Against enemies the cache has its password.
"""

import hashlib
from typing import Final

FORMAT: Final = b"bookmesh1"
DIGEST_BYTES: Final = 16


def seal(key: str, body: bytes) -> bytes:
    """The value to keep under this key; a key names the release and the version, so these are sealed too."""
    return FORMAT + _digest(key, body) + body


def unseal(key: str, value: bytes) -> bytes | None:
    """The body; None if this is not a whole value that was sealed for this key."""
    start = len(FORMAT) + DIGEST_BYTES
    body = value[start:]
    return body if value[:start] == FORMAT + _digest(key, body) else None


def _digest(key: str, body: bytes) -> bytes:
    digest = hashlib.blake2b(key.encode(), digest_size=DIGEST_BYTES)
    digest.update(b"\0" + body)
    return digest.digest()
