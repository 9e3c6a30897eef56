"""Verdicts as GitHub annotations: workflow commands that put a message at a line of the scenario file."""

from __future__ import annotations

from sysim.errors import Place
from sysim.report.verdicts import facts
from sysim.study.study import Study


def workflow_commands(study: Study) -> list[str]:
    """A line for each check that fails (``::error``) or is inconclusive (``::warning``), and for an abort."""
    lines = []
    for verdict in study.verdicts:
        if verdict.verdict == "pass":
            continue
        kind = "error" if verdict.verdict == "fail" else "warning"
        who = f"{verdict.variant}: " if verdict.variant else ""
        text = f"{who}{verdict.check}: {', '.join(facts(verdict)) or verdict.verdict}"
        lines.append(_command(kind, verdict.place, f"sysim: check {verdict.verdict}", text))
    if study.abort is not None:
        text = f"{study.abort.condition} holds in replication {study.abort.replication} of {study.abort.variant}"
        lines.append(_command("error", study.abort.place, "sysim: aborted", text))
    return lines


def _command(kind: str, place: Place | None, title: str, text: str) -> str:
    properties = []
    if place is not None:
        properties = [f"file={_value(place.file)}", f"line={place.line}", f"col={place.column}"]
    properties.append(f"title={_value(title)}")
    return f"::{kind} {','.join(properties)}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
