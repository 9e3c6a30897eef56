"""The top of the page: what was asked, what the answer is, key numbers, and the story in words."""

from __future__ import annotations

from collections import Counter

from sysim.analysis.words import counted, factor, percent, span
from sysim.report.html.content import AS_IT_STANDS, Content, Json
from sysim.report.html.element import Markup, el
from sysim.report.html.tables import money
from sysim.report.html.variants import COLOURS, states

STATE_COLOURS = {
    "healthy": "good", "recovered": "good", "degraded": "doubt", "inconclusive": "doubt", "metastable": "bad",
    "unstable": "bad",
}  # fmt: skip
STATE_MEANS = {
    "healthy": "nothing noteworthy happened to it",
    "degraded": "worse than before while it lasted, and not down",
    "recovered": "well again after the fault",
    "metastable": "the fault is over, and it stays down",
    "unstable": "already down before any fault",
    "inconclusive": "the run is too short to tell",
}


def head(content: Content) -> Markup:
    """Title, question, answer."""
    return el(
        "header",
        el("p", "sysim report", class_="eyebrow"),
        el("h1", content.name.replace("_", " ")),
        el("p", content.result["scenario"].get("description") or None, class_="asked")
        if content.result["scenario"].get("description")
        else None,
    )


def verdict(content: Content) -> list[Markup]:
    """The answer in badges and sentences."""
    badges = []
    for load in content.loads:
        state = states(content.result, load)
        word = state.split(" ")[0].rstrip(",")
        badges.append(el("span", f"{load}: {state}", class_=f"badge {STATE_COLOURS.get(word, 'doubt')}",
                         title=STATE_MEANS.get(word)))  # fmt: skip
    made = [el("p", _who(content), class_="lede"), el("div", badges, class_="answer")]
    made += [el("p", _fared(content, load)) for load in content.loads]
    counts = Counter(some["verdict"] for some in content.checks)
    if counts:
        parts = [
            el("span", f"{counts[word]} {'passed' if word == 'pass' else 'failed' if word == 'fail' else word}",
               class_=f"badge {COLOURS[word]}")
            for word in ("pass", "fail", "inconclusive") if counts[word]
        ]  # fmt: skip
        made.append(el("div", parts, el("span", _judged(content, counts)), class_="answer"))
    if content.study is not None and content.study.get("sentences"):
        made.append(el("ul", [el("li", sentence) for sentence in content.study["sentences"]]))
    if (content.study or content.result).get("interrupted"):
        made.append(el("p", "The simulation was interrupted: fewer replications than were asked for.", class_="doubt"))
    aborted = content.study.get("aborted") if content.study else None
    if aborted:
        made.append(el("p", f"Aborted: {aborted['condition']} holds in a run of {aborted['variant']}.", class_="bad"))
    return made


def _who(content: Content) -> str:
    n = len(content.result["runs"])
    which = "As it stands" if content.focus == AS_IT_STANDS else f"Variant {content.focus}"
    over = f", over {n} independent runs" if n > 1 else ""
    return f"{which}{over}: what became of each load."


def _fared(content: Content, load: str) -> str:
    """One sentence on a load: what share succeeded, and how it ended."""
    worst = content.telling_window
    windows = content.run["windows"]
    first = " in the first of them" if len(content.result["runs"]) > 1 else ""
    text = f"{load}: {percent(windows['all']['loads'][load]['success'])} of requests succeeded{first}"
    if worst != "all":
        text += f", {percent(windows[worst]['loads'][load]['success'])} during {worst}"
    recovery = content.run["recovery"].get(load, {})
    word = recovery.get("state")
    return f"{text}. In a word: {word}, {STATE_MEANS[word]}." if word in STATE_MEANS else f"{text}."


def _judged(content: Content, counts: Counter[str]) -> str:
    total = sum(counts.values())
    if counts["pass"] == total:
        return f"{'The one verdict holds' if total == 1 else f'All {total} verdicts on the checks hold'}."
    if counts["fail"]:
        return f"{counts['fail']} of {counted(total, 'verdict')} on the checks fail."
    return (
        f"{counts['inconclusive']} of {counted(total, 'verdict')} on the checks are inconclusive: more runs are needed."
    )


def exit_code(content: Content) -> int:
    """What ``sysim run`` or ``check`` exits with: 0 all hold, 1 one fails, 3 some are inconclusive, 130
    interrupted.
    """
    if content.study is not None and "exit_code" in content.study.get("study", {}):
        return int(content.study["study"]["exit_code"])
    if (content.study or content.result).get("interrupted"):
        return 130
    found = {some["verdict"] for some in content.checks}
    return 1 if "fail" in found else 3 if "inconclusive" in found else 0


def tiles(content: Content) -> list[Markup]:
    """Key numbers of each load."""
    made = []
    worst = content.telling_window
    for load in content.loads:
        whole = content.run["windows"]["all"]["loads"][load]
        there = content.run["windows"][worst]["loads"][load]
        facts = [("success", percent(whole["success"]), "of the whole run")]
        if worst != "all":
            facts.append(("success", percent(there["success"]), f"during {worst}"))
        facts.append(("latency p99", span(there["latency_s"]["p99"]), _of_successes(worst)))
        facts.append(("amplification", f"×{factor(there['amplification'])}", f"sent per request, {_when(worst)}"))
        recovery = content.run["recovery"].get(load, {})
        if recovery.get("recovered_after_s") is not None:
            bucket = content.bucket_s
            after = recovery["recovered_after_s"]
            facts.append(("well again", f"<{span(bucket)}" if after < bucket else span(after), "after the last fault"))
        elif recovery.get("metastable"):
            facts.append(("well again", "never", "in this run"))
        if money(whole, "value_lost") != "–":
            facts.append(("value lost", money(whole, "value_lost"), "in the whole run"))
        made.append(el("h3", load))
        made.append(
            el("dl", [el("div", el("dt", name), el("dd", value), el("dd", note, class_="note"), class_="tile")
                      for name, value, note in facts], class_="tiles")
        )  # fmt: skip
    return made


def _when(window: str) -> str:
    return "whole run" if window == "all" else f"during {window}"


def _of_successes(window: str) -> str:
    return f"of successes, {_when(window)}"


def account(result: Json) -> list[Markup]:
    """What happened, in paragraphs."""
    return [el("p", paragraph) for paragraph in result.get("account", "").split("\n\n") if paragraph]
