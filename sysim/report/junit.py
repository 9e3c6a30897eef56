"""Verdicts as JUnit XML, which every continuous integration reads: a test suite a variant, a case a check.

A check that fails is a ``failure``. One that is inconclusive is ``skipped`` with a message, as it is neither;
with `inconclusive` set to ``failure`` it is one, for those whose gate should not let it pass.
"""

from __future__ import annotations

import re
from typing import Literal
from xml.etree import ElementTree

from sysim.analysis.checks import Verdict
from sysim.report.verdicts import facts
from sysim.study.study import Study

Inconclusive = Literal["skipped", "failure"]
# What XML 1.0 has no way to write at all.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(study: Study, inconclusive: Inconclusive = "skipped") -> str:
    """The XML document."""
    root = ElementTree.Element("testsuites", {"name": _clean(study.name)})
    totals = {"tests": 0, "failures": 0, "skipped": 0, "errors": 0}
    for name, result in study.results.items():
        verdicts = [verdict for verdict in study.verdicts if verdict.variant == result.variant]
        if study.abort is None and not verdicts:
            continue
        suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(f"{study.name}.{name}")})
        for verdict in verdicts:
            _case(suite, study, name, verdict, inconclusive)
        if study.abort is not None and study.abort.variant == name:
            case = ElementTree.SubElement(
                suite, "testcase", {"name": "abort_when", "classname": _clean(f"{study.name}.{name}")}
            )
            text = f"{study.abort.condition} holds in replication {study.abort.replication}"
            ElementTree.SubElement(case, "failure", {"message": _clean(text), "type": "abort"})
        counts = {
            "tests": len(suite.findall("testcase")),
            "failures": len(suite.findall("testcase/failure")),
            "skipped": len(suite.findall("testcase/skipped")),
            "errors": 0,
        }
        for key, number in counts.items():
            suite.set(key, str(number))
            totals[key] += number
        wall = sum(run.wall_s for run in result.runs)
        suite.set("time", f"{wall:.3f}")
    for key, number in totals.items():
        root.set(key, str(number))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(
    suite: ElementTree.Element, study: Study, name: str, verdict: Verdict, inconclusive: Inconclusive
) -> None:
    facts_of = {"name": _clean(verdict.name or verdict.check), "classname": _clean(f"{study.name}.{name}")}
    if verdict.place is not None:
        facts_of |= {"file": _clean(verdict.place.file), "line": str(verdict.place.line)}
    case = ElementTree.SubElement(suite, "testcase", facts_of)
    if verdict.verdict == "pass":
        return
    message = f"{verdict.check}: {', '.join(facts(verdict)) or verdict.verdict}"
    kind = "failure" if verdict.verdict == "fail" else inconclusive
    found = ElementTree.SubElement(case, kind, {"message": _clean(message)})
    if kind == "failure":
        found.set("type", verdict.verdict)
    if verdict.place is not None:
        found.text = _clean(str(verdict.place))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
