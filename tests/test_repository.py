"""What must hold of the repository as a whole: documents say what the code does, and layers are complete."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from pydantic import AnyUrl, BaseModel

from catalog.demo.works import read_works
from catalog.settings import CatalogSettings
from contracts.errors import STATUS, ClientCode, MeshCode
from foundation.release import RELEASE
from foundation.settings import ProcessSettings, list_aliases, read_aliases
from gateway.settings import GatewaySettings
from notifications.settings import NotifySettings
from pipeline.settings import TrainSettings
from servers.shell.settings import ServerSettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PYPROJECT["tool"]["importlinter"]["root_packages"]
SETTINGS: list[type[ProcessSettings]] = [
    CatalogSettings,
    GatewaySettings,
    NotifySettings,
    ServerSettings,
    TrainSettings,
    WorkerSettings,
]
EXAMPLES: dict[str, str] = json.loads((ROOT / "tests" / "settings_0_1_0.json").read_text())
"""Every variable of 0.1.0, with a value that is not its default."""
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
UNSAFE_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_ATTRIBUTES = {
    ("os", "system"),
    ("os", "popen"),
    ("torch", "load"),
    ("torch", "save"),
    ("yaml", "load"),
}


def read_table(document: str, *, columns: int) -> list[list[str]]:
    """The rows of all Markdown tables of a document that begin with a word in code."""
    lines = (ROOT / "docs" / document).read_text().splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")
    ]
    assert all(len(row) == columns for row in rows)
    return [[row[0].strip("` "), *row[1:]] for row in rows]


def variables(settings: type[BaseModel], prefix: str = "BOOKMESH_") -> Iterator[tuple[str, Any]]:
    """Every environment variable that a settings class reads, with its default."""
    for name, field in settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from variables(type(default), f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", default


def show(default: Any) -> str:
    """A default as docs/settings.md writes it."""
    match default:
        case None:
            return "`none`"
        case dict():
            return f"`{json.dumps(default)}`"
        case AnyUrl():
            return f"`{str(default).rstrip('/')}`"
        case _:
            return f"`{default}`"


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {name: default for name, _, default, _ in read_table("settings.md", columns=4)}

    assert documented == {name: show(default) for each in SETTINGS for name, default in variables(each)}


def test_every_settings_class_is_among_those_that_are_checked() -> None:
    found = {
        node.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(base, ast.Name) and base.id in {"BaseSettings", "ProcessSettings", "CatalogSettings"}
            for base in node.bases
        )
    }

    assert found == {each.__name__ for each in SETTINGS} | {"ProcessSettings"}


def test_every_setting_has_a_meaning_and_is_listed_once() -> None:
    rows = read_table("settings.md", columns=4)

    assert [row[0] for row in rows if len(row[3]) < 5] == []
    assert len({row[0] for row in rows}) == len(rows)


def test_no_two_settings_differ_by_a_prefix() -> None:
    names = {name.removeprefix("BOOKMESH_") for each in SETTINGS for name, _ in variables(each)}

    alike = {(a, b) for a in names for b in names if a != b and (b.startswith(a) or b.endswith(f"_{a}"))}

    assert alike == set()


def test_every_alias_is_documented_with_its_setting() -> None:
    documented = {
        alias: name
        for name, aliases, *_ in read_table("settings.md", columns=4)
        for alias in re.findall(r"`(\w+)`", aliases)
    }

    assert {alias for alias, name in documented.items() if alias not in list_aliases(name)} == set()
    assert {
        alias for alias in read_aliases() if not any(each.startswith(alias) for each in documented)
    } == set()
    assert EXAMPLES.keys() <= documented.keys() | {"BOOKMESH_HOME"}


def test_every_variable_of_the_readme_sets_something() -> None:
    named = set(re.findall(r"^\| `(BOOKMESH_\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    known = {name for each in SETTINGS for name, _ in variables(each)}

    assert len(named) == 4
    assert named <= known | {alias for name in known for alias in list_aliases(name)}


def read_setting(variable: str) -> list[Any]:
    """What each process that has this setting reads."""
    path = variable.removeprefix("BOOKMESH_").lower().split("__")
    return [reduce(getattr, path, each()) for each in SETTINGS if path[0] in each.model_fields]


@pytest.mark.parametrize("old", EXAMPLES)
def test_a_variable_of_0_1_0_is_still_read_by_each_process_that_has_its_setting(
    old: str, environment: pytest.MonkeyPatch
) -> None:
    name = find_name(old)
    defaults = read_setting(name)

    environment.setenv(old, EXAMPLES[old])
    found = read_setting(name)

    environment.delenv(old)
    environment.setenv(name, EXAMPLES[old])
    assert defaults
    assert found == read_setting(name)
    assert all(value != default for value, default in zip(found, defaults, strict=True))


@pytest.mark.parametrize("old", [old for old in EXAMPLES if old != "BOOKMESH_HOME"])
def test_a_setting_s_own_name_counts_more_than_its_alias(old: str, environment: pytest.MonkeyPatch) -> None:
    name = find_name(old)
    environment.setenv(name, EXAMPLES[old])
    found = read_setting(name)

    environment.setenv(old, "nonsense")

    assert read_setting(name) == found


def find_name(old: str) -> str:
    """What a variable of 0.1.0 is called now."""
    known = {name for each in SETTINGS for name, _ in variables(each)}
    return next(name for name in known if old == name or old in list_aliases(name))


def test_no_other_module_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if re.search(r"os\.environ|os\.getenv", path.read_text())
    ]

    # They only pass it on, to the processes that they start and to prometheus-client.
    assert readers == ["cli/production.py", "cli/supervisor.py"]


def test_every_error_code_is_documented_with_its_status() -> None:
    documented = {code: int(status) for code, status, *_ in read_table("errors.md", columns=4)}

    assert documented == STATUS
    assert list(documented) == [*ClientCode, *MeshCode]


def test_every_error_code_is_raised_or_mapped_somewhere() -> None:
    sources = "".join(path.read_text() for path in MODULES if path != ROOT / "contracts" / "errors.py")

    unused = [code for code in STATUS if f"{type(code).__name__}.{code.name}" not in sources]
    assert unused == []


def test_every_package_is_checked_for_layers_types_and_is_installed() -> None:
    on_disk = {
        path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("tests", "build")
    }

    included = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert on_disk == set(PACKAGES) == set(PYPROJECT["tool"]["mypy"]["packages"])
    assert on_disk == {pattern.removesuffix("*") for pattern in included}


def test_every_package_has_its_floor_and_none_may_import_in_a_circle() -> None:
    rules = {rule["type"]: rule for rule in PYPROJECT["tool"]["importlinter"]["contracts"]}
    floors = {package for floor in rules["layers"]["layers"] for package in floor.split(" | ")}

    assert floors == set(rules["acyclic_siblings"]["ancestors"]) == set(PACKAGES)


def test_every_server_is_independent_of_the_others() -> None:
    [rule] = [
        rule
        for rule in PYPROJECT["tool"]["importlinter"]["contracts"]
        if rule["type"] == "independence" and "servers.als" in rule["modules"]
    ]
    folders = {f"servers.{path.parent.name}" for path in (ROOT / "servers").glob("*/__init__.py")}

    assert set(rule["modules"]) == folders - {"servers.shell"}


def test_every_server_that_serves_is_closed_to_the_pipeline() -> None:
    [rule] = [
        rule
        for rule in PYPROJECT["tool"]["importlinter"]["contracts"]
        if rule.get("source_modules") == ["pipeline"]
    ]
    serving = {f"servers.{path.parent.name}.app" for path in (ROOT / "servers").glob("*/app.py")} - {
        "servers.shell.app"
    }

    assert serving | {"servers.shell", "middleware"} == set(rule["forbidden_modules"])


def test_the_architecture_lists_every_package() -> None:
    listed = re.findall(r"^\| `(\w+)/` \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(PACKAGES)


def test_every_package_folder_has_an_init_file() -> None:
    folders = {path.parent for path in MODULES}

    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_can_run_code_that_it_read(path: Path) -> None:
    assert list(find_unsafe(ast.parse(path.read_text()))) == []


def find_unsafe(tree: ast.AST) -> Iterator[str]:
    """Imports and calls that run code from data, or a shell."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name.split(".")[0] in UNSAFE_IMPORTS)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in UNSAFE_IMPORTS:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                yield f"{name}()"
            case ast.Attribute(value=ast.Name(id=owner), attr=attr) if (owner, attr) in UNSAFE_ATTRIBUTES:
                yield f"{owner}.{attr}"
            case ast.keyword(arg="shell" | "allow_pickle", value=ast.Constant(value=True)):
                yield f"{node.arg}=True"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from joblib import load", "eval('1')", "subprocess.run('ls', shell=True)",
        "np.load(p, allow_pickle=True)", "torch.load(p)", "os.system('ls')",
    ],
)  # fmt: skip
def test_the_search_for_unsafe_code_finds_it(source: str) -> None:
    assert len(list(find_unsafe(ast.parse(source)))) == 1


def test_the_demo_catalog_has_enough_works_and_none_twice() -> None:
    works = read_works()

    names = [(work.title.casefold(), *(author.casefold() for author in work.authors[:1])) for work in works]
    assert len(works) >= 600
    assert len(set(names)) == len(works)
    assert len({work.external_id for work in works}) == len(works)


def test_every_demo_work_is_complete_and_described_in_one_sentence() -> None:
    faults = [
        work.title
        for work in read_works()
        if not (
            work.title == work.title.strip()
            and -3000 <= work.year <= 2024
            and re.fullmatch(r"[a-z]{3}", work.language or "")
            and 2 <= len(work.subjects) <= 8
            and len(set(work.subjects)) == len(work.subjects)
            and is_one_sentence(work.description or "")
        )
    ]

    assert faults == []


def is_one_sentence(text: str) -> bool:
    """Begins with a capital letter or a figure, ends with a stop, and has no other end of a sentence."""
    inner = re.sub(r"\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|[A-Z])\.", "", text)
    ends = re.findall(r"[.!?][\"'”’)]?(?=\s+[A-Z])", inner)
    return len(text) >= 30 and text[0] not in " abcdefghijklmnopqrstuvwxyz" and text[-1] in ".!?" and not ends


def test_demo_works_share_a_vocabulary_of_subjects() -> None:
    subjects = [subject for work in read_works() for subject in work.subjects]

    lone = [subject for subject in set(subjects) if subjects.count(subject) == 1]
    assert len(lone) <= 3  # a misspelt subject would be one
    assert len({subject.casefold() for subject in subjects}) == len(set(subjects))


def test_the_changelog_names_the_current_version() -> None:
    headings = re.findall(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert any(RELEASE in heading for heading in headings)


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]

    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]

    assert broken == []


def test_every_make_target_and_command_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"^make ([a-z]+)", readme, re.MULTILINE)) <= targets
    assert {"setup", "run", "train", "test", "check", "fmt", "bench"} <= targets
