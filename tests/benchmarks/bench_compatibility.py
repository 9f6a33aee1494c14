"""Runs the comparison over a corpus of document pairs and prints how it did.

Run ``make bench-compatibility CORPUS=DIR``. Verdicts are compared with what the corpus says, and
every disagreement is listed by name: nothing here decides who is right. Times are CPU times.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus_pairs import PairOfDocuments, checks, drift, labels, spoken_of

from harness.catalog import load_contract
from harness.compatibility import compare
from harness.model.errors import DriftgateError

WIRE = ("wire-request", "wire-response", "policy")


@dataclass(slots=True)
class Outcome:
    """What came out for one pair; ``load_s`` and ``compare_s`` are seconds of CPU."""

    pair: PairOfDocuments
    verdict: str
    findings: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""
    load_s: float = 0.0
    compare_s: float = 0.0
    operations: int = 0

    @property
    def total_ms(self) -> float:
        """Return milliseconds of CPU for the whole pair."""
        return 1000 * (self.load_s + self.compare_s)


def judge(pair: PairOfDocuments) -> Outcome:
    """Load and compare one pair; what goes wrong is part of the outcome."""
    started = time.process_time()
    try:
        old = load_contract(str(pair.old)).contract
        new = load_contract(str(pair.new)).contract
        loaded = time.process_time()
        report = compare(old, new)
        done = time.process_time()
    except DriftgateError as error:
        return Outcome(pair, "not_checked", note=error.message)
    except Exception as error:  # noqa: BLE001 - a crash is what this program counts
        return Outcome(pair, "crash", note=f"{type(error).__name__}: {error}"[:200])
    return Outcome(
        pair,
        report.verdict.value,
        [f.to_json() for f in report.findings],
        load_s=loaded - started,
        compare_s=done - loaded,
        operations=int(report.summary.get("operations_compared", 0)),
    )


def run(pairs: Iterable[PairOfDocuments], title: str) -> list[Outcome]:
    """Judge every pair with a progress line on a terminal."""
    outcomes = []
    for number, pair in enumerate(pairs, start=1):
        outcomes.append(judge(pair))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{title}: {number} pairs")
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return outcomes


def share(part: int, whole: int) -> str:
    """Return ``74 of 78 (94.9 %)``."""
    return f"{part} of {whole}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


def row(name: str, value: str, aim: str = "") -> None:
    """Print one line of the table."""
    print(f"  {name:<58} {value:<24} {aim}".rstrip())


def verdicts(outcomes: list[Outcome]) -> None:
    """Print what the pairs came to, and each disagreement."""
    told = Counter(o.verdict for o in outcomes)
    row("pairs", str(len(outcomes)), ", ".join(f"{n} {v}" for v, n in sorted(told.items())))
    crashes = [o for o in outcomes if o.verdict == "crash"]
    row("crashes", str(len(crashes)), "aim: none")
    for outcome in crashes:
        row(f"    {outcome.pair.name}", outcome.note)
    known = [o for o in outcomes if o.pair.group == "breaking"]
    if known:
        flagged = [o for o in known if o.verdict == "breaking"]
        told_of = [o for o in known if any(f["category"] != "docs" for f in o.findings)]
        row("undisputed breaking pairs found", share(len(flagged), len(known)), "aim: 98 % or more")
        row("    told of in any category but docs", share(len(told_of), len(known)))
        for outcome in known:
            if outcome not in flagged:
                beside = sorted({f["rule"] for f in outcome.findings}) or ["nothing"]
                row(f"    {outcome.pair.name}: {outcome.verdict}", ", ".join(beside))
    clean = [o for o in outcomes if o.pair.group in {"clean", "harmless"}]
    alarms = [o for o in clean if o.verdict == "breaking"]
    row("alarms on clean pairs", f"{len(alarms)} of {len(clean)}", "aim: none")
    for outcome in alarms:
        rules = sorted({f["rule"] for f in outcome.findings if f["verdict"] == "breaking"})
        row(f"    {outcome.pair.name}", ", ".join(rules))
    broken = [o for o in outcomes if o.pair.group == "unparseable"]
    if broken:
        said = [o for o in broken if o.verdict == "not_checked"]
        row("unparseable pairs answered with not checked", share(len(said), len(broken)))
    for outcome in outcomes:
        if outcome.verdict == "not_checked" and outcome.pair.group != "unparseable":
            row(f"    not checked: {outcome.pair.name}", outcome.note[:90])


def findings(outcomes: list[Outcome]) -> None:
    """Print what stands behind the findings."""
    found = [f for o in outcomes for f in o.findings]
    data = [f for f in found if f["proof"] == "witness" or f["verdict"] == "unproven"]
    proved = [f for f in data if f["proof"] == "witness"]
    row("findings", str(len(found)), _counted(f["verdict"] for f in found))
    row("verdicts about data with a confirmed witness", share(len(proved), len(data)), "aim: 97 %")
    unproven = [f for f in found if f["verdict"] == "unproven"]
    row("unproven findings", share(len(unproven), len(found)), "aim: under 1 %")
    for reason, count in Counter(f.get("reason", "") for f in unproven).most_common(12):
        row(f"    {reason[:100]}", str(count))


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{n} {w}" for w, n in sorted(Counter(words).items()))


def agreement(outcomes: list[Outcome], rows: list[Any]) -> None:
    """Print how the findings agree with the rows judged by hand, and each miss."""
    by_name = {o.pair.name: o for o in outcomes}
    tally: Counter[str] = Counter()
    misses = []
    for label in rows:
        outcome = by_name.get(label["pair"])
        if outcome is None:
            continue
        kind = str(label["certainty"]) if label["breaking"] else "trap"
        told = spoken_of(label, outcome.findings)
        answer = told[0] if told else outcome.verdict.replace("_", " ") + ", silent"
        if outcome.verdict == "not_checked":
            answer = "not checked"
        tally[f"{kind}: {answer}"] += 1
        wrong = answer != "breaking" if kind == "definite" else answer == "breaking"
        if wrong and kind != "conditional":
            misses.append((label, kind, answer))
    row("hand labels", str(sum(tally.values())))
    for name, count in sorted(tally.items()):
        row(f"    {name}", str(count))
    for label, kind, answer in misses:
        where = label["location"]
        place = f"{where.get('method', '')} {where.get('path', '')} {where.get('field', '')}"
        row(f"    miss {label['pair']} ({kind}): {label['kind']}", f"{answer}: {place.strip()}")


def speed(outcomes: list[Outcome], aim: str) -> None:
    """Print CPU a pair, and where the largest pair spent it."""
    timed = [o for o in outcomes if o.verdict not in {"crash", "not_checked"}]
    if not timed:
        return
    total = [o.total_ms for o in timed]
    row("CPU a pair, median and 95th percentile", f"{_quantiles(total)} ms", aim)
    row("    loading", f"{_quantiles([1000 * o.load_s for o in timed])} ms")
    row("    comparing", f"{_quantiles([1000 * o.compare_s for o in timed])} ms")
    row("CPU of all pairs", f"{sum(total) / 1000:.2f} s")
    slowest = max(timed, key=lambda o: o.total_ms)
    size = (slowest.pair.old.stat().st_size + slowest.pair.new.stat().st_size) / 1e6
    row(
        f"slowest pair {slowest.pair.name} ({size:.1f} MB, {slowest.operations} operations)",
        f"{slowest.total_ms / 1000:.2f} s",
        f"loading {slowest.load_s:.2f} s, comparing {slowest.compare_s:.2f} s",
    )
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row("peak memory of this process so far", f"{peak_kb / 1024:.0f} MB")


def _quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.2f} / {high:.2f}"


def main() -> None:
    """Run both halves of the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder with checks/ and drift/")
    corpus = parser.parse_args().corpus
    halves = {"checks": list(checks(corpus)), "drift": list(drift(corpus))}
    if not any(halves.values()):
        parser.error(f"{corpus} holds neither checks/cases.json nor drift/index.json")
    for title, pairs in halves.items():
        if not pairs:
            continue
        print(f"{title}")
        judge(pairs[0])  # the first comparison pays for imports; the others are measured
        outcomes = run(pairs, title)
        verdicts(outcomes)
        findings(outcomes)
        if title == "drift":
            agreement(outcomes, labels(corpus))
        speed(outcomes, "aim: median under 3" if title == "checks" else "")
        print()


if __name__ == "__main__":
    main()
