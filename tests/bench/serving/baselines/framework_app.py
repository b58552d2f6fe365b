"""The job of a recommendation behind LitServe: history, scoring, rules of a list, cards.

Its worker has the same factors as bookmesh, folds in the reader's ratings and looks at all books, by the
fastest ways of numpy; it has no other kind of evidence, and keeps all cards ready.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

import litserve
import numpy as np

ALPHA = 16.0
OF_ONE_AUTHOR = 2
BOOKS = """
    SELECT books.book_id, title, year, group_concat(author_id), group_concat(name, '|') FROM books
    LEFT JOIN book_authors USING (book_id) LEFT JOIN authors USING (author_id)
    WHERE hidden IS NULL AND replaced_by IS NULL GROUP BY books.book_id
"""
HISTORY = "SELECT book_id, coalesce(rating, 7) / 10 FROM ratings WHERE user_id = ?"


class Recommender(litserve.LitAPI):
    """Answers {"user_id": 1, "k": 10}."""

    def setup(self, device: str) -> None:
        folder = Path(os.environ["MODEL"])
        self.book_ids = np.load(folder / "book_ids.npy")
        self.item_factors = np.load(folder / "item_factors.npy", mmap_mode="r")
        self.gram = np.load(folder / "gram.npy")
        self.db = sqlite3.connect(f"file:{os.environ['CATALOG']}?mode=ro", uri=True, check_same_thread=False)
        self.cards: dict[int, dict[str, Any]] = {}
        self.authors: dict[int, list[str]] = {}
        for book_id, title, year, author_ids, names in self.db.execute(BOOKS):
            self.authors[book_id] = (author_ids or "").split(",")
            self.cards[book_id] = {"book_id": book_id, "title": title, "year": year,
                                   "authors": (names or "").split("|")}  # fmt: skip

    def decode_request(self, request: dict[str, int]) -> tuple[int, int]:
        return request["user_id"], request["k"]

    def predict(self, asked: tuple[int, int]) -> list[dict[str, Any]]:
        user_id, k = asked
        history = self.db.execute(HISTORY, (user_id,)).fetchall()
        book_ids, ratings = np.array(history).reshape(-1, 2).T
        rows = np.searchsorted(self.book_ids, book_ids).clip(max=self.book_ids.size - 1)
        is_known = self.book_ids[rows] == book_ids
        rows, preferences = rows[is_known], ratings[is_known].astype(np.float32)
        read = self.item_factors[rows]
        user = np.linalg.solve(self.gram + (ALPHA - 1) * (read.T @ read), ALPHA * (preferences @ read))
        scores = self.item_factors @ user
        scores[rows] = -np.inf
        n = 10 * k
        best = np.argpartition(scores, -n)[-n:]
        return self._choose(best[np.argsort(-scores[best])], scores, k)

    def _choose(
        self, best: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], k: int
    ) -> list[dict[str, Any]]:
        """The first k that may be shown, at most two of one author."""
        chosen: list[dict[str, Any]] = []
        n_of_author: dict[str, int] = {}
        for row in best:
            book_id = int(self.book_ids[row])
            authors = self.authors.get(book_id)
            if authors is None or any(n_of_author.get(each, 0) >= OF_ONE_AUTHOR for each in authors):
                continue
            for each in authors:
                n_of_author[each] = n_of_author.get(each, 0) + 1
            chosen.append(self.cards[book_id] | {"score": float(scores[row])})
            if len(chosen) == k:
                break
        return chosen

    def encode_response(self, output: list[dict[str, Any]]) -> dict[str, Any]:
        return {"items": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Recommender(), accelerator="cpu", workers_per_device=int(os.environ["WORKERS"])
    )
    server.run(
        host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", generate_client_file=False
    )
