"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from fastapi.routing import APIRoute

from app.main import described
from app.settings import Settings
from app.views.messages import LANGUAGES, MESSAGES
from app.web.routes import ResourceRoute

ROOT = Path(__file__).parents[2]
APP = sorted((ROOT / "app").rglob("*.py"))
PYTHON = [*APP, *sorted((ROOT / "tests").rglob("*.py"))]
LONG_BY_NATURE = ("migrations",)  # Alembic's own shape
ERRORS = re.compile(
    "Invalid Unreadable NotFound Conflict PreconditionFailed PreconditionRequired Unauthenticated "
    "Forbidden TooLarge TooDeep UnsupportedMedia TooSlow TooMany Unavailable UriTooLong "
    "HeadTooLarge Crash Fault Reason Step Uncounted refused _refused".replace(" ", "|")
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.slow
def test_imports_point_one_way() -> None:
    checked = subprocess.run(  # noqa: S603 - our own linter
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


# Arrays and special functions, which nobody writes again; pure arithmetic as well.
ARITHMETIC = {"numpy", "scipy"}


def test_the_domain_imports_the_standard_library_and_itself() -> None:
    graph = grimp.build_graph("app", include_external_packages=True, cache_dir=None)
    domain = {module for module in graph.modules if module.split(".")[:2] == ["app", "domain"]}
    assert domain
    outside = {
        f"{module} -> {imported}"
        for module in domain
        for imported in graph.find_modules_directly_imported_by(module)
        if imported not in domain
        and imported.split(".")[0] not in sys.stdlib_module_names | ARITHMETIC
    }
    assert outside == set()


@pytest.mark.parametrize("path", APP, ids=name)
def test_no_function_is_longer_than_60_lines_and_no_file_than_350(path: Path) -> None:
    if any(part in str(path) for part in LONG_BY_NATURE):
        return
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_no_file_knows_the_machine_it_was_written_on(path: Path) -> None:
    if path == Path(__file__):
        return
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"/(?:work|root|home|Users)/\w+", text)
    # A plan's tree begins at /root, and these are the places in it.
    pointer = re.compile(r"/root/(?:parts|conversion|influences|metric|target|pinned|currency)\b")
    found = [place for place in found if not pointer.fullmatch(place)]
    assert found == []


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_a_silenced_check_says_why(path: Path) -> None:
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if "# noqa" in line or "# type: ignore" in line:
            reason = re.sub(r"# (?:noqa|type: ignore)[^#]*?(?: - |\] # )", "REASON ", line)
            assert "REASON" in reason, f"{name(path)}:{number}"


def codes() -> Iterator[tuple[str, str]]:
    """Every code that is written where an error is made, with its place."""
    parsed = {path: ast.parse(path.read_text(encoding="utf-8")) for path in APP}
    methods = {
        makes: place
        for tree in parsed.values()
        for holder in ast.walk(tree)
        if isinstance(holder, ast.ClassDef)
        for makes, place in makers(holder.body)
    }
    for path, tree in parsed.items():
        # What is called by its bare name is the file's own; a method may be anybody's.
        functions = dict(makers(tree.body))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            made = ast.unparse(node.func).rpartition(".")[2]
            known = functions if isinstance(node.func, ast.Name) else methods
            places = {known[made]} if made in known else set()
            places |= {1 if made == "Fault" else 0} if ERRORS.fullmatch(made) else set()
            for place in places:
                if len(node.args) > place:
                    for text in constants(node.args[place]):
                        yield text, f"{name(path)}:{node.lineno}"


def makers(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Functions that make an error of a parameter `code`, and which of their arguments it is."""
    for function in body:
        # An error's own constructor is called by the error's name.
        if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
            continue
        given = [one.arg for one in function.args.args if one.arg != "self"]
        if "code" in given and any(makes_an_error(node) for node in ast.walk(function)):
            yield function.name, given.index("code")


def makes_an_error(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    made = ast.unparse(node.func).rpartition(".")[2]
    by = [one.id for one in node.args if isinstance(one, ast.Name)]
    return ERRORS.fullmatch(made) is not None and "code" in by


def constants(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be; one that is put together is not looked into."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from constants(body)
            yield from constants(orelse)


def of_file(path: str) -> set[str]:
    return {text for text, place in codes() if place.startswith(path)}


def test_codes_are_seen_wherever_an_error_is_made_of_them() -> None:
    seen = {place.partition(":")[0]: text for text, place in codes() if text == "not_an_id"}
    # Of a function of the file's own, of a method, and of an error itself.
    assert "app/intake/providers/pipedrive.py" in seen
    assert {"required", "not_a_close_key"} <= of_file("app/intake/providers/close.py")
    assert {"required", "not_a_name", "not_a_text"} <= of_file("app/intake/records.py")


def test_every_code_has_its_sentences() -> None:
    silent = {f"{code} ({place})" for code, place in codes() if code not in MESSAGES}
    assert silent == set()


def test_every_sentence_speaks_every_language_of_the_same_parameters() -> None:
    for code, texts in MESSAGES.items():
        assert len(texts) == len(LANGUAGES), code
        english, japanese = (set(re.findall(r"{(\w+)}", text)) for text in texts)
        assert english == japanese, code
        assert re.search(r"[ぁ-んァ-ン一-龥]", texts[1]), code
        assert texts[0].isascii(), code


def test_every_operation_asks_for_a_key_or_is_known_not_to() -> None:
    # A hook's secret is in its address; probes and the document tell nothing.
    open_tags = {"operations", "hooks"}
    paths = described(Settings()).openapi()["paths"]
    unguarded = {
        f"{method} {path}"
        for path, item in paths.items()
        for method, operation in item.items()
        if not operation.get("security") and not open_tags & set(operation["tags"])
    }
    assert unguarded == set()


def test_every_resource_route_is_strict() -> None:
    lenient = {
        route.path
        for route in described(Settings()).routes
        if isinstance(route, APIRoute) and not isinstance(route, ResourceRoute)
    }
    assert lenient == set()


def test_nobody_walks_the_routes_of_the_app() -> None:
    # Whoever needs a template asks `Templates`.
    walkers = {
        name(path)
        for path in APP
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "routes"
    }
    assert walkers == {"app/web/service.py"}
