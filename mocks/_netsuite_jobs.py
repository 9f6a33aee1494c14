"""Asynchronous requests: accepted now, done later, found again by job id or idempotency key."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.ports import Randomness
from mocks.kit.simulator import Answer, Call


@dataclass(slots=True)
class Job:
    """One request that is answered later; ``answer`` is ``None`` until it is done."""

    job_id: str
    due_us: int
    started_us: int
    key: str | None
    call: Call
    answer: Answer | None = None


class JobDesk:
    """All jobs of one company."""

    def __init__(self, chance: Randomness) -> None:
        """Open the desk; job ids come from ``chance``."""
        self._chance = chance
        self.by_id: dict[str, Job] = {}
        self._by_key: dict[tuple[str, str], Job] = {}

    def new_id(self) -> str:
        """Return an id nobody has yet."""
        while True:
            job_id = str(self._chance.randrange(100_000, 1_000_000_000))
            if job_id not in self.by_id:
                return job_id

    def add(self, job: Job) -> None:
        """Take a job in."""
        self.by_id[job.job_id] = job
        if job.key is not None:
            self._by_key[job.call.account, job.key] = job

    def find(self, account: str, key: str | None, since_us: int) -> Job | None:
        """Return the job this account sent with this idempotency key at ``since_us`` or later."""
        job = None if key is None else self._by_key.get((account, key))
        return None if job is None or job.started_us < since_us else job

    def due(self, now_us: int) -> list[Job]:
        """Return the jobs whose time has come and that are not done, earliest first."""
        waiting = [j for j in self.by_id.values() if j.answer is None and j.due_us <= now_us]
        return sorted(waiting, key=lambda job: job.due_us)
