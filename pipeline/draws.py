"""Random choices that stay: a number for each pair of ids, by a hash, whatever else the catalog holds."""

from typing import Final

import numpy as np

from foundation.arrays import F64, I64, U64

OUTER_SALT, INNER_SALT, USER_SALT, READER_SALT, SHARE_SALT, FOLD_SALT = 1, 2, 3, 4, 5, 6
"""Each choice has a salt of its own, so that none follows from another."""

N_SALTS: Final = 10


def salt_of(choice: int, seed: int) -> int:
    """The salt of a choice; that of seed 0 is the choice's own."""
    return choice + N_SALTS * seed


def draw(user_ids: I64, book_ids: I64, salt: int) -> F64:
    """A number in [0, 1) that depends on the pair and the salt alone (SplitMix64, Steele 2014)."""
    state = _mix(np.full(user_ids.size, salt, dtype=np.uint64))
    state = _mix(_mix(state ^ user_ids.astype(np.uint64)) ^ book_ids.astype(np.uint64))
    return (state >> np.uint64(11)).astype(np.float64) / 2**53


def _mix(state: U64) -> U64:
    # Unsigned arithmetic modulo 2^64 is the definition; NumPy wraps arrays silently.
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
