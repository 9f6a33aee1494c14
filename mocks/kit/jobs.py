"""Asynchronous work: accepted now, done later, looked at meanwhile, kept for a while.

Feeds, reports, bulk operations and asynchronous requests are the same machine with other words.
A simulator starts a job with the work to do; the work is done, exactly once, when its time has
come and before anything else that happens then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model.errors import MetadataError
from harness.model.instants import SECOND_US
from harness.model.ports import Randomness, Streams
from harness.model.values import JsonObject
from mocks.kit.calls import RefusalKind, Refused


class JobState(StrEnum):
    """Where a job stands; ``states`` of ``behaviour.yaml`` has the vendor's words."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
# Does the work at the given instant and returns the result; raising JobFailed ends it as failed.
Work = Callable[["Job", int], Any]


class JobFailed(Exception):
    """The work cannot be done; carries what the job shows as its result."""

    def __init__(self, result: Any = None) -> None:
        """Keep the result document of the failure."""
        super().__init__("the job failed")
        self.result = result


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work. ``facts`` keeps what the vendor's shape needs (type, document ids, ...).

    ``starts_us`` and ``ends_us`` are drawn when the job is accepted; ``result`` is what the work
    returned, ``None`` before.
    """

    id: str
    account: str
    accepted_us: int
    starts_us: int
    ends_us: int
    group: str
    state: JobState = JobState.QUEUED
    result: Any = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Say whether nothing will change any more."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class JobManners:
    """How one kind of job behaves; times in seconds, a number or ``[least, most]``."""

    kind: str
    queued_seconds: Any = 0
    working_seconds: Any = 0
    states: Mapping[str, str] = field(default_factory=dict)
    failure_share: float = 0.0
    cancel: str = "never"  # until which state: queued, working, never
    kept_seconds: int | None = None
    one_at_a_time: bool = False  # per account and group


def read_jobs(behaviour: JsonObject) -> dict[str, JobManners]:
    """Return the declared kinds of jobs."""
    return {
        str(entry["kind"]): JobManners(
            kind=str(entry["kind"]),
            queued_seconds=entry.get("queued_seconds", 0),
            working_seconds=entry.get("working_seconds", 0),
            states=entry.get("states") or {},
            failure_share=float(entry.get("failure_share", 0)),
            cancel=str(entry.get("cancel", "never")),
            kept_seconds=entry.get("kept_seconds"),
            one_at_a_time=bool(entry.get("one_at_a_time", False)),
        )
        for entry in behaviour.get("jobs", ())
    }


class JobDesk:
    """All jobs of one kind in one system."""

    def __init__(self, manners: JobManners, chance: Randomness) -> None:
        """Open the desk; ids and times come from ``chance``."""
        self.manners = manners
        self._chance = chance
        self._jobs: dict[str, Job] = {}
        self._open: dict[str, Job] = {}  # those that have not ended
        self._work: dict[str, Work] = {}

    def new_id(self) -> str:
        """Return an id nobody has yet."""
        while True:
            job_id = str(self._chance.randrange(100_000, 1_000_000_000))
            if job_id not in self._jobs:
                return job_id

    def start(
        self,
        account: str,
        work: Work,
        now_us: int,
        *,
        group: str = "",
        job_id: str | None = None,
        **facts: Any,
    ) -> Job:
        """Accept a job; ``group`` is what may run once at a time (a feed type, for instance).

        Raises ``Refused`` CONFLICT (``jobs.busy``) where one like it must end first.
        """
        self.settle(now_us)
        manners = self.manners
        if manners.one_at_a_time and any(
            (j.account, j.group) == (account, group) for j in self._open.values()
        ):
            msg = f"another job of this kind ({group or manners.kind}) has not ended yet"
            raise Refused(RefusalKind.CONFLICT, msg, reason="jobs.busy")
        starts_us = now_us + self._draw_us(manners.queued_seconds)
        ends_us = starts_us + self._draw_us(manners.working_seconds)
        job = Job(
            job_id or self.new_id(), account, now_us, starts_us, ends_us, group, facts=dict(facts)
        )
        self._jobs[job.id] = self._open[job.id] = job
        self._work[job.id] = work
        self.settle(now_us)
        return job

    def _draw_us(self, value: Any) -> int:
        try:
            least, most = value if isinstance(value, list | tuple) else (value, value)
            span = (int(least * SECOND_US), int(most * SECOND_US))
        except (TypeError, ValueError):
            span = (-1, -1)
        if not 0 <= span[0] <= span[1]:
            msg = f"a job of kind {self.manners.kind!r} cannot take {value!r} seconds."
            raise MetadataError(msg, remedy="Give seconds as a number or as [least, most].")
        return span[0] if span[0] == span[1] else self._chance.randrange(span[0], span[1] + 1)

    def settle(self, now_us: int) -> None:
        """Bring every job to where it stands now, doing the work of those whose time has come."""
        for job in sorted(self._open.values(), key=lambda j: j.ends_us):
            if job.ends_us <= now_us:
                self._finish(job)
            elif job.starts_us <= now_us:
                job.state = JobState.WORKING
        kept_s = self.manners.kept_seconds
        if kept_s is not None:
            gone = [
                j.id for j in self._jobs.values() if j.accepted_us + kept_s * SECOND_US <= now_us
            ]
            for job_id in gone:
                del self._jobs[job_id]
                self._open.pop(job_id, None)
                self._work.pop(job_id, None)

    def _finish(self, job: Job) -> None:
        work = self._work.pop(job.id)
        del self._open[job.id]
        share = self.manners.failure_share
        if share and self._chance.random() < share:
            job.state = JobState.FAILED
            return
        try:
            job.result = work(job, job.ends_us)
            job.state = JobState.DONE
        except JobFailed as failure:
            job.result = failure.result
            job.state = JobState.FAILED

    def find(self, job_id: str, account: str, now_us: int) -> Job:
        """Return a job as it stands now; raises ``Refused`` NOT_FOUND (``jobs.unknown``)."""
        self.settle(now_us)
        job = self._jobs.get(job_id)
        if job is None or job.account != account:
            msg = f"there is no job {job_id!r}"
            raise Refused(RefusalKind.NOT_FOUND, msg, reason="jobs.unknown")
        return job

    def all(self, account: str, now_us: int) -> list[Job]:
        """Return the jobs of one account, oldest first."""
        self.settle(now_us)
        return [job for job in self._jobs.values() if job.account == account]

    def cancel(self, job_id: str, account: str, now_us: int) -> Job:
        """Cancel a job nobody will do then; raises ``Refused`` where it is too late for that."""
        job = self.find(job_id, account, now_us)
        allowed = {"queued": (JobState.QUEUED,), "working": (JobState.QUEUED, JobState.WORKING)}
        if job.state not in allowed.get(self.manners.cancel, ()):
            msg = f"the job is {self.word(job)} and cannot be cancelled"
            raise Refused(RefusalKind.CONFLICT, msg, reason="jobs.too_late")
        job.state = JobState.CANCELLED
        del self._work[job.id], self._open[job.id]
        return job

    def word(self, job: Job) -> str:
        """Return the vendor's word for where a job stands."""
        return self.manners.states.get(job.state.value, job.state.value)


class Jobs:
    """The job desks of one system, by kind."""

    def __init__(self, behaviour: JsonObject, streams: Streams, system: str) -> None:
        """Read ``jobs``."""
        self._manners = read_jobs(behaviour)
        self._streams = streams
        self._system = system
        self._desks: dict[str, JobDesk] = {}

    def desk(self, kind: str, **override: Any) -> JobDesk:
        """Return the desk of a kind; ``override`` replaces declared manners (a setting may).

        Raises ``MetadataError`` for a kind that is not declared.
        """
        if kind not in self._desks:
            manners = self._manners.get(kind)
            if manners is None:
                known = ", ".join(self._manners) or "none"
                msg = f"{self._system} declares no jobs of kind {kind!r}."
                raise MetadataError(msg, remedy=f"Declared: {known}.")
            changed = JobManners(**{**_fields(manners), **override})
            stream = self._streams.stream(f"{self._system}/{kind}")
            self._desks[kind] = JobDesk(changed, stream)
        return self._desks[kind]

    def settle(self, now_us: int) -> None:
        """Do all work that is due, in every desk."""
        for desk in self._desks.values():
            desk.settle(now_us)


def _fields(manners: JobManners) -> dict[str, Any]:
    return {name: getattr(manners, name) for name in JobManners.__dataclass_fields__}
