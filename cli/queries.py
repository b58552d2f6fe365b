"""Commands that query the running gateway and print books: recommend, similar, search."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from catalog.database import open_database
from catalog.schema import check_migrated
from cli.console import fail, number, out
from cli.own_key import keep_key, read_headers
from foundation.settings import find_variable
from foundation.urls import local_url
from gateway.settings import GatewaySettings

K = Annotated[int, typer.Option("--k", "-k", min=1, max=500, help="How many books.")]
TIMEOUT_S = 10.0


def recommend(
    user: Annotated[int, typer.Argument(help="user_id; `bookmesh users find` answers it.")],
    k: K = 10,
    mode: Annotated[str, typer.Option(help="auto, collaborative, subjects or popular.")] = "auto",
) -> None:
    """Recommend books to a reader."""
    body = _fetch(f"/v1/users/{user}/recommendations", k=k, mode=mode)
    _print_books(f"For reader {user}", body)


def similar(
    book: Annotated[str, typer.Argument(help="book_id, or any ISBN of the book.")],
    k: K = 10,
    mode: Annotated[str, typer.Option(help="blend, item-item, als, subject or hybrid.")] = "blend",
    weight: Annotated[float, typer.Option(min=0, max=1, help="Share of ALS in hybrid.")] = 0.5,
) -> None:
    """Show books similar to a book."""
    quoted = quote(book, safe="")
    card = _fetch(f"/v1/books/isbn/{quoted}" if _is_isbn(book) else f"/v1/books/{quoted}")
    body = _fetch(f"/v1/books/{card['book_id']}/similar", k=k, mode=mode, weight=weight)
    _print_books(f"Like {card['title']}", body)


def search(
    text: Annotated[str, typer.Argument(help="Words of a title, an author, a subject; or a sentence.")],
    k: K = 10,
    semantic: Annotated[bool, typer.Option("--semantic", help="Search by meaning, not by words.")] = False,
) -> None:
    """Search books by keyword, or by meaning."""
    body = _fetch("/v1/search/semantic" if semantic else "/v1/search", q=text, k=k)
    _print_books(f"Books for “{text}”", body)


def _is_isbn(text: str) -> bool:
    return len(text.replace("-", "").replace(" ", "")) in (10, 13)


def _fetch(path: str, **params: Any) -> dict[str, Any]:
    settings = GatewaySettings()
    url = local_url(settings.gateway.host, settings.gateway.port)
    try:
        response = _send(url + path, params, settings.home)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            _make_key(settings)
            response = _send(url + path, params, settings.home)
    except httpx.TransportError as error:
        fail(f"no gateway answers at {url} ({error}); start the mesh with `bookmesh up`")
    try:
        body: dict[str, Any] = response.json()
    except ValueError:
        variable = find_variable("gateway", "port")
        fail(f"what answers at {url} is no gateway of ours; set {variable} to the port of yours")
    if response.is_error:
        fail(f"{body.get('detail', response.text)} ({body.get('code')}, request {body.get('request_id')})")
    return body


def _send(url: str, params: dict[str, Any], home: Path) -> httpx.Response:
    headers = read_headers(home)
    return httpx.get(url, params=params, headers=headers, timeout=TIMEOUT_S, follow_redirects=True)


def _make_key(settings: GatewaySettings) -> None:
    with closing(open_database(settings.catalog_url)) as db:
        check_migrated(db)
        keep_key(db, settings.home)


def _print_books(title: str, body: dict[str, Any]) -> None:
    caption = f"{body['mode']} · version {body['version']}"
    if body["degraded"]:
        caption += f" · without {', '.join(body['degraded'])}"
    columns = (number("#"), number("book"), "title", "author", number("year"), "subject", number("score"))
    table = Table(*columns, title=escape(title), caption=caption, header_style="bold")
    for rank, item in enumerate(body["items"], start=1):
        table.add_row(
            str(rank),
            str(item["book_id"]),
            escape(item["title"]),
            escape(", ".join(item["authors"])),
            str(item["year"] or ""),
            escape(item["main_subject"] or ""),
            f"{item['score']:.3f}",
        )
    out.print(table)
