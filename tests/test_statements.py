"""No statement for a database is put together of texts: what clients send reaches it as parameters alone."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_repository import MODULES, ROOT

BEGINS_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|COPY|PRAGMA|ALTER|CREATE|DROP|SET) ")
TAKES_TEXT = {"text", "literal_column", "DDL", "exec_driver_sql", "executescript", "prefix_with", "op"}
"""What makes a statement of a text, or sends one as it is."""
EXCEPTIONS = {
    "catalog/bulk.py": {"str(compiled)", "f\"COPY {table.name} ({', '.join(names)}) FROM STDIN\""},
    "catalog/database.py": {
        "f\"PRAGMA query_only = {'OFF' if allowed else 'ON'}\"",
        'f"PRAGMA cache_size = -{kib}"',
    },
    "catalog/identity.py": {
        "statement",
        'f"SET innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}"',
        "f\"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'\"",
    },
    "catalog/migrations/operations.py": {"where"},
    "catalog/sqlite.py": {
        'f"PRAGMA {pragma}"',
        'connection.get_execution_options().get("sqlite_begin", "BEGIN")',
    },
    "catalog/users.py": {"f\"'{each}'\""},
}
"""Of constants of ours, or of the names of our tables; and what SQLAlchemy has compiled."""


def find_built(source: str) -> Iterator[str]:
    """Texts that are put together and look like a statement, and those that are sent and are no constant."""
    for node in ast.walk(ast.parse(source)):
        if _is_put_together(node) and BEGINS_STATEMENT.match(_read_beginning(node)):
            yield ast.get_source_segment(source, node) or ""
        elif isinstance(node, ast.Call) and node.args and _takes_text(node.func):
            given = node.args[0]
            if not isinstance(given, ast.Constant) and not BEGINS_STATEMENT.match(_read_beginning(given)):
                yield ast.get_source_segment(source, given) or ""


def _takes_text(called: ast.expr) -> bool:
    match called:
        case ast.Name(id=name):
            return name in TAKES_TEXT
        case ast.Attribute(attr="text", value=ast.Name(id=owner)):
            return owner in {"sa", "sqlalchemy"}
        case ast.Attribute(attr=name):
            return name in TAKES_TEXT
    return False


def _is_put_together(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.BinOp(op=ast.Mod() | ast.Add()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join" | "replace")):
            return True
    return False


def _read_beginning(node: ast.AST) -> str:
    """The constant that a text begins with."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first):
            return _read_beginning(first)
        case ast.Call(func=ast.Attribute(value=first)):
            return _read_beginning(first)
    return ""


def test_no_statement_is_put_together_but_of_constants() -> None:
    found = {str(path.relative_to(ROOT)): set(find_built(path.read_text())) for path in MODULES}

    assert {path: built for path, built in found.items() if built} == EXCEPTIONS


@pytest.mark.parametrize(
    "source",
    [
        "session.execute(f'SELECT 1 FROM t WHERE x = {x}')",
        "x = 'DELETE FROM t WHERE x = %s' % x",
        "x = 'UPDATE t SET y = ' + x",
        "x = 'INSERT INTO {} VALUES (1)'.format(x)",
        "text(f'name = {x}')",
        "sa.text(x)",
        "literal_column('a' + x)",
        "connection.exec_driver_sql(x)",
        "select(t).prefix_with(hint)",
    ],
)
def test_the_search_finds_what_is_put_together(source: str) -> None:
    assert len(list(find_built(source))) == 1


@pytest.mark.parametrize(
    "source",
    ["text('hidden IS NOT NULL')", "record.text(key)", "f'SELECTED {x}'", "select(t).where(t.c.x == x)"],
)
def test_the_search_passes_over_what_is_not(source: str) -> None:
    assert list(find_built(source)) == []
