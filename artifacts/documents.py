"""The store's own JSON files, which are read without the libraries of what they tell about."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

Format = Literal["npy", "csr", "arrow", "faiss", "json", "folder", "file"]
"""`csr` and `folder` are JSON headers of values whose parts are objects too; a `file` is any bytes."""


class Document(BaseModel):
    """Base of the store's own JSON files: what a later release added is read past."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def encode_json(value: object) -> bytes:
    """Encode equal values to equal bytes; ValueError for NaN and the infinities, which JSON does not have."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")
