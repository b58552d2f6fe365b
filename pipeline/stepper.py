"""Runs one step: looks for a kept result first, tells progress and log, and remembers what was used."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, get_type_hints

import structlog

from catalog.database import Database
from pipeline.cache import Kept, StepCache, build_key
from pipeline.code_digest import digest_code
from pipeline.progress import Progress, StepRun
from pipeline.settings import Params

R = TypeVar("R")
log = structlog.get_logger()

STEPS: Final = ("export", "clean", "split", "aggregate", "subjects", "als", "ranker", "index", "gate")
"""The nine steps, in order; step i is `pipeline/steps/s<i>_<name>.py`."""


class Stepper:
    """Runs steps over one cache; `first_repeated` and all after it run even if a result is kept."""

    def __init__(self, cache: StepCache, progress: Progress, *, first_repeated: str | None) -> None:
        self.cache = cache
        self.progress = progress
        self.repeated = STEPS[STEPS.index(first_repeated) :] if first_repeated else ()
        self.runs: list[StepRun] = []
        self.used: set[str] = set()

    def run(
        self,
        name: str,
        data: str,
        step: Callable[..., R],
        *inputs: Kept[Any],
        params: Params | None = None,
        seed: int | None = None,
        tools: dict[str, Any] | None = None,
    ) -> Kept[R]:
        """The step's result on these inputs: `step(*values, params=params, seed=seed, **tools)`, where given.

        Inputs, parameters, seed and code make the key; tools, such as a number of threads, change no result.
        """
        options: dict[str, Any] = {"params": params, "seed": seed}
        given = {option: value for option, value in options.items() if value is not None}
        key = build_key(
            name,
            code=digest_code(step.__module__),
            params=[step.__name__, params.model_dump(mode="json") if params else None, seed],
            inputs=[kept.key for kept in inputs],
        )
        kind: type[R] = get_type_hints(step)["return"]
        return self._timed(
            name,
            data,
            lambda: self.cache.keep(
                key,
                kind,
                lambda: step(*(kept.value for kept in inputs), **given, **(tools or {})),
                repeat=name in self.repeated,
            ),
        )

    def export(self, step: Callable[[Database], R], db: Database, fingerprint: Callable[[R], str]) -> Kept[R]:
        """Step 1, whose input is the live database: it always runs, unless a later step is to be repeated.

        Its key is what it found, so that the steps after it run only if that has changed.
        """
        kind: type[R] = get_type_hints(step)["return"]
        return self._timed(
            "export", "all", lambda: self._last_export(kind) or self._fresh_export(step, db, fingerprint)
        )

    def forget_unused(self) -> None:
        """Remove the kept results that this run did not use."""
        self.cache.forget_others(self.used)

    def _last_export(self, kind: type[R]) -> Kept[R] | None:
        if not self.repeated or "export" in self.repeated:
            return None
        key = self.cache.newest("export")
        return self.cache.find(key, kind) if key else None

    def _fresh_export(
        self, step: Callable[[Database], R], db: Database, fingerprint: Callable[[R], str]
    ) -> Kept[R]:
        found = step(db)
        code = digest_code(step.__module__)
        key = build_key("export", code=code, params=fingerprint(found), inputs=[])
        return self.cache.keep(key, type(found), lambda: found)

    def _timed(self, name: str, data: str, work: Callable[[], Kept[R]]) -> Kept[R]:
        number = STEPS.index(name) + 1
        self.progress.step_started(number, name, data)
        started = time.monotonic()
        kept = work()
        run = StepRun(number, name, data, round(time.monotonic() - started, 3), kept.reused)
        self.runs.append(run)
        self.used.add(kept.key)
        self.progress.step_finished(run)
        log.info("step finished", step=name, data=data, seconds=run.seconds, reused=run.reused)
        return kept
