"""Names the code behind a result: a digest over a module and every module of ours that it imports."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

OUR_PACKAGES: Final = ("catalog", "evidence", "foundation", "pipeline", "servers")
"""Those that compute: how results are kept, sent and logged changes none of them."""
NOT_CODE: Final = ("foundation.settings", "pipeline.settings")
"""Parameters are in a result's key by value: a new default for one step must not repeat the others."""
LIBRARIES: Final = (
    "faiss-cpu",
    "implicit",
    "lightgbm",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "tantivy",
    "torch",
)
"""An upgrade of one of these may change what a step computes."""


@cache
def digest_code(module: str) -> str:
    """Hex sha256 over what this module and all of ours that it reaches do, and library versions."""
    digest = hashlib.sha256(" ".join(f"{name}={version(name)}" for name in LIBRARIES).encode())
    for name, code in sorted(_reachable(module).items()):
        digest.update(f"\n{name}\n{code}".encode())
    return digest.hexdigest()


def _reachable(module: str) -> dict[str, str]:
    """Code of the module and of all of ours that it imports, however deep, by name."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and (read := _read(name)) is not None:
            found[name], imports = read
            waiting.extend(imports)
    return found


@cache
def _read(name: str) -> tuple[str, tuple[str, ...]] | None:
    """What a module of ours does, whatever its comments, docstrings and formatting, and what it imports."""
    if name.partition(".")[0] not in OUR_PACKAGES or name in NOT_CODE:
        return None
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # its parent is a module, so `name` is a class or function of that module
        return None
    if spec is None or spec.origin is None:
        return None
    tree = ast.parse(Path(spec.origin).read_text())
    return ast.dump(_StripTexts().visit(tree)), tuple(_imported_names(tree))


class _StripTexts(ast.NodeTransformer):
    """Removes docstrings, of attributes too: texts that stand alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:  # ast's own spelling
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


def _imported_names(tree: ast.AST) -> Iterator[str]:
    """Everything that may be a module; a name imported from a module may itself be one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
