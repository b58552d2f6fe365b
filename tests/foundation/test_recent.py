from hypothesis import given
from hypothesis import strategies as st

from foundation.recent import Recent


def test_what_was_used_last_stays() -> None:
    kept = Recent[int, str](8)
    for key in range(100):
        kept.put(key, str(key))
        kept.get(0)

    assert [kept.get(key) for key in (0, 99, 98, 97)] == ["0", "99", "98", "97"]
    assert kept.get(50) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=60))))
def test_it_holds_no_more_than_its_bound_and_never_another_value(puts: list[tuple[int, bytes]]) -> None:
    kept, last = Recent[int, bytes](100, len), dict[int, bytes]()
    for key, value in puts:
        kept.put(key, value)
        if len(value) <= 50:
            last[key] = value

    found = {key: value for key in range(21) if (value := kept.get(key)) is not None}
    assert all(last[key] == value for key, value in found.items())
    assert sum(map(len, found.values())) <= 100


def test_what_is_too_large_for_a_half_is_not_kept() -> None:
    kept = Recent[int, bytes](100, len)

    kept.put(1, b"x" * 51)

    assert kept.get(1) is None
