"""The caches of this process."""

from gateway.cache.lru import ENTRY_OVERHEAD_BYTES, LruMap, MemoryCache

ENTRY_BYTES = len("k1") + 100 + ENTRY_OVERHEAD_BYTES


def test_the_map_forgets_what_was_not_used_for_longest() -> None:
    entries: LruMap[str, int] = LruMap(2)
    entries.set("a", 1)
    entries.set("b", 2)
    entries.get("a")

    entries.set("c", 3)

    assert entries.get("b") is None
    assert (entries.get("a"), entries.get("c")) == (1, 3)
    assert len(entries) == 2


async def test_the_cache_stays_within_its_bytes() -> None:
    cache = MemoryCache(3 * ENTRY_BYTES)

    for n in range(9):
        await cache.set(f"k{n}", bytes(100))

    assert [n for n in range(9) if await cache.get(f"k{n}")] == [6, 7, 8]


async def test_a_key_that_is_set_again_takes_its_room_once() -> None:
    cache = MemoryCache(2 * ENTRY_BYTES)
    await cache.set("k1", bytes(100))
    for _ in range(5):
        await cache.set("k2", bytes(100))

    assert await cache.get("k1") == bytes(100)


async def test_a_body_larger_than_the_cache_is_not_kept() -> None:
    cache = MemoryCache(2 * ENTRY_BYTES)

    await cache.set("k1", bytes(10 * ENTRY_BYTES))

    assert await cache.get("k1") is None
    await cache.set("k2", bytes(100))
    assert await cache.get("k2") == bytes(100)
