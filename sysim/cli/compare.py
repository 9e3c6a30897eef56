"""``sysim compare``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import engine_option, json_option, store_option, workers_option

if TYPE_CHECKING:
    from sysim.analysis.compare import Side
    from sysim.api import Scenario


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="Replace one value, on both sides.",
)  # fmt: skip
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Give a parameter another value, on both."
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Another seed than that of A, for both.")
@click.option("--replications", "-n", type=click.IntRange(1), help="How many runs of each; that of A, or 10.")
@workers_option
@engine_option
@store_option
@json_option
@click.option("--all", "everything", is_flag=True, help="Also what does not differ beyond chance.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    a: str,
    b: str,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
    engine: Any,
    store: str | None,
    as_json: bool,
    everything: bool,
    quiet: bool,
) -> None:
    """Say what differs between A and B, in the scenario and in what happens.

    Each is FILE, FILE@VARIANT, or a stored result: a run of the store by its number or as `last`, with @VARIANT for
    one of `check`, as 7@patient or PATH#7@patient; the result.json that `run --out` wrote, or
    check.json@VARIANT of `check --out`. Scenarios are simulated with the same random numbers and compared
    run by run.
    """
    from sysim.analysis.compare import compare
    from sysim.cli.progress import progress

    files = [_resolve(text, settings, params, store) for text in (a, b)]
    scenarios = [some for some in files if not callable(some)]
    if len(scenarios) < 2 and (settings or params) and not scenarios:
        raise click.UsageError("--set and --param change scenarios, and both sides are stored results")
    with progress(engine, quiet or not scenarios) as note:
        sides = [
            some() if callable(some)
            else _simulated(some, scenarios[0], text, k, seed, replications, workers, engine, note)
            for k, (some, text) in enumerate(zip(files, (a, b), strict=True))
        ]  # fmt: skip
    found = compare(sides[0], sides[1])
    if as_json:
        click.echo(json.dumps(found.to_dict(), allow_nan=False, ensure_ascii=False))
        return
    from sysim.report.comparison import show_comparison

    show_comparison(found, sys.stdout, everything)


def _resolve(
    text: str, settings: tuple[str, ...], params: tuple[str, ...], store: str | None
) -> Scenario | Callable[[], Side]:
    """The scenario that an argument names, or how to read the stored result."""
    from sysim.cli.options import read

    file, at, variant = text.rpartition("@")
    if not at or Path(text).exists():
        file, variant = text, ""
    path, mark, run = file.rpartition("#")
    if mark and (run.isdecimal() or run == "last"):
        return lambda: _of_store(path, run, variant, text)
    if store and (file.isdecimal() or file == "last") and not Path(file).exists():
        return lambda: _of_store(store, file, variant, text)
    if file.endswith(".json"):
        return lambda: _stored(file, variant, text)
    return read(file, variant or None, settings, params)


def _stored(file: str, variant: str, text: str) -> Side:
    from sysim.analysis.compare import Side
    from sysim.errors import SysimError

    try:
        facts = json.loads(Path(file).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SysimError(f"{file}: found no JSON, expected a result of sysim run or check ({error})") from None
    folder = Path(file).parent
    if isinstance(facts, dict) and isinstance(facts.get("variants"), dict):
        names = ", ".join(facts["variants"])
        if variant not in facts["variants"]:
            found = f"the variant {variant!r}" if variant else "no variant"
            raise SysimError(f"{file}: found {found}, expected {file}@NAME with one of {names}")
        facts, folder = facts["variants"][variant], folder / variant
    elif variant:
        raise SysimError(f"{file}: found the variant {variant!r}, but this is the result of a single one")
    if not isinstance(facts, dict) or not facts.get("runs") or facts.get("format") != 1:
        raise SysimError(f"{file}: found no runs of format 1, expected a result of sysim run or check")
    scenario = folder / "scenario.yaml"
    tree = _tree(scenario.read_text(encoding="utf-8")) if scenario.is_file() else None
    return Side(text, facts["runs"], tree, facts["scenario"]["digest"])


def _of_store(path: str, run: str, variant: str, text: str) -> Side:
    from sysim.analysis.compare import Side
    from sysim.store import StoreError, open_store

    with open_store(path) as store:
        facts = store.load(run, series=False)
    result = facts["result"]
    if result is None:
        raise StoreError(f"{path}: run {facts['id']} has no result: it is {facts['state']}")
    if facts["kind"] not in ("run", "check"):
        raise StoreError(f"{path}: run {facts['id']} is a {facts['kind']}, expected a `sysim run` or `sysim check`")
    if facts["kind"] == "check":
        names = ", ".join(result["variants"])
        if variant not in result["variants"]:
            found = f"the variant {variant!r}" if variant else "no variant"
            raise StoreError(f"{path}: found {found} of run {facts['id']}, expected {text}@NAME with one of {names}")
        result = result["variants"][variant]
    elif variant and variant != result["variant"]:
        ran = f"{result['variant']!r}" if result["variant"] else "without one"
        raise StoreError(f"{path}: found the variant {variant!r}, but run {facts['id']} was {ran}")
    kept = facts["scenarios"]
    name = variant if facts["kind"] == "check" else next(iter(kept))
    return Side(text, result["runs"], _tree(kept[name]), result["scenario"]["digest"])


def _tree(text: str) -> dict[str, Any] | None:
    """A resolved scenario as it is stored: so a fresh result and a stored one differ in what was changed only."""
    import yaml

    found = yaml.load(text, Loader=yaml.BaseLoader)
    return found if isinstance(found, dict) else None


def _simulated(
    scenario: Scenario,
    first: Scenario,
    text: str,
    k: int,
    seed: int | None,
    replications: int | None,
    workers: int,
    engine: Any,
    note: Callable[[float], None] | None,
) -> Side:
    from sysim.analysis.compare import Side
    from sysim.api import simulate
    from sysim.checking import FEW_REPLICATIONS

    given = "replications" in first.model.model_fields_set
    result = simulate(
        scenario,
        seed=first.model.seed if seed is None else seed,
        replications=replications or (first.model.replications if given else FEW_REPLICATIONS),
        engine=engine,
        workers=workers,
        progress=None if note is None else lambda share: note((k + share) / 2),
    )
    return Side(text, result.to_dict()["runs"], _tree(scenario.to_yaml()), result.digest)
