"""The recommender that most teams write first: one process, a product with all factors, a sort of all scores.

Factors are random, since only what they cost is measured: 64 a book, which is half of what bookmesh has.
"""

import os

import numpy as np
import pandas as pd
from fastapi import FastAPI
from sqlalchemy import create_engine, text

N_FACTORS = 64
BOOKS = """
    SELECT books.book_id, title, year, group_concat(name, '|') AS authors FROM books
    LEFT JOIN book_authors USING (book_id) LEFT JOIN authors USING (author_id)
    WHERE hidden IS NULL AND replaced_by IS NULL GROUP BY books.book_id
"""
HISTORY = text("SELECT book_id FROM ratings WHERE user_id = :user_id")

engine = create_engine(f"sqlite:///{os.environ['CATALOG']}")
books = pd.read_sql(BOOKS, engine).set_index("book_id")
book_ids = books.index.to_numpy()
n_users = int(pd.read_sql("SELECT max(user_id) AS n FROM users", engine)["n"][0])
random = np.random.default_rng(0)
item_factors = random.standard_normal((len(book_ids), N_FACTORS), dtype=np.float32)
user_factors = random.standard_normal((n_users + 1, N_FACTORS), dtype=np.float32)
app = FastAPI()


@app.get("/recommendations/{user_id}")
def recommend(user_id: int, k: int = 10) -> list[dict[str, object]]:
    with engine.connect() as connection:
        history = set(connection.execute(HISTORY, {"user_id": user_id}).scalars())
    scores = item_factors @ user_factors[user_id]
    chosen: list[int] = []
    for row in np.argsort(-scores):
        if book_ids[row] not in history:
            chosen.append(row)
        if len(chosen) == k:
            break
    return [
        {
            "book_id": int(book_ids[row]),
            "title": book.title,
            "authors": str(book.authors).split("|"),
            "year": None if pd.isna(book.year) else int(book.year),
            "score": float(scores[row]),
        }
        for row, book in zip(chosen, books.iloc[chosen].itertuples(), strict=True)
    ]
