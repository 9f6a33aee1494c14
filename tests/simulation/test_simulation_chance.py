"""Proves that chance, faults and the trace depend on the seed and on nothing else."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable

import pytest

from harness.model.errors import MetadataError
from harness.simulation.faults import (
    STAGES,
    CallIdentity,
    FaultKind,
    FaultPlan,
    FaultRule,
    Stage,
)
from harness.simulation.streams import SeededStreams
from harness.simulation.trace import Trace, first_divergence


def call(nth: int, operation: str = "record/v1#createSalesOrder") -> CallIdentity:
    return CallIdentity("netsuite", operation, None, nth)


def struck(plan: FaultPlan, nths: Iterable[int], operation: str = "a/v1#op") -> list[int]:
    return [n for n in nths if plan.decide(Stage.AFTER_EFFECT, call(n, operation), n) is not None]


LOST = FaultKind.ANSWER_LOST_AFTER_COMMIT


def test_streams_are_pinned_numbers_and_independent_of_each_other() -> None:
    streams = SeededStreams(4711)
    assert streams.stream("faults").randrange(0, 10**9) == 987959419
    assert streams.stream("faults") is streams.stream("faults")
    other = SeededStreams(4711)
    other.stream("workload").random()
    assert other.stream("faults").randrange(0, 10**9) == 987959419
    assert SeededStreams(4712).stream("faults").randrange(0, 10**9) != 987959419


def test_every_kind_has_a_stage() -> None:
    assert set(STAGES) == set(FaultKind)
    assert all(STAGES.values())


def test_nth_window_and_count_pick_exactly_the_calls_meant() -> None:
    assert struck(FaultPlan([FaultRule(LOST, nth=3)]), range(1, 9)) == [3]
    window = FaultRule(LOST, from_us=3, until_us=6)
    assert struck(FaultPlan([window]), range(1, 9)) == [3, 4, 5]
    plan = FaultPlan([FaultRule(LOST, max_count=2)])
    assert struck(plan, range(1, 9)) == [1, 2]
    assert plan.fired == {LOST: 2}


def test_system_operation_and_stage_select() -> None:
    rule = FaultRule(LOST, system="netsuite", operations=("createSalesOrder",))
    plan = FaultPlan([rule])
    assert plan.decide(Stage.AFTER_EFFECT, call(1), 0) is not None
    assert plan.decide(Stage.BEFORE_EFFECT, call(1), 0) is None
    assert plan.decide(Stage.AFTER_EFFECT, call(1, "record/v1#getSalesOrder"), 0) is None
    elsewhere = CallIdentity("amazon_spapi", "x/v1#createSalesOrder", None, 1)
    assert plan.decide(Stage.AFTER_EFFECT, elsewhere, 0) is None


def test_chance_does_not_depend_on_other_calls_or_other_rules() -> None:
    rule = FaultRule(LOST, probability=0.3)
    alone = struck(FaultPlan([rule], SeededStreams(1)), range(1, 200))
    assert 30 < len(alone) < 90
    plan = FaultPlan([FaultRule(FaultKind.BODY_HTML, probability=0.5), rule], SeededStreams(1))
    struck(plan, range(1, 50), "b/v1#other")
    assert struck(plan, range(1, 200)) == alone
    assert struck(FaultPlan([rule], SeededStreams(2)), range(1, 200)) != alone


def test_rules_that_cannot_work_are_mistakes() -> None:
    with pytest.raises(MetadataError, match="cannot strike at stage"):
        FaultRule(LOST, stage=Stage.CONNECT)
    with pytest.raises(MetadataError, match="probability"):
        FaultRule(LOST, probability=1.5)
    with pytest.raises(MetadataError, match="no streams"):
        FaultPlan([FaultRule(LOST, probability=0.5)])


def test_the_trace_is_canonical_and_its_digest_is_over_its_lines() -> None:
    sink = io.StringIO()
    trace = Trace(sink=sink)
    trace.record(1, "call", b=2, a="é")
    assert trace.lines == ['{"a":"é","at_us":1,"b":2,"kind":"call"}']
    assert sink.getvalue() == trace.lines[0] + "\n"
    line = trace.lines[0] + "\n"
    assert trace.digest() == hashlib.blake2b(line.encode(), digest_size=16).hexdigest()


def test_the_first_divergence_of_two_traces_is_shown() -> None:
    assert first_divergence(["a", "b"], ["a", "b"]) is None
    assert first_divergence(["a", "b"], ["a", "c"]) == (1, "b", "c")
    assert first_divergence(["a"], ["a", "b"]) == (1, "(the trace ends here)", "b")
