"""Runs the steps of the Dockerfile in an empty Debian below a folder, since no Docker runs where tests do.

The steps are read out of the Dockerfile. Each stage is a copy of the root that it is FROM; the first one is
the smallest Debian there is, with its Python where the image has one.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.homes import ROOT
from tests.services import find_binary

PATH: Final = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
OWN_WHEELS: Final = "PIP_FIND_LINKS"
"""Names a folder of wheels, on a machine that cannot reach PyTorch's own index."""
WHEELS: Final = "/tmp/wheels"
"""That folder, in a root."""
VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?")


@dataclass(frozen=True)
class Stage:
    """A root folder, and how commands run in it."""

    root: Path
    folder: str = "/"
    user: str = "0:0"
    variables: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command in the stage, as its user, in its folder, with its variables."""
        return subprocess.run(
            self.command(*words), env={**self.variables, **more}, capture_output=True, text=True, check=False
        )

    def command(self, *words: str) -> list[str]:
        """What starts a command in the stage, with processes and a /proc of its own."""
        inside = f"cd {shlex.quote(self.folder)} && exec {shlex.join(words)}"
        apart = ["unshare", "--fork", "--pid", "--kill-child", f"--mount-proc={self.root}/proc"]
        return [*apart, "chroot", f"--userspec={self.user}", str(self.root), "/bin/sh", "-c", inside]


def build(folder: Path, arguments: dict[str, str], **variables: str) -> dict[str, Stage]:
    """Every stage by its name; `arguments` are those of `docker build`, `variables` only the build sees."""
    debian = Stage(make_debian(folder / "debian"))
    stages: dict[str, Stage] = {}
    name = ""
    for instruction, words in read_steps():
        if instruction == "ARG":
            argument, _, default = words.partition("=")
            arguments = {argument: default, **arguments}
            continue
        if instruction == "FROM":
            source, _, name = fill(words, arguments).partition(" AS ")
            parent = stages.get(source, debian)
            copy(parent.root, folder / name)
            stages[name] = replace(parent, root=folder / name)
        elif instruction == "RUN":
            done = stages[name].run("sh", "-ec", words, **arguments, **variables)
            assert done.returncode == 0, f"{name}: RUN {words}: {done.stdout}{done.stderr}"
        else:
            stages[name] = apply(stages, stages[name], instruction, words)
    return stages


def apply(stages: Mapping[str, Stage], stage: Stage, instruction: str, words: str) -> Stage:
    """The stage after a step that runs nothing."""
    match instruction, shlex.split(words):
        case "WORKDIR", [path]:
            (stage.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
            return replace(stage, folder=path)
        case "ENV", pairs:
            filled = dict(fill(pair, stage.variables).split("=", 1) for pair in pairs)
            return replace(stage, variables={**stage.variables, **filled})
        case "USER", [user]:
            return replace(stage, user=user)
        case "COPY", [".", "."]:
            copy_context(stage.root / stage.folder.lstrip("/"))
        case "COPY", [source, path, target]:
            other = stages[source.removeprefix("--from=")]
            copy(other.root / path.lstrip("/"), stage.root / target.lstrip("/"))
        case (("VOLUME" | "ENTRYPOINT" | "CMD"), _):
            pass
        case _:
            raise AssertionError(f"no idea how to do {instruction} {words}")
    return stage


def read_steps() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile and its words, without comments, continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in joined if line.strip()]


def fill(text: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def make_debian(folder: Path) -> Path:
    """The smallest Debian with a Python; it believes whom this machine believes."""
    packages = "--include=python3,python3-venv,ca-certificates"
    debootstrap = find_binary("debootstrap", package="debootstrap")
    subprocess.run(
        [debootstrap, "--variant=minbase", packages, "bookworm", folder], check=True, capture_output=True
    )
    (folder / "dev" / "shm").mkdir(mode=0o1777, exist_ok=True)
    (folder / "dev" / "shm").chmod(0o1777)
    if wheels := os.environ.get(OWN_WHEELS):
        copy(Path(wheels), folder / WHEELS.removeprefix("/"))
    (folder / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    shutil.copy("/etc/resolv.conf", folder / "etc")
    shutil.copy(CERTIFICATES, folder / CERTIFICATES.relative_to("/"))
    return folder


def copy_context(target: Path) -> None:
    """What `COPY . .` sees: the files that .dockerignore lets through."""
    seen = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().split()
        if line.startswith("!")
    ]
    for name in seen:
        if (ROOT / name).exists():
            copy(ROOT / name, target / name)


def copy(source: Path, target: Path) -> None:
    """As it is, owners included."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", source, target], check=True)
