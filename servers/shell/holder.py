"""Holds the versions that a server answers from, and follows the version pointer in a background thread."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog

from artifacts.errors import ArtifactCorrupt, ArtifactError, ArtifactMissing
from artifacts.store import ArtifactStore, Loaded
from servers.errors import NotLoaded, ReloadFailed, VersionNotHeld
from servers.shell.metrics import ServerMetrics
from servers.shell.routes import ModelServer
from servers.shell.settings import ServerOptions

M = TypeVar("M")

LEASE_RENEWAL_S: Final = 60.0
"""A fifth of the lease's life, so that a few renewals may fail."""

log = structlog.get_logger()


@dataclass(eq=False)
class Held(Generic[M]):
    """One version in memory; the model never changes, the rest decides when it may go."""

    loaded: Loaded[M]
    shapes: dict[str, list[int]]
    wanted_at_s: float
    """When it was last current, or named by a pinned request; monotonic."""
    in_use: int = 0
    """Requests that are being answered from it."""

    @property
    def version(self) -> str:
        return self.loaded.version

    @property
    def model(self) -> M:
        return self.loaded.record


class VersionHolder(Generic[M]):
    """The current version of one owner's model, and former ones while they are in use, pinned or young.

    `use` belongs to the event loop's thread; `refresh` may be called from any other.
    """

    def __init__(
        self,
        store: ArtifactStore,
        server: ModelServer[M],
        options: ServerOptions,
        metrics: ServerMetrics,
    ) -> None:
        self.server = server
        self.options = options
        self.metrics = metrics
        self._store = store
        self._held: tuple[Held[M], ...] = ()  # replaced whole, in one assignment; the current version first
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow_pointer, name="version-holder", daemon=True)
        self._lease = f"{server.name}-{os.getpid()}-{id(self):x}"
        self._leased_at_s = -LEASE_RENEWAL_S
        self._failed: tuple[str | None, float] | None = None
        self.last_error: str | None = None

    def start(self) -> None:
        """Begin to follow the pointer; the first version is loaded in the background too."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following, and give the lease back."""
        self._stopping.set()
        self._thread.join()
        self._store.release(self._lease)

    @property
    def current(self) -> Held[M] | None:
        """The version that answers requests without a pin."""
        return self._held[0] if self._held else None

    @property
    def held(self) -> list[str]:
        """Names of all versions in memory, the current one first."""
        return [each.version for each in self._held]

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

    def refresh(self) -> None:
        """Make the version that the pointer names the current one, if it is not; drop those that may go.

        Raises ReloadFailed; the current version then stays what it was.
        """
        with self._refreshing:
            version = None
            try:
                version = self._store.current()
                if version is not None and (self.current is None or version != self.current.version):
                    self._switch(version)
                self._failed, self.last_error = None, None
                self._drop_unwanted()
                self._renew_lease()
            except Exception as error:  # whatever a version's files cause, the old version keeps serving
                self._note_failure(version, error)
                raise ReloadFailed(version, error) from error

    def _pick(self, version: str | None) -> Held[M]:
        held = self._held
        if version is None:
            if not held:
                raise NotLoaded
            return held[0]
        for each in held:
            if each.version == version:
                each.wanted_at_s = time.monotonic()
                return each
        raise VersionNotHeld(version, [each.version for each in held])

    def _follow_pointer(self) -> None:
        while not self._stopping.is_set():
            if not self._is_known_bad():
                with suppress(ReloadFailed):  # noted by refresh; the former version keeps answering
                    self.refresh()
            self._stopping.wait(self.options.pointer_poll_s)

    def _is_known_bad(self) -> bool:
        """Whether the pointer still names what failed a moment ago: hashing it again would find the same."""
        if self._failed is None:
            return False
        version, failed_at_s = self._failed
        if time.monotonic() - failed_at_s > self.options.load_retry_s:
            return False
        with suppress(ArtifactError, OSError):  # a pointer that cannot be read is no better than before
            return self._store.current() == version
        return True

    def _switch(self, version: str) -> None:
        """Load a version beside the current one, unless it is held already, and put it first."""
        started_s = time.monotonic()
        target = next((each for each in self._held if each.version == version), None)
        if target is None:
            self._take_lease({*self.held, version})
            target = self._load(version)
        now_s = time.monotonic()
        for each in self._held[:1]:
            each.wanted_at_s = now_s
        self._held = (target, *(each for each in self._held if each is not target))
        self._leased_at_s = -LEASE_RENEWAL_S
        self.metrics.loaded_at.set_to_current_time()
        log.info("version is current", version=version, held=self.held, seconds=round(now_s - started_s, 3))

    def _load(self, version: str) -> Held[M]:
        manifest = self._store.manifest(version)
        reuse = self.current.loaded if self.current else None
        loaded = self._store.load(manifest, self.server.name, self.server.model, reuse)
        self.server.warm_up(loaded.record)
        self.metrics.loads_ok.inc()
        shapes = {
            entry.name: list(entry.shape)
            for entry in manifest.owned_by(self.server.name)
            if entry.shape is not None
        }
        return Held(loaded, shapes, wanted_at_s=time.monotonic())

    def _drop_unwanted(self) -> None:
        wanted_since_s = time.monotonic() - self.options.keep_previous_s
        kept = tuple(
            each
            for place, each in enumerate(self._held)
            if place == 0 or each.in_use or each.wanted_at_s > wanted_since_s
        )
        if len(kept) < len(self._held):
            dropped = [each.version for each in self._held if each not in kept]
            # A request that has just picked one keeps the model alive by its own reference.
            self._held = kept
            self._leased_at_s = -LEASE_RENEWAL_S
            log.info("versions dropped", versions=dropped, held=self.held)
        self.metrics.held.set(len(self._held))

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
        self._failed = (version, time.monotonic())
        self.last_error = str(error)
        self.metrics.loads_failed.inc()
        if isinstance(error, ArtifactCorrupt | ArtifactMissing):
            self.metrics.count_damaged(error.name)
        log.error("version refused", version=version, held=self.held, error=str(error), exc_info=error)
