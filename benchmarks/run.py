"""The benchmark table: sysim beside a heapq loop, SimPy and C, all measured in one sequence on one machine.

    python benchmarks/run.py              print the table
    python benchmarks/run.py --quick      fewer repeats, without the slowest yardstick
    python benchmarks/run.py --write      print it, and save it to benchmarks/README.md
    python benchmarks/run.py --day        with a whole Grand National day, which takes minutes
    python benchmarks/run.py --only-day   that alone; with --write its rows replace those of the saved table

A useful event is an arrival at a station, a completion, a fired timeout or a retry. A row that cannot be
measured says why and the others go on.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
YARDSTICKS = HERE / "yardsticks"
SCENARIOS = HERE / "scenarios"
EXPERIMENTS = HERE.parent / "experiments"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

# What each yardstick is told; the scenario files of the same name describe the same systems.
SIMPY = {
    "mm1": ["simpy_mmc.py", "--servers", "1"],
    "mm10": ["simpy_mmc.py", "--servers", "10"],
    "graph_large": ["simpy_graph.py", "large"],
    "graph_small": ["simpy_graph.py", "small"],
}
C = {
    "mm1": ["c_mm1", "1", "800", "0.001", "6000", "10", "1"],
    "mm10": ["c_mm1", "10", "8000", "0.001", "600", "1", "1"],
    "graph_large": ["c_graph", "10000", "2500", "60", "1", "1"],
    "graph_small": ["c_graph", "152", "38", "4000", "10", "1"],
}
# NumPy asks the kernel for huge pages; the C programs get them too, where glibc can. Without them the large
# graph varies by a factor of two with where its pages happen to lie in the cache.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class Missing(Exception):
    """A figure that cannot be had here, and why."""


@dataclass(frozen=True)
class Rate:
    """How fast one program simulates one system."""

    events: float  # useful events a second
    requests: float  # user requests a second
    latency_s: float | None = None  # mean, to see that two programs simulate the same thing


@dataclass(frozen=True)
class Target:
    """The three marks of a row; smaller is better where `least` is false."""

    must: float
    good: float | None = None
    stretch: float | None = None
    least: bool = True

    def reached(self, value: float) -> str:
        name = "missed"
        for label, mark in (("must", self.must), ("good", self.good), ("stretch", self.stretch)):
            if mark is not None and (value >= mark if self.least else value <= mark):
                name = label
        return name


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    target: str
    reached: str


class Bench:
    """Takes measurements, each at most once, and knows how often to repeat them."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.repeat = 1 if quick else 5
        self._taken: dict[tuple[str, str], Rate | Missing] = {}

    def rate(self, program: str, system: str) -> Rate:
        """The speed of `program` (heapq, simpy, c, c-bare, compiled, reference) on `system`."""
        if (program, system) not in self._taken:
            say(f"{program} on {system} …")
            try:
                self._taken[program, system] = self._measure(program, system)
            except Missing as missing:
                self._taken[program, system] = missing
            except Exception as error:
                self._taken[program, system] = Missing(reason(error))
        found = self._taken[program, system]
        if isinstance(found, Missing):
            raise found
        return found

    def _measure(self, program: str, system: str) -> Rate:
        if program == "heapq":
            servers = "1" if system == "mm1" else "10"
            return middle(
                [yardstick(python("heapq_mm1.py", "--servers", servers)) for _ in range(self.repeat)]
            )
        if program == "simpy":
            if self.quick and system == "graph_large":
                raise Missing("left out by --quick")
            times = 1 if system == "graph_large" else min(3, self.repeat)
            return middle([yardstick(python(*SIMPY[system])) for _ in range(times)])
        if program in ("c", "c-bare"):
            name, *arguments = C[system]
            binary = build(name, metrics=program == "c")
            command = [str(binary), *arguments]
            return middle([yardstick(command, HUGE_PAGES) for _ in range(self.repeat)])
        if program == "compiled":
            path = SCENARIOS / f"{system}.yaml"
            with shortened(path, "1s", "1s") as tiny:
                simulate(tiny, "compiled")  # whatever has to be compiled is compiled here
            return middle([simulate(path, "compiled") for _ in range(self.repeat)])
        if program == "reference":
            with shortened(SCENARIOS / f"{system}.yaml", "20s", "1s") as path:
                return middle([simulate(path, "reference") for _ in range(self.repeat)])
        raise Missing(f"no program called {program}")


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    last = lines[-1] if lines else ""
    return f"{type(error).__name__}: {last}"[:120].rstrip(": ")


def middle(rates: list[Rate]) -> Rate:
    """The run of median speed."""
    return sorted(rates, key=lambda r: r.events)[len(rates) // 2]


# --- running things ---------------------------------------------------------------------------------------


def python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, str(YARDSTICKS / script), *arguments]


def output(command: list[str], env: dict[str, str] | None = None) -> str:
    """What a command prints; a failing one is `Missing`, with the last line of its complaint."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})})
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip().splitlines()
        raise Missing((complaint[-1] if complaint else f"exit code {done.returncode}")[:120])
    return done.stdout


def yardstick(command: list[str], env: dict[str, str] | None = None) -> Rate:
    said = json.loads(output(command, env))
    latency = said.get("latency_mean_s", said.get("sojourn_mean_s"))
    return Rate(said["useful_events"] / said["cpu_s"], said["requests"] / said["cpu_s"], latency)


@cache
def build(name: str, metrics: bool) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        raise Missing("gcc is not installed")
    target = YARDSTICKS / "build" / f"{name}_{'metrics' if metrics else 'bare'}"
    target.parent.mkdir(exist_ok=True)
    flags = ["-O3", "-march=native", f"-DMETRICS={int(metrics)}"]
    output([compiler, *flags, str(YARDSTICKS / f"{name}.c"), "-o", str(target), "-lm"])
    return target


class shortened:
    """A copy of a scenario with another duration and bucket width, for as long as the block runs."""

    def __init__(self, path: Path, duration: str, bucket: str) -> None:
        text, found = re.subn(
            r"^time: .*$", f"time: {{duration: {duration}, bucket: {bucket}}}", path.read_text(), flags=re.M
        )
        if found != 1:
            raise Missing(f"{path.name} has no single line `time: …`")
        self.text, self.name = text, path.name

    def __enter__(self) -> Path:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / self.name
        path.write_text(self.text)
        return path

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()


def verb(name: str) -> Callable[..., Any]:
    """A public function of sysim."""
    try:
        import sysim
    except ImportError as error:
        raise Missing(f"sysim cannot be imported: {error}") from error
    try:
        found: Callable[..., Any] = getattr(sysim, name)
    except (AttributeError, ImportError) as error:
        raise Missing(f"sysim.{name}: {error}") from error
    return found


def simulate(path: Path, engine: str) -> Rate:
    result = verb("simulate")(verb("load")(path), seed=1, replications=1, engine=engine)
    wall = float(result.runs[0].wall_s)
    record = result.to_dict()["runs"][0]["windows"]["all"]
    loads = record["loads"].values()
    latency = next(iter(loads))["latency_s"]["mean"]
    return Rate(useful_events(record) / wall, sum(load["offered"] for load in loads) / wall, latency)


def useful_events(window: dict[str, Any]) -> int:
    visits = sum(s["arrivals"] + s["completed"] for s in window["services"].values())
    calls = window.get("calls", {}).values()
    return int(visits + sum(c["attempt_outcomes"]["timeout"] + c["retries"] for c in calls))


def command_line(*arguments: str) -> list[str]:
    script = shutil.which("sysim", path=str(Path(sys.executable).parent))
    return (
        [script, *arguments]
        if script
        else [sys.executable, "-c", "from sysim.cli import main; main()", *arguments]
    )


def wall_of(command: list[str], times: int, env: dict[str, str] | None = None) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        output(command, env)
        taken.append(time.perf_counter() - begin)
    return median(taken)


# --- the rows ---------------------------------------------------------------------------------------------


def mega(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.1f} k"


def ratio(value: float) -> str:
    return f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


class Table:
    """The rows so far."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(
        self,
        what: str,
        measure: Callable[[], tuple[float, str]],
        target: Target | None = None,
        wanted: str = "",
    ) -> None:
        """Measure one row; `measure` returns the figure to judge and the words to print."""
        try:
            value, words = measure()
            row = Row(what, words, wanted, target.reached(value) if target else "")
        except Missing as missing:
            row = Row(what, f"n/a ({missing})", wanted, "")
        except Exception as error:  # one broken row must not cost the table
            row = Row(what, f"n/a ({reason(error)})", wanted, "")
        self.rows.append(row)
        say(f"  {row.what}: {row.measured}")

    def markdown(self) -> str:
        cells = [("workload", "measured", "target: must / good / stretch", "reached")]
        cells += [(r.what, r.measured, r.target, r.reached) for r in self.rows]
        widths = [max(len(line[i]) for line in cells) for i in range(4)]
        lines = [
            "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in cells
        ]
        lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
        return "\n".join(lines)


def add_speeds(table: Table, bench: Bench) -> None:
    """Events a second, and the ratios to each yardstick."""

    def speed(program: str, system: str) -> Callable[[], tuple[float, str]]:
        def measure() -> tuple[float, str]:
            rate = bench.rate(program, system)
            return rate.events, f"{mega(rate.events)} events/s, {mega(rate.requests)} requests/s"

        return measure

    def against(yard: str, system: str) -> Callable[[], tuple[float, str]]:
        def measure() -> tuple[float, str]:
            value = bench.rate("compiled", system).events / bench.rate(yard, system).events
            return value, ratio(value)

        return measure

    for system in ("mm1", "mm10"):
        for program, name in (
            ("heapq", "heapq loop"),
            ("simpy", "SimPy"),
            ("c-bare", "C"),
            ("c", "C with metrics"),
        ):
            table.add(f"{system}, {name}", speed(program, system))
    for system in ("graph_large", "graph_small"):
        for program, name in (("simpy", "SimPy"), ("c-bare", "C"), ("c", "C with metrics")):
            table.add(f"{system}, {name}", speed(program, system))

    compiled = (
        ("graph_large", Target(3e6, 5e6, 7e6), "3 M / 5 M / 7 M"),
        ("graph_small", Target(4.5e6, 7e6, 10e6), "4.5 M / 7 M / 10 M"),
        ("mm1", Target(10e6, 15e6, 25e6), "10 M / 15 M / 25 M"),
        ("mm10", Target(10e6, 15e6, 25e6), "10 M / 15 M / 25 M"),
    )
    for system, target, wanted in compiled:
        table.add(f"**{system}, sysim compiled**", speed("compiled", system), target, wanted)
    for system in ("graph_large", "graph_small"):
        marks = (Target(80, 120, 200), "80x / 120x / 200x") if system == "graph_large" else (None, "")
        table.add(f"{system}, sysim against SimPy", against("simpy", system), *marks)
        marks = Target(0.4, 0.6, 0.8), "0.4x / 0.6x / 0.8x"
        table.add(f"{system}, sysim against C with metrics", against("c", system), *marks)
    for system in ("mm1", "mm10"):
        table.add(f"{system}, sysim against the heapq loop", against("heapq", system))
        table.add(f"{system}, sysim against SimPy", against("simpy", system), Target(25), "25x")
        table.add(f"{system}, sysim against C with metrics", against("c", system))

    def same(system: str) -> Callable[[], tuple[float, str]]:
        def measure() -> tuple[float, str]:
            ours, theirs = bench.rate("compiled", system).latency_s, bench.rate("c", system).latency_s
            if not ours or not theirs:
                raise Missing("no latency recorded")
            return abs(ours / theirs - 1), f"{ours * 1e3:.4g} ms, in C {theirs * 1e3:.4g} ms"

        return measure

    for system in C:
        table.add(
            f"{system}, mean latency: the same system?", same(system), Target(0.02, least=False), "within 2 %"
        )

    def reference() -> tuple[float, str]:
        rate = bench.rate("reference", "graph_small")
        return rate.requests, f"{mega(rate.requests)} requests/s, {mega(rate.events)} events/s"

    table.add("graph_small, sysim reference", reference, Target(1.5e3, 3e3), "1.5 k / 3 k requests/s")


MEMORY = """
import resource, sys
import sysim
sysim.simulate(sysim.load(sys.argv[1]), seed=1, replications=1, engine="compiled")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def add_memory(table: Table) -> None:
    """Ten times the duration in as many buckets must not need more memory."""

    def peak(duration: str, bucket: str) -> float:
        verb("simulate")
        with shortened(SCENARIOS / "graph_small.yaml", duration, bucket) as path:
            peak = float(output([sys.executable, "-c", MEMORY, str(path)]))
        return peak / (2**20 if sys.platform == "darwin" else 2**10)

    def measure() -> tuple[float, str]:
        peak("1s", "1s")  # compiles, if anything is to be compiled
        idle, short, long = peak("1s", "1s"), peak("400s", "1s"), peak("4000s", "10s")
        words = f"{long / short:.3f}x: {short:.0f} MB, then {long:.0f} MB; {idle:.0f} MB before any load"
        return long / short, words

    table.add(
        "memory, 10x the duration, same buckets", measure, Target(1.2, 1.05, least=False), "1.2x / 1.05x"
    )


def add_starts(table: Table, times: int) -> None:
    """What one waits for before anything is simulated."""

    def first_runs() -> tuple[float, float]:
        """Seconds of `sysim run` on a fresh machine, and of the same once more, up to the first event."""
        with (
            tempfile.TemporaryDirectory() as store,
            shortened(SCENARIOS / "graph_small.yaml", "2s", "1s") as path,
        ):
            env = {"SYSIM_CACHE_DIR": store}
            command = command_line("run", str(path), "--json")
            cold = wall_of(command, 1, env)
            if not any(Path(store).iterdir()):
                raise Missing("SYSIM_CACHE_DIR was not used, so there is no cold start to measure")
            warm = wall_of(command, times, env) - float(json.loads(output(command, env))["runs"][0]["wall_s"])
        return cold, warm

    both = cache(first_runs)
    table.add(
        "first run on a fresh machine, compile included",
        lambda: (both()[0], f"{both()[0]:.1f} s"),
        Target(20, 12, least=False),
        "20 s / 12 s",
    )
    table.add(
        "warm start of `sysim run` to the first event",
        lambda: (both()[1], f"{both()[1]:.2f} s"),
        Target(2.0, 1.2, least=False),
        "2 s / 1.2 s",
    )

    def timed(command: list[str]) -> Callable[[], tuple[float, str]]:
        def measure() -> tuple[float, str]:
            wall = wall_of(command, 2 * times + 1)
            return wall, f"{wall:.3f} s"

        return measure

    table.add(
        "`sysim --help`", timed(command_line("--help")), Target(0.35, 0.25, least=False), "0.35 s / 0.25 s"
    )
    table.add("`import sysim`, interpreter included", timed([sys.executable, "-c", "import sysim"]))
    table.add("an empty interpreter, to compare", timed([sys.executable, "-c", "pass"]))


def add_replications(table: Table) -> None:
    """Four replications on one worker and on two."""

    def measure() -> tuple[float, str]:
        run = verb("simulate")
        known = inspect.signature(run).parameters
        name = next((n for n in ("workers", "jobs", "processes") if n in known), None)
        if name is None:
            raise Missing("simulate() takes no number of workers")
        if (os.cpu_count() or 1) < 2:
            raise Missing("one core only")
        scenario = verb("load")(SCENARIOS / "graph_small.yaml")
        taken = []
        for workers in (1, 2):
            run(
                scenario, seed=1, replications=2, engine="compiled", **{name: workers}
            )  # start what has to start
            begin = time.perf_counter()
            run(scenario, seed=1, replications=4, engine="compiled", **{name: workers})
            taken.append(time.perf_counter() - begin)
        gain = taken[0] / taken[1]
        return gain, f"{gain:.2f}x: {taken[0]:.1f} s, then {taken[1]:.1f} s"

    table.add("four replications on two cores", measure, Target(1.8, 1.95), "1.8x / 1.95x")


DAY = "a whole Grand National day"
RUN_OF_THE_DAY = """
import json, resource, sys, time
import sysim
scenario = sysim.load(sys.argv[1])
sysim.simulate(sysim.load(sys.argv[2]), engine="compiled")  # compiles, if anything is to be compiled
wall, cpu = time.perf_counter(), time.process_time()
result = sysim.simulate(scenario, replications=1, engine="compiled")
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
bets = result.load("bets")
print(json.dumps({
    "wall_s": wall, "cpu_s": cpu, "events": result.run.events, "bets": bets.offered, "success": bets.success,
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
}))
"""


def add_day(table: Table) -> None:
    """A whole Grand National day, 24 million bets, in a process of its own; and how much memory it takes."""

    def measured() -> dict[str, float]:
        path = EXPERIMENTS / "saturday" / "grand_national.yaml"
        if not path.exists():
            raise Missing(f"there is no {path.name} in {EXPERIMENTS}")
        say(f"{DAY}, which takes some minutes …")
        with shortened(SCENARIOS / "graph_small.yaml", "1s", "1s") as tiny:
            told: dict[str, float] = json.loads(
                output([sys.executable, "-c", RUN_OF_THE_DAY, str(path), str(tiny)])
            )
        return told

    day = cache(measured)

    def speed() -> tuple[float, str]:
        told = day()
        words = (
            f"{told['wall_s']:.0f} s ({told['cpu_s']:.0f} s of CPU), {mega(told['bets'])} bets, "
            f"{mega(told['bets'] / told['wall_s'])} bets/s, {told['events'] / 1e9:.2f} G events, "
            f"{mega(told['events'] / told['wall_s'])} events/s"
        )
        return told["wall_s"], words

    def memory() -> tuple[float, str]:
        megabytes = day()["memory"] / 1e6
        return megabytes, f"{megabytes:.0f} MB"

    table.add(DAY, speed, Target(240, 120, 60, least=False), "4 min / 2 min / 1 min")
    table.add(f"{DAY}, memory", memory, Target(700, 500, least=False), "700 MB / 500 MB")


# --- printing ---------------------------------------------------------------------------------------------


def machine() -> str:
    """What the figures were measured on, in one line."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = re.findall(r"^model name\s*: (.*)$", info.read_text(), flags=re.M)
        model = names[0] if names else model

    def release(package: str) -> str:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"no {package}"

    compiler = "no gcc"
    if shutil.which("gcc"):
        compiler = f"gcc {output(['gcc', '-dumpfullversion']).strip()}"
    parts = [f"{model}, {os.cpu_count()} cores", f"Python {platform.python_version()}"]
    return ", ".join([*parts, *map(release, ("numba", "numpy", "simpy")), compiler])


def save(text: str) -> None:
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def save_rows(rows: list[Row]) -> None:
    """Put rows into the saved table in place of those of the same name, or at its end."""
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    inside, _, after = rest.partition(END)
    head, *lines = inside.strip().split("\n\n")
    old = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[-1].splitlines()[2:]]
    table, names = Table(), {row.what for row in rows}
    table.rows = [Row(*cells) for cells in old if cells[0] not in names] + rows
    readme.write_text(f"{before}{BEGIN}\n\n{head}\n\n{table.markdown()}\n\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats, without SimPy on the large graph"
    )
    parser.add_argument("--day", action="store_true", help="also a whole Grand National day")
    parser.add_argument("--only-day", action="store_true", help="a whole Grand National day, and nothing else")
    parser.add_argument("--write", action="store_true", help="save the table to benchmarks/README.md")
    args = parser.parse_args()

    bench, table = Bench(args.quick), Table()
    if args.only_day:
        add_day(table)
        print(table.markdown())
        if args.write:
            save_rows(table.rows)
        return
    add_speeds(table, bench)
    add_memory(table)
    add_starts(table, bench.repeat)
    add_replications(table)
    if args.day:
        add_day(table)
    text = f"Measured {time.strftime('%Y-%m-%d')} on {machine()}.\n\n{table.markdown()}"
    print(text)
    if args.write:
        save(text)


if __name__ == "__main__":
    main()
