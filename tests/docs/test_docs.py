"""What the documentation shows is true: its commands run, its scenarios are valid, its tables are complete."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import sysim
from sysim import scenario_file
from sysim.cli import COMMANDS, cli
from sysim.plan.tables import OUTCOMES
from tests.docs import blocks as docs

ROOT, DOCS, PAGES = docs.ROOT, docs.DOCS, docs.PAGES
REFERENCE = DOCS / "reference"
names = [str(page.relative_to(ROOT)) for page in PAGES]
by_page = pytest.mark.parametrize("page", PAGES, ids=names)
LONG = {DOCS / "guides" / "metastability.md", DOCS / "guides" / "year.md"}


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the one of a reader: experiments, models, and the shop of the tutorial."""
    for folder in ("experiments", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for example in (DOCS / "examples").iterdir():
        shutil.copy(example, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.long) if page in LONG else page for page in PAGES], ids=names
)
def test_blocks(page: Path, workshop: Path) -> None:
    names: dict[str, Any] = {"__name__": "docs"}
    printed: str | None = None
    for block in docs.blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.language == "console":
            _console(block, where)
        elif block.language == "yaml":
            _scenario(block, where, workshop)
        elif block.language == "python":
            out = io.StringIO()
            with redirect_stdout(out):
                exec(compile(block.text, where, "exec"), names)
            printed = out.getvalue()
            continue
        elif block.language == "text" and printed is not None:
            lines = [line for line in block.text.splitlines() if line.strip()]
            line = docs.missing(lines, printed)
            assert line is None, f"{where}: {line!r} is not in\n{printed}"
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "sh":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            for target in re.findall(r"\bmake ([a-z-]+)", block.text):
                assert target in targets, f"{where}: there is no make {target}"
        else:
            assert block.language in ("text", "{toctree}"), f"{where}: say what this block is"
        printed = None


def _console(block: Any, where: str) -> None:
    code, told = 0, True
    for command, shown in docs.commands(block):
        words = shlex.split(command, comments=True)
        if words == ["echo", "$?"]:
            assert shown == [str(code)], f"{where}: {command!r} gives {code}"
            told = True
            continue
        assert told, f"{where}: the command before {command!r} exits with {code}; show `$ echo $?`"
        if words[0] == "ls":
            printed = "\n".join(sorted(path.name for path in Path(words[-1]).iterdir()))
            code = 0
        else:
            assert words[0] == "sysim", f"{where}: {command!r} is not tried by this test"
            file = words[words.index(">") + 1] if ">" in words else None
            code, out, err = _sysim(words[1 : words.index(">") if file else None])
            if file:
                Path(file).write_text(out, encoding="utf-8")
            printed = err + out
        line = docs.missing(shown, printed)
        assert line is None, f"{where}: {command!r} does not print {line!r}, but\n{printed}"
        told = code == 0
    assert told, f"{where}: the last command exits with {code}; show `$ echo $?`"


def _sysim(words: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        cli.main(words, prog_name="sysim")
    code = ended.value.code
    return code if isinstance(code, int) else 0, out.getvalue(), err.getvalue()


def _scenario(block: Any, where: str, folder: Path) -> None:
    named = re.match(r"# ([\w/-]+\.yaml)\n", block.text)
    if named:
        (folder / named[1]).write_text(block.text, encoding="utf-8")
        if named[1].startswith("broken"):
            return
    text = block.text
    if "sysim: 1" not in text:
        text = f"sysim: 1\ninclude: [shop.yaml]\n{text}"
    place = folder / "tried.yaml"
    place.write_text(text, encoding="utf-8")
    try:
        from sysim.api import plan_of

        scenario = sysim.load(place)
        for variant in (None, *scenario.variants):
            plan_of(sysim.load(place, variant=variant))
    except sysim.ScenarioError as error:
        pytest.fail(f"{where}: {error}")


@by_page
def test_links(page: Path) -> None:
    for link in docs.links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link} leads nowhere"
        if anchor:
            assert anchor in docs.anchors(target), f"{page.name}: {target.name} has no heading #{anchor}"


@pytest.mark.parametrize("index", [DOCS / "index.md", DOCS / "adr" / "index.md"], ids=["docs", "adr"])
def test_every_page_is_listed(index: Path) -> None:
    """In the text for readers, and in the hidden tree for Sphinx."""
    linked = {(index.parent / link).resolve() for link in docs.links(index)}
    tree = {line for block in docs.blocks(index) for line in block.text.splitlines()}
    for page in index.parent.rglob("*.md"):
        below_adr = page.is_relative_to(DOCS / "adr") and page.name != "index.md" and index.parent == DOCS
        if page == index or below_adr:
            continue
        assert page in linked, f"{index.relative_to(ROOT)} has no link to {page.name}"
        name = str(page.relative_to(index.parent))[:-3]
        assert name in tree or "0*" in tree, f"{name} is in no toctree of {index.relative_to(ROOT)}"


# --- the reference -------------------------------------------------------------------------------------------------


def _keys(schema: Any, at: str, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Every map of the schema that lists its keys: where it stands -> the keys of all its forms."""
    if isinstance(schema, list):
        for part in schema:
            _keys(part, at, found)
    elif isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            found.setdefault(at, set()).add(name)
            _keys(part, f"{at}.{name}" if at != "top" else name, found)
        for name in ("anyOf", "items", "additionalProperties", "patternProperties"):
            part = schema.get(name)
            _keys(list(part.values()) if name == "patternProperties" and part else part, at, found)
    return found


def test_every_key_of_the_scenario_file() -> None:
    schema = scenario_file.schema()
    keys = _keys({name: part for name, part in schema.items() if name != "$defs"}, "top", {})
    for name, part in schema["$defs"].items():
        _keys(part, name, keys)
    # Named definitions carry the names of the top-level parts; `load` and `policies` are maps of them.
    tables = docs.tables(REFERENCE / "scenario_file.md", "keys")
    assert sorted(tables) == sorted(keys)
    for place, words in tables.items():
        assert sorted(words) == sorted(keys[place]), f"the table of {place}"


def test_every_part_that_is_refused() -> None:
    """The list of the README and that of the reference are the list in the code."""
    later = _later()
    for page in (ROOT / "README.md", REFERENCE / "scenario_file.md"):
        text = page.read_text(encoding="utf-8")
        section = re.search(r"\n## [^\n]*(?:refuse|not supported)[^\n]*\n(.*?)(?=\n## |\Z)", text, re.S)
        assert section is not None
        words = set(re.findall(r"`([\w-]+)`", section[1]))
        unknown = later - words
        if page.name == "README.md":
            unknown -= PRESETS_AND_BALANCERS
        assert not unknown, f"{page.name} does not say that {sorted(unknown)} are not supported yet"


PRESETS_AND_BALANCERS = {
    "hystrix", "polly", "istio", "finagle", "linkerd", "gobreaker", "ring_hash", "maglev", "weighted_round_robin",
    "weighted_random", "ewma", "p2c", "sticky", "zone", "preset",
}  # fmt: skip


def _later() -> set[str]:
    """All words of the format that are refused with ``not-supported-yet``, found by asking every shape."""
    from sysim.scenario_file.grammar import SCENARIO
    from sysim.scenario_file.shapes import Shape

    seen: set[int] = set()
    words: set[str] = set()
    stack: list[Any] = [SCENARIO]
    while stack:
        shape = stack.pop()
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        if isinstance(shape, Shape):
            words |= set(getattr(shape, "later", ()))
            try:
                named = getattr(shape, "shape", None)
            except RecursionError:
                named = None
            stack += [named, *(value for value in vars(shape).values())]
        elif isinstance(shape, dict):
            stack += shape.values()
        elif isinstance(shape, (list, tuple)):
            stack += shape
        elif hasattr(shape, "_fields") or type(shape).__name__ == "Form":
            stack += [getattr(shape, name) for name in ("shape",) if hasattr(shape, name)]
    return words


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option(name: str) -> None:
    command = getattr(import_module(f"sysim.cli.{name.replace('-', '_')}"), "command")  # noqa: B009
    assert isinstance(command, click.Command)
    options = {
        word
        for param in command.get_params(click.Context(command, help_option_names=["-h", "--help"]))
        if isinstance(param, click.Option)
        for word in param.opts
    }
    shown = docs.tables(REFERENCE / "command_line.md", "options").get(name, [])
    assert sorted(word.split()[0] for word in shown) == sorted(options)


def test_every_outcome() -> None:
    shown = docs.tables(REFERENCE / "outcomes.md", "outcomes")["all"]
    assert tuple(shown) == OUTCOMES


def test_json_result(workshop: Path) -> None:
    """The example has the keys of a real result, all of them and no others; its numbers are not looked at."""
    block = next(b for b in docs.blocks(REFERENCE / "json_result.md") if b.language == "json")
    shown = json.loads(block.text)
    result = sysim.simulate(sysim.load(workshop / "json_example.yaml"), replications=2)
    _same_keys(shown, result.to_dict(series=True), "")


def _same_keys(shown: Any, real: Any, at: str) -> None:
    if isinstance(shown, dict) and isinstance(real, dict):
        if "…" not in shown:
            assert set(shown) == set(real), f"at {at or 'the top'}"
        for key in set(shown) - {"…"}:
            assert key in real, f"at {at or 'the top'}"
            _same_keys(shown[key], real[key], f"{at}.{key}")
    elif isinstance(shown, list) and isinstance(real, list) and shown and real:
        _same_keys(shown[0], real[0], f"{at}[0]")


def test_examples_are_valid(workshop: Path) -> None:
    for example in (DOCS / "examples").glob("*.yaml"):
        assert yaml.safe_load(example.read_text())["sysim"] == 1
        assert sysim.load(example).warnings == ()
