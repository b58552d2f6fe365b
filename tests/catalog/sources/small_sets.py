"""Goodbooks and MovieLens with a few made-up lines a file, in the format of the real ones."""

from pathlib import Path

from catalog.sources.goodbooks import Goodbooks
from catalog.sources.movielens import open_movielens
from catalog.sources.records import Source

_GENRES_OF_ASH = "|".join("1" if n in (1, 5) else "0" for n in range(19))
SMALL_SETS: dict[str, dict[str, str]] = {
    "goodbooks": {
        "books.csv": "book_id,goodreads_book_id,best_book_id,work_id,books_count,isbn,isbn13,authors,"
        "original_publication_year,original_title,title,language_code\n"
        '1,70,70,1,9,62,9.78e+12,"Ann Ash, Ben Birch",-720.0,Ash,"Ash, the ""Tree"" (Trees, #1)",en-US\n'
        "2,80,80,2,9,,,Cy Cedar,1999.0,Birch,Birch,\n"
        "3,90,90,3,9,306406152,,Di Dill,,Cedar,Cedar,nl\n",
        "tags.csv": "tag_id,tag_name\n0,to-read\n1,fantasy\n2,dragons\n3,read-in-2015\n4,books-i-own\n"
        "5,one-reader-only\n",
        "book_tags.csv": "goodreads_book_id,tag_id,count\n70,0,900\n70,2,50\n70,1,40\n70,4,7\n70,5,0\n"
        "80,1,3\n99,1,3\n80,77,3\n80,2,many\n",
        "ratings.csv": "user_id,book_id,rating\n1,1,5\n1,2,1\n2,1,3\n2,1,3\n2,9,4\n3,1,6\n3,2,2\n",
        "to_read.csv": "user_id,book_id\n1,3\n2,2\n2,2\n9,1\n1,9\n",
    },
    "movielens-100k": {
        "u.item": f"1|Ash Grove, The (1995)|01-Jan-1995||http://x/|{_GENRES_OF_ASH}\n"
        f"2|Forêt, La (Ash Wood, An)|01-Feb-1996||http://x/|{_GENRES_OF_ASH}\n"
        f"3|unknown|||http://x/|1{'|0' * 18}\n",
        "u.user": "1|24|M|technician|85711\n2|53|F|other|E8V-1\n3|7|F|student|00000\n",
        "u.data": "1\t1\t5\t881250949\n2\t1\t3\t891717742\n2\t2\t1\tnever\n"
        "3\t9\t4\t878887116\n3\t1\t0\t878887116\n",
    },
    "movielens": {
        "movies.csv": "movieId,title,genres\n1,Ash Grove (1995),Action|Comedy\n"
        '2,"Woods, The (Forêt, L\') (2006–2007)",(no genres listed)\n3,Cedar,IMAX|Sci-Fi\n',
        "ratings.csv": "userId,movieId,rating,timestamp\n1,1,0.5,1260759144\n1,2,5.0,1260759179\n"
        "2,1,3.5,1260759182\n2,2,5.5,1260759182\n",
        "tags.csv": "userId,movieId,tag,timestamp\n1,1,funny,1139045764\n2,1,funny,1139045764\n"
        "1,1,trees,1139045764\n1,9,trees,1139045764\n",
    },
}


def write_set(kind: str, folder: Path) -> Path:
    """The files of one set."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in SMALL_SETS[kind].items():
        (folder / name).write_bytes(text.encode("latin-1" if name.startswith("u.") else "utf-8"))
    return folder


def open_set(kind: str, folder: Path) -> Source:
    """The source that reads it."""
    return Goodbooks(folder) if kind == "goodbooks" else open_movielens(folder)
