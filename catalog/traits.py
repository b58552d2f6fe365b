"""What a catalog has of readers beside what they read, as models name it: `gender=female`."""

from typing import Final

TRAITS: Final = ("age_group", "gender", "occupation", "country")
"""Columns of the readers; a postal code tells too much of one and too little of all."""
_GENDERS: Final = {"f": "female", "m": "male"}
"""As MovieLens has them."""


def name_traits(
    *, age_group: str | None, gender: str | None, occupation: str | None, country: str | None
) -> tuple[str, ...]:
    """What is known of these, spelled the same whoever tells it."""
    gender = gender and _GENDERS.get(gender.casefold(), gender)
    values = (age_group, gender, occupation, country)
    return tuple(f"{name}={value.casefold()}" for name, value in zip(TRAITS, values, strict=True) if value)
