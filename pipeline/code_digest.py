"""Names the code behind a result: a digest over a module and every module of ours that it imports."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

OUR_PACKAGES: Final = ("artifacts", "catalog", "contracts", "foundation", "pipeline", "servers", "telemetry")
NOT_CODE: Final = ("pipeline.settings",)
"""Parameters are in a result's key by value: a new default for one step must not repeat the others."""
LIBRARIES: Final = ("faiss-cpu", "implicit", "numpy", "pyarrow", "scikit-learn", "scipy", "tantivy", "torch")
"""An upgrade of one of these may change what a step computes."""


@cache
def digest_code(module: str) -> str:
    """Hex sha256 over the source of this module and of all ours that it reaches, and library versions."""
    digest = hashlib.sha256(" ".join(f"{name}={version(name)}" for name in LIBRARIES).encode())
    for name, path in sorted(_reachable(module).items()):
        digest.update(f"\n{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _reachable(module: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and (path := _source_of(name)) is not None:
            found[name] = path
            waiting.extend(_imported_names(ast.parse(path.read_text())))
    return found


def _imported_names(tree: ast.AST) -> Iterator[str]:
    """Everything that may be a module; a name imported from a module may itself be one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _source_of(name: str) -> Path | None:
    if name.partition(".")[0] not in OUR_PACKAGES or name in NOT_CODE:
        return None
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # its parent is a module, so `name` is a class or function of that module
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None
