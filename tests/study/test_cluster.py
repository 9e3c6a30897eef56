"""A sweep on a real Dask cluster on this machine: the same bytes as without one, though a worker dies."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.errors import SysimError
from tests.store.sql import connected
from tests.study.test_sweep import QUEUE, sweep, told

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, processes of their own, that start anew when they die."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1",
            silence_logs=50,
        )  # fmt: skip
        yield made
        made.close()


def test_the_same_bytes_as_on_threads(cluster: Any) -> None:
    options: dict[str, Any] = {"engine": "reference", "replications": 1}
    assert told(sweep(cluster=cluster.scheduler_address, **options)) == told(sweep(**options))


def test_a_worker_is_killed_in_the_middle(cluster: Any, tmp_path: Path) -> None:
    vary = {"load.people.rate": "20/s..80/s/12", "services.desk.replicas": "1..3"}
    options: dict[str, Any] = {"engine": "reference", "replications": 2, "measures": ["p99(people)"]}
    killed: list[int] = []

    def progress(share: float) -> None:
        if share > 0.2 and not killed:
            killed.append(_pid(cluster))
            os.kill(killed[0], signal.SIGKILL)

    place = tmp_path / "runs.db"
    found = sweep(vary, cluster=cluster.scheduler_address, progress=progress, store=place, **options)
    assert killed and [one.state for one in found.points] == ["complete"] * 36
    assert told(found) == told(sweep(vary, workers=2, **options))

    with connected(place) as connection:
        counts = connection.execute('select count(*), count(distinct "key") from replications').fetchone()
    assert counts == (72, 72), "what the worker had begun is stored once"


def _pid(cluster: Any) -> int:
    """The process of a worker that is at work: not of the nanny that starts it again."""
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        pids = client.run(os.getpid)
    return int(next(iter(pids.values())))


def test_an_executor_of_a_client_of_the_user(cluster: Any) -> None:
    options: dict[str, Any] = {"engine": "reference", "replications": 1}
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        assert told(sweep(executor=client.get_executor(), **options)) == told(sweep(**options))


def test_ctrl_c_lets_go_of_the_cluster(cluster: Any) -> None:
    def stop(share: float) -> None:
        if share > 0.1:
            raise KeyboardInterrupt

    found = sweep(
        {"load.people.rate": "20/s..80/s/40"}, cluster=cluster.scheduler_address, progress=stop, engine="reference"
    )
    assert found.interrupted and any(one.state == "complete" for one in found.points)
    deadline = time.monotonic() + 30
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        while any(client.processing().values()):
            assert time.monotonic() < deadline, "jobs go on that nobody waits for"
            time.sleep(0.1)


def test_a_cluster_with_another_sysim_is_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.study import executors

    theirs = executors._same_everywhere

    def differs(client: Any, build: Any) -> None:
        theirs(_Saying(client, "another"), build)

    monkeypatch.setattr(executors, "_same_everywhere", differs)
    with pytest.raises(SysimError, match="has another sysim"):
        sweep(cluster=cluster.scheduler_address)
    assert threading.current_thread() is threading.main_thread()


class _Saying:
    """A client whose workers have another build."""

    def __init__(self, client: Any, word: str) -> None:
        self.client, self.word = client, word

    def run(self, function: Any, **options: Any) -> Any:
        return {worker: self.word for worker in self.client.run(function, **options)}


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.study import executors

    monkeypatch.setattr(executors, "PATIENCE_S", 1)
    with pytest.raises(SysimError, match=r"found no Dask scheduler at 'tcp://127\.0\.0\.1:9'"):
        sweep(cluster="tcp://127.0.0.1:9")
    with pytest.raises(SysimError, match="expected one as tcp://host:8786"):
        sweep(cluster="nonsense://")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SysimError, match=r"pip install 'sysim\[cluster\]'"):
        sysim.sweep(sysim.loads(QUEUE), {"seed": "1..2"}, cluster="tcp://127.0.0.1:1")
