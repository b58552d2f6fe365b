"""What a server tells of a version as a whole."""

from typing import Final

from artifacts.manifest import Manifest
from contracts import shell

COUNTED: Final = {"books": "metadata/cards", "rated_books": "als/book_ids", "subjects": "embedder/embeddings"}
"""Objects with a row for each of what is counted."""


def describe_version(manifest: Manifest) -> shell.ModelResponse:
    """Where the version came from, and how it was judged."""
    n_rows = {entry.name: entry.shape[0] for entry in manifest.objects if entry.shape}
    return shell.ModelResponse(
        version=manifest.version,
        created_at=manifest.created_at,
        trained_at=manifest.trained_at,
        release=manifest.release,
        counts={what: n_rows[name] for what, name in COUNTED.items() if name in n_rows},
        metrics=manifest.metrics,
        params=manifest.params,
        passed=manifest.gate.passed,
        checks=[shell.ModelCheck(**check.model_dump()) for check in manifest.gate.checks],
        refresh_of=manifest.refresh_of,
    )
