"""What names a list, for the cache and for clients."""

import hashlib


def digest(*parts: object) -> str:
    """32 hex digits for all the parts, which may hold a whole POST body and what readers search for."""
    text = ":".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
