"""Holds the versions that a server answers from: what the pointer names, and what gateways answer from."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, Generic, NamedTuple, TypeVar

import structlog

from artifacts.errors import ArtifactCorrupt, ArtifactError, ArtifactMissing
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from servers.errors import NotLoaded, ReloadFailed, VersionNotHeld, WarmUpFailed
from servers.shell.held import MOST_HELD, Held, find_surplus, find_unwanted
from servers.shell.metrics import ServerMetrics
from servers.shell.routes import ModelServer
from servers.shell.settings import ServerOptions
from servers.shell.siblings import Agreed, Holding, Siblings, agree
from telemetry.logs import tell_version

M = TypeVar("M")

LEASE_RENEWAL_S: Final = 60.0
"""A fifth of the lease's life, so that a few renewals may fail."""
LONGEST_WAIT_S: Final = 10.0
"""For gateways to leave a version; if they answer from two that others lack, they never would."""

log = structlog.get_logger()


class _Failure(NamedTuple):
    """Why a version could not be loaded."""

    at_s: float
    message: str


class VersionHolder(Generic[M]):
    """The current version of one owner's model, and former ones while they are in use, pinned or young.

    `use` and `keep` belong to the event loop's thread; `refresh` may be called from any other.
    """

    def __init__(
        self,
        store: ArtifactStore,
        server: ModelServer[M],
        options: ServerOptions,
        metrics: ServerMetrics,
        siblings: Siblings | None = None,
    ) -> None:
        self.server = server
        self.options = options
        self.metrics = metrics
        self.siblings = siblings
        """The other workers on the same socket, where gunicorn runs them."""
        self._store = store
        # Both are replaced whole, in one assignment, so that any thread may read them.
        self._held: tuple[Held[M], ...] = ()
        """The current version first."""
        self._missing: Mapping[str, float] = {}
        """What gateways need and is not held, and when one last named it; monotonic."""
        self._refreshing = threading.Lock()
        self._lease = f"{server.name}-{os.getpid()}-{id(self):x}"
        self._leased_at_s = -LEASE_RENEWAL_S
        self._failures: dict[str | None, _Failure] = {}
        self._waiting_since_s: float | None = None
        self.last_error: str | None = None
        self._current_since_s = self._looked_at_s = time.monotonic()

    async def follow(self, *, retry: bool = False) -> None:
        """Refresh in a thread; what failed a moment ago is left alone, since it would fail again."""
        with suppress(ReloadFailed):  # noted by refresh; the former version keeps answering
            await asyncio.to_thread(self.refresh, retry=retry)

    def stop(self) -> None:
        """Give the lease back, once a load under way is over."""
        with self._refreshing:
            self._store.release(self._lease)

    @property
    def current(self) -> Held[M] | None:
        """The version that answers requests without a pin."""
        return self._held[0] if self._held else None

    @property
    def held(self) -> list[str]:
        """Names of all versions in memory, the current one first."""
        return [each.version for each in self._held]

    def read_store(self) -> tuple[str | None, list[Manifest]]:
        """What the pointer names, and the manifests of all versions that can be read, the newest first."""
        return self._store.current(), self._store.manifests()

    @contextmanager
    def use(self, version: str | None) -> Iterator[Held[M]]:
        """The current version, or the one that a request is pinned to, kept for as long as the block runs.

        Raises NotLoaded, VersionNotHeld.
        """
        held = self._pick(version)
        held.in_use += 1
        try:
            yield held
        finally:
            held.in_use -= 1

    def keep(self, version: str) -> None:
        """Hold a version that a gateway answers from: it stays, or is loaded at the next refresh."""
        self._keep(version, time.monotonic())

    def agreed(self) -> Agreed:
        """What every worker on this socket holds, so that any of them may be asked for it."""
        return agree(self._describe(), self.siblings.read() if self.siblings else {})

    def refresh_everywhere(self) -> None:
        """Refresh this worker and the others, and return when all have. Raises ReloadFailed."""
        since_s = time.monotonic()
        if self.siblings:
            self.siblings.make_look()
        self.refresh()
        if self.siblings:
            self.siblings.wait_for_look(since_s)

    def refresh(self, *, retry: bool = True) -> None:
        """Make the version that the pointer names the current one; load what is pinned; drop what may go.

        Raises ReloadFailed; the current version then stays what it was.
        """
        with self._refreshing:
            self._looked_at_s = time.monotonic()
            self._hear_of_pins()
            try:
                self._load_current(retry=retry)
            finally:
                self._load_missing()
                self._drop(find_unwanted(self._held, self.options.keep_previous_s))
                self._renew_lease()
                self._tell_siblings()

    def _hear_of_pins(self) -> None:
        """Need what gateways named to the others: each of them asks one worker at a time."""
        if self.siblings:
            for other in self.siblings.read().values():
                for version, named_at_s in other.named_at_s.items():
                    self._keep(version, named_at_s)

    def _tell_siblings(self) -> None:
        if self.siblings:
            self.siblings.tell(self._describe())

    def _describe(self) -> Holding:
        held = self._held
        return Holding(
            held=[each.version for each in held],
            current_since_s=self._current_since_s,
            looked_at_s=self._looked_at_s,
            error=self.last_error,
            named_at_s={**self._missing, **{each.version: each.named_at_s for each in held if each.is_named}},
        )

    def _keep(self, version: str, named_at_s: float) -> None:
        for each in self._held:
            if each.version == version:
                each.named_at_s = max(each.named_at_s, named_at_s)
                return
        missing = {**self._missing, version: max(named_at_s, self._missing.get(version, named_at_s))}
        newest = sorted(missing.items(), key=lambda item: item[1])[-MOST_HELD:]
        self._missing = dict(newest)

    def _pick(self, version: str | None) -> Held[M]:
        held = self._held
        if version is None:
            if not held:
                raise NotLoaded
            return held[0]
        for each in held:
            if each.version == version:
                each.named_at_s = time.monotonic()
                return each
        raise VersionNotHeld(version, [each.version for each in held])

    def _load_current(self, *, retry: bool) -> None:
        version = None
        try:
            version = self._store.current()
            if version is not None and version not in self.held[:1]:
                if self._is_known_bad(version) and not retry:
                    self._tell_refused(self._failures[version].message)
                    return
                if self._has_to_wait(version):
                    return
                self._switch(version)
            self._tell_refused(None)
        except Exception as error:  # whatever a version's files cause, the old version keeps serving
            self._tell_refused(str(error))
            if self._is_known_bad(version) and not retry:
                return  # a pointer that still cannot be read
            self._note_failure(version, error)
            self._fall_back()
            raise ReloadFailed(version, error) from error

    def _has_to_wait(self, version: str) -> bool:
        """Whether gateways answer from what would have to go for this version: they leave it in a moment."""
        now_s = time.monotonic()
        if version in self.held or not any(each.is_needed for each in find_surplus(self._held)):
            self._waiting_since_s = None
            return False
        self._waiting_since_s = self._waiting_since_s or now_s
        if now_s - self._waiting_since_s < LONGEST_WAIT_S:
            return True
        self._waiting_since_s = None
        return False

    def _tell_refused(self, why: str | None) -> None:
        """Tell why what the pointer names is not served; None if it is."""
        self.last_error = why
        self.metrics.refused.set(why is not None)

    def _fall_back(self) -> None:
        """Need the version before, where there is none to go on with: the others may still hold it."""
        with suppress(ArtifactError, OSError):
            if not self._held and (previous := self._store.previous()) is not None:
                self.keep(previous)

    def _load_missing(self) -> None:
        """Load what gateways answer from, but nothing in place of what another one needs as much."""
        since_s = time.monotonic() - self.options.keep_previous_s
        for version, named_at_s in self._missing.items():
            surplus = find_surplus(self._held)
            is_room = all(each.named_at_s < since_s for each in surplus)
            if version in self.held or named_at_s < since_s or not is_room or self._is_known_bad(version):
                continue
            try:
                loaded = self._load(version)
            except Exception as error:  # noqa: BLE001  (as above; it is logged)
                self._note_failure(version, error)
            else:
                loaded.named_at_s = named_at_s
                self._hold((*self._held, loaded))

    def _is_known_bad(self, version: str | None) -> bool:
        """Whether this failed a moment ago: hashing it again would find the same."""
        failure = self._failures.get(version)
        return failure is not None and time.monotonic() - failure.at_s < self.options.load_retry_s

    def _switch(self, version: str) -> None:
        """Load a version beside the current one, unless it is held already, and put it first."""
        started_s = time.monotonic()
        target = next((each for each in self._held if each.version == version), None) or self._load(version)
        now_s = time.monotonic()
        for each in self._held[:1]:
            each.replaced_at_s = now_s
        self._hold((target, *(each for each in self._held if each is not target)))
        self._current_since_s = now_s
        self.metrics.loaded_at.set_to_current_time()
        self.metrics.http.tell_version(version)
        tell_version(version)
        log.info("version is current", version=version, held=self.held, seconds=round(now_s - started_s, 3))

    def _load(self, version: str) -> Held[M]:
        self._drop(find_surplus(self._held))
        self._take_lease({*self.held, version})
        manifest = self._store.manifest(version)
        reuse = self.current.loaded if self.current else None
        loaded = self._store.load(manifest, self.server.name, self.server.model, reuse)
        try:
            self.server.warm_up(loaded.record)
        except Exception as error:
            raise WarmUpFailed(error) from error
        self.metrics.loads_ok.inc()
        shapes = {
            entry.name: list(entry.shape)
            for entry in manifest.owned_by(self.server.name)
            if entry.shape is not None
        }
        return Held(loaded, shapes, manifest)

    def _drop(self, unwanted: list[Held[M]]) -> None:
        if unwanted:
            # A request that has just picked one keeps the model alive by its own reference.
            self._hold(tuple(each for each in self._held if each not in unwanted))
            log.info("versions dropped", versions=[each.version for each in unwanted], held=self.held)

    def _hold(self, held: tuple[Held[M], ...]) -> None:
        self._held = held
        self._leased_at_s = -LEASE_RENEWAL_S
        self.metrics.held.set(len(held))

    def _renew_lease(self) -> None:
        if self._held and time.monotonic() - self._leased_at_s >= LEASE_RENEWAL_S:
            self._take_lease(set(self.held))

    def _take_lease(self, versions: set[str]) -> None:
        """Make the garbage collection spare these; without a lease a loaded version still answers."""
        self._leased_at_s = time.monotonic()
        try:
            self._store.hold(self._lease, versions.intersection(self._store.versions()))
        except (ArtifactError, OSError) as error:
            log.warning("no lease", versions=sorted(versions), error=str(error))

    def _note_failure(self, version: str | None, error: Exception) -> None:
        recent = {failed: each for failed, each in self._failures.items() if self._is_known_bad(failed)}
        self._failures = {**recent, version: _Failure(time.monotonic(), str(error))}
        self.metrics.loads_failed.inc()
        if isinstance(error, ArtifactCorrupt | ArtifactMissing):
            self.metrics.count_damaged(error.name)
        log.error("version refused", version=version, held=self.held, error=str(error), exc_info=error)
