"""A valid request to each route of each server, and a field of it that takes whole numbers from 1."""

from typing import Any

from contracts.shell import ServerName
from tests.servers.tiny import SOUP_IDS, SPACE_IDS

VECTOR = [1.0, 0.0, 0.0, 0.0]
HISTORY = [{"book_id": SPACE_IDS[0], "rating": 9}, {"book_id": SPACE_IDS[1], "rating": None}]

REQUESTS: dict[ServerName, dict[str, dict[str, Any]]] = {
    "als": {
        "/rank": {"history": HISTORY, "k": 3},
        "/rank-new": {"subjects": ["space"], "author_ids": [1], "traits": ["gender=female"], "k": 3},
        "/explain": {"history": HISTORY, "book_ids": SPACE_IDS[2:4], "k": 2},
    },
    "embedder": {"/embed": {"subjects": ["space"]}},
    "similarity": {
        "/similar": {"book_id": SPACE_IDS[0], "k": 3},
        "/nearest": {"vector": VECTOR, "k": 3},
        "/scores": {"vector": VECTOR, "book_ids": SOUP_IDS},
    },
    "metadata": {
        "/cards": {"book_ids": SPACE_IDS},
        "/popular": {"k": 3},
        "/scores": {"book_ids": SPACE_IDS},
        "/search": {"text": "space", "k": 3},
        "/browse": {"k": 3, "filters": {"subject": "space"}},
    },
    "semantic": {"/search": {"text": "a planet", "k": 3}},
}
