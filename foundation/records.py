"""What the class of a record says of its saved form, where its fields alone do not tell."""

from typing import Final

FORMERLY: Final = "formerly"


def formerly(*paths: str) -> dict[str, tuple[str, ...]]:
    """Return the metadata of a field whose value was saved elsewhere: paths from its record, tried in order.

    In a record that is now a part of the one that had the value: `field(metadata=formerly("../factors"))`.
    """
    return {FORMERLY: paths}
