"""The house's own rules: floors, doors, sizes, docstrings, and that code, rules and README say the same.

What is only asked for in prose is forgotten; what stands here is kept.
"""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import cli
from verify.formulas import FUNCTIONS
from verify.pack_files import KINDS
from verify.rule_files import Message
from verify.rule_shapes import Shape
from verify.rulebook import Rulebook, load_rulebook

ROOT = Path(__file__).resolve().parent.parent
MODULES = [*sorted(p for p in (ROOT / "verify").rglob("*.py") if "installed" not in p.parts), ROOT / "cli.py"]
MAKERS = sorted((ROOT / "fixtures").rglob("*.py"))  # of made-up counties; they know nothing of the engine, and it nothing of them
SQL = sorted((ROOT / "verify").rglob("*.sql"))
TEMPLATES = sorted((ROOT / "verify").glob("*.jinja"))

RULE_FILES = ("rule_shapes", "rule_extracts", "rule_facts", "rule_decisions", "rule_files")
# Every module stands on one floor and imports only from below, or from its own floor without a circle.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"model", "problems", "interval", "privacy", "typed", "figures"}),
    frozenset({"settings", "key_files", *RULE_FILES, "pack_files", "packs", "rule_reading", "rule_texts", "parameter_tables", "rulebook", "manifest"}),
    frozenset({"keys", "store", "store_files", "store_held", "store_rows", "archive", "ledger", "decisions", "activations", "pair_decisions", "passing"}),
    frozenset(  # tools of stages
        {
            "fenced",
            "fenced_child",
            "packings",
            "book_sheets",
            "book_rows",
            "plain_books",
            "plain_sheets",
            "plain_values",
            "parquet_sheets",
            "tree_sheets",
            "xml_sheets",
            "foreign_sheets",
            "text_forms",
            "text_pieces",
            "text_sheets",
        }
        | {"record_counts", "repeats", "fen_sums", "plain_cells"}
        | {"citizen_id", "gates", "decoding", "columns", "row_checks", "manifest_list", "batches", "intake", "identities", "speech"}
        | {"formulas_interpreter", "opinion_rows", "second_opinion", "random_families", "example_answers", "boundaries", "probes"}
        | {"formulas_mutants", "formulas_units", "mutants", "rule_plans"}
        | {"decision_split", "formulas", "formulas_slopes", "formulas_tight", "formulas_readings"}
        | {"formulas_trees", "formulas_spans", "formulas_compiler", "layers", "fact_rows", "fact_values", "decision_sql", "parameters", "plan"}
        | {"parts", "faces", "cutting", "candidates", "needs_sql", "profiles", "guards", "holding", "arrivals", "identity", "linkage"}
        | {"pair_marks", "expected", "crowds", "people_keys", "link_scores"}
        | {"workbook", "workbook_guide", "workbook_lines", "workbook_text", "workbook_refused", "page", "layout", "labels", "paper", "font_cover", "withheld"}
        | {"terms", "touching", "likeness", "lines", "id_numbers", "at_once", "supposing", "kept_figures", "telling_families", "benefits"}
    ),
    frozenset({"stages"}),
    frozenset(  # stories
        {"coverage", "mutating", "mutating_words"}
        | {"rule_uses", "pack_checks", "pack_gaps", "pack_compare", "pack_page", "rule_values", "rule_checks", "rule_examples", "rule_reviews"}
        | {"pipeline", "spot", "explain", "explain_case", "looking", "nights", "sending", "again", "known_then", "rotation"}
        | {"explain_short", "explain_grey", "printed_book", "whatif", "asking", "scenarios", "simulate", "simulate_reach", "simulate_figures", "simulate_cost"}
        | {"simulate_words", "simulate_cost_words"}
        | {"activating", "fragile", "fragile_words", "whole_night", "case_report"}
        | {"deciding", "pruning", "working", "match_rows", "match_explain", "match_model", "match_scores"}
        | {"match_decide", "match_chart", "match_drift", "match_household", "match_household_hints", "match_household_bodies", "match_people"}
    ),
    frozenset(
        {"__init__", "cli", "shell", "making", "usage", "help_page"}
        | {"desk", "desk_asking", "desk_batches", "desk_extract", "desk_keys", "desk_match", "desk_packs", "desk_paper", "desk_rules"}
    ),
)
DOORS: dict[str, str] = {  # outside library: the modules that may import it
    "duckdb": r"store",
    "cryptography": r"keys",
    "pyarrow": r"store(_\w+)?|book_sheets|plain_books|parquet_sheets",
    "rapidfuzz": r"identity\.slips|linkage\.distances",
    "pypinyin": r"identity\.readings",
    "opencc": r"identity\.name_keys",
    "sqlglot": r"formulas(_\w+)?|layers|fact_rows|fact_values|decision_sql|decision_split|needs_sql|rule_examples|random_families|boundaries",
    "pydantic": r"rule_(shapes|extracts|facts|decisions|files)|pack_files|settings|rule_texts|scenarios",  # rule_texts catches its ValidationError
    "yaml": r"rule_texts",
    "xlsxwriter": r"workbook",
    "fastexcel": r"book_sheets",
    "defusedxml": r"xml_sheets",
    "numpy": r"record_counts|repeats|plain_(books|sheets|values)|text_pieces|identity\.name_keys|linkage\.\w+",
    "jinja2": r"page",
    "typst": r"paper",
    "typer": r"cli|shell|desk(_\w+)?|making|usage|help_page",
    "rich": r"speech",
    "polars": r"store(_files)?|citizen_id|identity\.name_keys|candidates|columns|row_checks|decoding|archive|batches|profiles|parameters|workbook(_\w+)?|page"
    r"|intake|supposing|simulate_words|fragile_words|stages\.\w+|linkage\.\w+|match_\w+|pair_marks|expected|crowds|people_keys|link_scores"
    r"|known_then|faces|parts|cutting|touching|likeness|lines|id_numbers|text_\w+|parquet_sheets|foreign_sheets|repeats|fen_sums|plain_cells",
}
CODE = re.compile(r"[EWN]-[A-Z0-9]+(-[A-Z0-9]+)*")
# Categories and alerts whose names are also the engine's own plain words cannot be told from a leak.
PLAIN_WORDS = {"none"}


def name_of(path: Path) -> str:
    """`stages.read` for verify/stages/read.py, `cli` for cli.py, `fixtures.county.people` for what lies there."""
    if path in MAKERS:
        return ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return "cli" if path.name == "cli.py" else ".".join(path.relative_to(ROOT / "verify").with_suffix("").parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def book() -> Rulebook:
    return load_rulebook(ROOT / "rules")


@cache
def sources() -> dict[str, Path]:
    return {name_of(path): path for path in MODULES}


def floor_of(module: str) -> int:
    top = module.split(".", maxsplit=1)[0]
    found = [at for at, floor in enumerate(FLOORS) if top in floor]
    assert found, f"verify/{module}.py stands on no floor; add it to FLOORS in tests/test_house.py"
    return found[0]


def imports_of(path: Path, *, at_load: bool = False) -> Iterator[str]:
    """Full names of what a module imports; `at_load` leaves out what is imported inside functions or for types."""
    nodes: Iterator[ast.AST] = iter(tree_of(path).body) if at_load else ast.walk(tree_of(path))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(imported: str) -> str | None:
    """The module of ours that an import names, or None."""
    if not imported.startswith("verify"):
        return None
    parts = imported.split(".")[1:]
    while parts and ".".join(parts) not in sources() and parts != ["stages"]:
        parts.pop()
    return ".".join(parts) or "__init__"


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of the nodes that are docstrings."""
    owners = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
    return {id(n.body[0].value) for n in owners if n.body and isinstance(n.body[0], ast.Expr)}


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string in the code that is not a docstring."""
    tree = tree_of(path)
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    yield from (n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef))


# --- floors and doors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_look_down(path: Path) -> None:
    me = name_of(path)
    for imported in imports_of(path):
        other = ours(imported)
        if other is None or imported == "verify.__version__":
            continue
        assert floor_of(other) <= floor_of(me), f"{me} imports {other}, which stands above it"
        if me.startswith("stages.") and other.startswith("stages."):
            assert other.startswith(f"{me}_"), f"stage {me} imports stage {other}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_each_outside_library_has_one_door(path: Path) -> None:
    for imported in imports_of(path):
        top = imported.split(".")[0]
        if top in sys.stdlib_module_names or top == "verify":
            continue
        assert top in DOORS, f"{name_of(path)} imports {top}, which has no door in tests/test_house.py"
        assert re.fullmatch(DOORS[top], name_of(path)), f"{name_of(path)} imports {top} past its door"


@pytest.mark.parametrize("path", MAKERS, ids=name_of)
def test_the_makers_do_not_ask_the_engine(path: Path) -> None:
    asked = {i for i in imports_of(path, at_load=True) if i.split(".")[0] == "verify" and not i.startswith("verify.problems")}
    runs_it = path.parent.name == "golden" and path.stem == "results"  # it takes what a night says as what is to be judged
    assert asked == set() or runs_it


def test_no_circles() -> None:
    graph = {me: {o for i in imports_of(path, at_load=True) if (o := ours(i)) and o != me} for me, path in sources().items()}
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"import circle: {' > '.join((*above, module))}"
        if module not in done:
            for other in sorted(graph.get(module, ())):
                visit(other, (*above, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


def test_help_loads_no_heavy_library() -> None:
    script = "import sys, cli\ntry: cli.app(['--help'])\nexcept SystemExit: pass\nprint(sorted({'duckdb','polars','pydantic','pyarrow'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.rstrip().endswith("[]")


# --- sizes and docstrings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*MODULES, *MAKERS], ids=name_of)
def test_sizes(path: Path) -> None:
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= 250, f"a module holds 250 lines, this one has {length}"
    for function in functions(path):
        assert (function.end_lineno or 0) - function.lineno < 40, f"{function.name} is over 40 lines"
        args = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs) if a.arg not in {"self", "cls"}]
        of_a_command = any(ast.unparse(d).split("(")[0].endswith((".command", ".callback")) for d in function.decorator_list)  # its options are its users'
        assert len(args) <= 5 or of_a_command, f"{function.name} takes {len(args)} parameters"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef) and path.name != "rulebook.py":  # the rule book has a door for each kind of entry
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("__")]
            assert len(methods) <= 8, f"{node.name} has {len(methods)} methods"
    assert not re.search(r"(^|_)(utils?|helpers?|manager|misc|common)$", path.stem)


@pytest.mark.parametrize("path", [*MODULES, *MAKERS], ids=name_of)
def test_whatever_is_public_says_what_it_is(path: Path) -> None:
    tree = tree_of(path)
    public: list[ast.AST] = [tree]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            public.append(node)
            if isinstance(node, ast.ClassDef):
                public += [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
    for node in public:
        assert isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        said = ast.get_docstring(node) or ""
        first = said.split("\n\n")[0].replace("\n", " ").strip()
        name = getattr(node, "name", "the module")
        assert first, f"{name} has no docstring"
        assert first.endswith((".", ":")) or "." in first, f"the docstring of {name} does not open with a sentence"


# --- what belongs to rules/ stays there -------------------------------------------------------------------------------


def forbidden_words() -> dict[str, str]:
    """Every name that belongs to rules/: extract codes, columns, categories, alerts."""
    words: dict[str, str] = {}
    for extract in book().extracts.values():
        words[extract.extract] = "an extract"
        for column in extract.columns:
            words |= dict.fromkeys((column.column, *column.also_called), "a column")
    table = book().decision
    words |= dict.fromkeys([*(row.then for row in table.rows), table.otherwise.then, table.unknown.then], "a category")
    findings = {alert.finding for alert in book().alerts}
    words |= {alert.alert: "an alert" for alert in book().alerts if alert.alert not in findings}
    return {word: kind for word, kind in words.items() if word not in PLAIN_WORDS}


@pytest.mark.parametrize("path", [*MODULES, *SQL], ids=str)
def test_no_module_names_an_extract_a_column_a_category_or_an_alert(path: Path) -> None:
    texts = [(0, path.read_text(encoding="utf-8"))] if path.suffix == ".sql" else list(literals(path))
    words = forbidden_words()
    named = re.compile(r"(?<!\w)(" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + r")(?!\w)")
    for line, text in texts:
        found = named.findall(text)
        assert not found, f"{path.name}:{line} names {', '.join(f'{words[w]} ({w})' for w in found)}"


# --- the catalogue ----------------------------------------------------------------------------------------------------


def codes_in_code() -> set[str]:
    texts = [text for path in [*MODULES, *MAKERS] for _, text in literals(path)] + [p.read_text(encoding="utf-8") for p in SQL]
    return {code for text in texts for code in re.findall(r"(?<![\w-])[EWN]-[A-Z0-9]+(?:-[A-Z0-9]+)*(?![\w-])", text)}


def test_every_code_has_its_sentences_and_every_sentence_its_code() -> None:
    used, told = codes_in_code(), set(book().messages)
    assert used - told == set(), "codes without a message in rules/messages/"
    assert told - used == set(), "messages that nothing raises"
    assert all(CODE.fullmatch(code) for code in told)


@pytest.mark.parametrize("message", book().messages.values(), ids=lambda m: m.message)
def test_both_languages_say_the_same(message: Message) -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for part in ("what", "why", "mend"):
        zh, en = getattr(message.zh, part), getattr(message.en, part)
        assert all((zh, en)), f"{part} is empty"
        assert gaps(zh) == gaps(en), f"{part} is filled differently"
    assert not message.en.what.isascii() or message.zh.what != message.en.what


def test_every_word_is_used_and_every_word_asked_for_exists() -> None:
    families = ("stage_", "method_", "status_", "reason_", "count_", "label_", "severity_", "advice_", "source_", "county_")
    families += ("pair_state_", "household_tie_", "household_hint_", "people_how_")
    families += ("short_", "book_", "say_", "match_field_", "match_level_", "match_group_", "match_by_", "due_", "pack_kind_", "pack_said_", "gap_")
    families += ("pack_page_",)
    texts = {text for path in [*MODULES, *MAKERS] for _, text in literals(path)}
    texts |= {word for path in TEMPLATES for word in re.findall(r"'(\w+)'", path.read_text(encoding="utf-8"))}
    unused = {key for key in book().words if not key.startswith(families)} - texts
    assert unused == set(), "words nobody says"
    said = re.compile(r"(?:\bword\(|_word\(book, |words\[)['\"](\w+)['\"]")
    asked = {key for path in MODULES for key in said.findall(path.read_text(encoding="utf-8"))}
    assert {"household", "home_made", "guide_title"} <= asked, "this test must see what is asked for"
    assert asked - set(book().words) == set(), "words that the catalogue lacks"


# --- papers agree with code -------------------------------------------------------------------------------------------


def commands_in(text: str) -> Iterator[list[str]]:
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", text, flags=re.DOTALL):
        for line in block.splitlines():
            words = line.removeprefix("$ ").split("#")[0].split()
            if words and words[0] in {"make", "hedui", ".venv/bin/hedui"}:
                yield words


def test_the_commands_of_the_readmes_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    known = {str(c.name or (c.callback.__name__ if c.callback else "")) for c in cli.app.registered_commands} | {str(g.name) for g in cli.app.registered_groups}
    found = [words for page in ("README.md", "rules/README.md") for words in commands_in((ROOT / page).read_text(encoding="utf-8"))]
    assert ["make", "demo"] in found
    assert ["make", "test"] in found
    for words in found:
        said = next(word for word in words[1:] if not word.startswith("-") and "=" not in word)
        assert said in (targets if words[0] == "make" else known), f"no such command: {' '.join(words)}"


def test_ci_runs_the_readmes_test_command() -> None:
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert all(f"&& make {check} || failed=1" in text for check in ("test", "lint", "types"))
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_every_dependency_has_its_reason_and_its_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[<>=]", d)[0].lower() for d in (*project["dependencies"], *project["optional-dependencies"]["dev"])}
    told = {name.lower() for name in re.findall(r"^\| `([\w-]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)}
    assert wanted == told, "pyproject.toml and the README's table differ"
    locked = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    assert wanted <= set(re.findall(r"^([a-z0-9-]+)==", locked, flags=re.MULTILINE))
    assert "://" not in locked, "a lock names no registry"
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", locked.strip()))


def test_the_rules_readme_explains_every_key_of_every_kind() -> None:
    page = (ROOT / "rules/README.md").read_text(encoding="utf-8")
    shapes = {shape for kind in KINDS.values() for shape in reachable(kind)}
    for shape in sorted(shapes - {Shape}, key=lambda s: s.__name__):
        for name, field in shape.model_fields.items():
            assert re.search(rf"`{field.alias or name}[`:]", page), f"rules/README.md does not explain {shape.__name__}.{field.alias or name}"


def reachable(shape: type) -> set[type[Shape]]:
    """A shape and all shapes its keys are made of."""
    found: set[type[Shape]] = set()
    left = [shape]
    while left:
        one = left.pop()
        if isinstance(one, type) and issubclass(one, Shape) and one not in found:
            found.add(one)
            for field in one.model_fields.values():
                left += inner_types(field.annotation)
    return found


def inner_types(kind: object) -> list[type]:
    """The classes a type annotation is made of."""
    args = getattr(kind, "__args__", ())
    return [kind] if isinstance(kind, type) and not args else [t for a in args for t in inner_types(a)]


def test_the_rules_readme_explains_every_function_of_the_language() -> None:
    page = (ROOT / "rules/README.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"`{name}(" not in page] == []
