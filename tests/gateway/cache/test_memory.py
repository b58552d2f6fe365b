"""The response cache of this process."""

from gateway.cache.memory import ENTRY_OVERHEAD_BYTES, MemoryCache

ENTRY_BYTES = 100 + ENTRY_OVERHEAD_BYTES


async def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    cache = MemoryCache(2 * ENTRY_BYTES)
    await cache.set("a", bytes(100))
    await cache.set("b", bytes(100))
    await cache.get("a")

    await cache.set("c", bytes(100))

    assert await cache.get("b") is None
    assert await cache.get("a")
    assert await cache.get("c")


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
