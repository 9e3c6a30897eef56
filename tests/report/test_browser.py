"""The page in a real browser: nothing fails, every section is seen, and it prints. Skipped where there is none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.checking import check
from sysim.report.html import of_study, page
from tests.report.test_html import TEXT

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]
# Loads nothing, ever: every name of a host is unknown.
OFFLINE = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
           "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr")  # fmt: skip
PROBE = """<script>
var seen={};document.querySelectorAll('section').forEach(function(s){var r=s.getBoundingClientRect();
var c=Array.prototype.map.call(s.querySelectorAll('svg.chart'),function(v){return v.getBoundingClientRect().height});
seen[s.id]={height:r.height,charts:c.filter(function(h){return h>0}),all:c.length};});
document.documentElement.setAttribute('data-seen',JSON.stringify({sections:seen,
wide:document.documentElement.scrollWidth-innerWidth,loaded:performance.getEntriesByType('resource').length,
tabs:document.querySelectorAll('[role=tab]').length}));
</script></html>"""


def browser(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, *OFFLINE, f"--user-data-dir={folder / 'profile'}", *options, (folder / "page.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = check(sysim.loads(TEXT), replications=2, engine="reference")
    where = tmp_path_factory.mktemp("browser")
    text = page(of_study(study, scenario=TEXT, command="sysim report x.yaml"))
    (where / "plain.html").write_text(text, encoding="utf-8")
    (where / "page.html").write_text(text.replace("</html>", PROBE), encoding="utf-8")
    return where


def seen(folder: Path, width: int) -> tuple[dict[str, Any], str]:
    done = browser(folder, f"--window-size={width},1200", "--dump-dom")
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found is not None
    facts: dict[str, Any] = json.loads(unescape(found[1]))
    return facts, done.stderr


@pytest.mark.parametrize("width", [1200, 500])
def test_every_section_is_seen_and_nothing_complains(folder: Path, width: int) -> None:
    facts, log = seen(folder, width)
    assert "CONSOLE" not in log, [line for line in log.splitlines() if "CONSOLE" in line]
    assert facts["loaded"] == 0 and facts["wide"] <= 0
    assert len(facts["sections"]) == 11
    for name, section in facts["sections"].items():
        assert section["height"] > 60, name
        assert all(height > 50 for height in section["charts"]), name
    for name, least in {"timeline": 1, "latency": 1, "services": 1, "causes": 1, "variants": 2}.items():
        assert len(facts["sections"][name]["charts"]) >= least, name
    assert facts["sections"]["services"]["all"] > len(facts["sections"]["services"]["charts"]), "one window at a time"
    assert facts["tabs"] >= 4


def test_the_probe_hears_complaints(folder: Path, tmp_path: Path) -> None:
    text = (folder / "page.html").read_text(encoding="utf-8")
    broken = text.replace(PROBE, "<script>nothing.here()</script><img src='http://example.org/x.png'>" + PROBE)
    (tmp_path / "page.html").write_text(broken, encoding="utf-8")
    done = browser(tmp_path, "--dump-dom")
    assert "nothing is not defined" in done.stderr
    assert "Content Security Policy" in done.stderr


def test_it_prints(folder: Path) -> None:
    browser(folder, f"--print-to-pdf={folder / 'page.pdf'}", "--no-pdf-header-footer")
    printed = (folder / "page.pdf").read_bytes()
    assert 3 <= len(re.findall(rb"/Type /Page\b", printed)) <= 12
    boxes = set(re.findall(rb"/MediaBox \[0 0 (\d+)[.\d]* (\d+)[.\d]*\]", printed))
    assert boxes <= {(b"594", b"841"), (b"595", b"841"), (b"595", b"842"), (b"594", b"842")} and boxes, "A4"
