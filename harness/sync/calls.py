"""Calls to one system: paced, authenticated, and with every ending told apart.

A read is repeated here, within its budget. A write is never repeated here: its intent is in the
outbox, and only the outbox may send it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.model.errors import ConnectFailed, TransportError
from harness.model.exchange import Headers, HttpRequest, HttpResponse
from harness.model.ports import Clock, HttpClient, Randomness
from harness.model.values import Json, JsonObject
from harness.sync.governor import Governor
from harness.sync.manners import Manners
from harness.sync.settings import Settings
from harness.sync.tokens import NoToken, Tokens


class Ending(Enum):
    """How a call ended, by what may be done next."""

    OK = "ok"
    ABSENT = "absent"  # the thing asked for does not exist
    REFUSED = "refused"  # understood and refused: repeating the same request is pointless
    THROTTLED = "throttled"  # no effect; later
    NO_EFFECT = "no_effect"  # never reached the other side; later
    UNKNOWN = "unknown"  # may have had its effect


@dataclass(frozen=True, slots=True)
class Outcome:
    """One ending. ``body`` is the parsed answer of ``OK``; ``wait_s`` is what an answer asks."""

    ending: Ending
    reason: str = ""
    response: HttpResponse | None = None
    body: Json = None
    wait_s: float = 0.0


class Backoff:
    """Exponential waits with seeded jitter, a ceiling and a budget per system."""

    def __init__(self, settings: Settings, chance: Randomness) -> None:
        """Start with a full budget."""
        self._settings = settings
        self._chance = chance
        self._budget = float(settings.retry_budget)

    def good(self) -> None:
        """Earn back part of a retry."""
        self._budget = min(self._settings.retry_budget, self._budget + 0.5)

    def wait_s(self, attempt: int) -> float:
        """Return the wait before retry ``attempt`` (from 1); an empty budget waits longest."""
        ceiling = self._settings.backoff_ceiling_s
        wait = min(ceiling, self._settings.backoff_first_s * 2.0 ** min(attempt - 1, 30))
        if self._budget < 1:
            wait = ceiling
        else:
            self._budget -= 1
        return wait * (0.5 + self._chance.random() / 2)


class Caller:
    """Sends requests to one system."""

    def __init__(
        self,
        client: HttpClient,
        tokens: Tokens,
        governor: Governor,
        backoff: Backoff,
        *,
        behaviour: JsonObject,
        clock: Clock,
        settings: Settings,
        manners: Manners,
    ) -> None:
        """Take the parts; ``behaviour`` says which status means throttled."""
        self._client = client
        self._tokens = tokens
        self._governor = governor
        self.backoff = backoff
        self._throttled = int((behaviour.get("throttled") or {}).get("status", 429))
        self._clock = clock
        self._settings = settings
        self._manners = manners

    async def read(self, address: str, request: HttpRequest) -> Outcome:
        """Ask something that changes nothing, again and again within its budget."""
        attempt = 1
        while True:
            outcome = await self.once(address, request, attempt=attempt)
            settled = outcome.ending in (Ending.OK, Ending.ABSENT, Ending.REFUSED)
            if settled or attempt >= self._settings.read_attempts:
                return outcome
            await self._clock.sleep(self.retry_wait_s(outcome, attempt))
            attempt += 1

    def retry_wait_s(self, outcome: Outcome, attempt: int) -> float:
        """Return the wait before trying again after ``outcome``."""
        if outcome.ending is Ending.THROTTLED:
            return outcome.wait_s
        return max(outcome.wait_s, self.backoff.wait_s(attempt))

    async def once(self, address: str, request: HttpRequest, *, attempt: int = 1) -> Outcome:
        """Send one request; an expired token is renewed once and the request repeated."""
        try:
            async with self._governor.turn(address):
                response = await self._authenticated(request)
        except NoToken as error:
            return Outcome(Ending.NO_EFFECT, f"no access token: {error}")
        except ConnectFailed as error:
            return Outcome(Ending.NO_EFFECT, str(error))
        except TransportError as error:
            return Outcome(Ending.UNKNOWN, str(error))
        return self._judge(address, response, attempt)

    async def _authenticated(self, request: HttpRequest) -> HttpResponse:
        header = await self._tokens.header()
        used = self._tokens.current
        response = await self._send(request, header)
        if response.status in (401, 403) and self._tokens.renewable:
            # Nothing happened: the caller was not let in. Some systems say 403 for an old token.
            # Naming the token that was used lets many refused callers share one renewal.
            await self._tokens.refresh(used)
            response = await self._send(request, await self._tokens.header())
        return response

    async def _send(self, request: HttpRequest, header: Headers) -> HttpResponse:
        headers = (*request.headers, *header)
        full = HttpRequest(request.method, request.path, request.query, headers, request.body)
        return await self._client.send(full, timeout_s=self._settings.timeout_s)

    def _judge(self, address: str, response: HttpResponse, attempt: int) -> Outcome:
        status = response.status
        reason = f"answered {status}"
        if status in (self._throttled, 429):
            return self._refused_by_quota(address, response, attempt)
        if status >= 500 or status in (408, 409, 425):
            asked = _seconds(response.header("retry-after")) or 0.0
            return Outcome(Ending.UNKNOWN, reason, response, wait_s=asked)
        if status == 401:
            # A new token did not help: the record is not to blame, so it must not be buried.
            return Outcome(Ending.NO_EFFECT, reason, response)
        if status == 404:
            return Outcome(Ending.ABSENT, reason, response)
        if status >= 300:
            return Outcome(Ending.REFUSED, reason, response)
        told = self._governor.limit_header
        self._governor.accepted(address, response.header(told) if told else None)
        if not response.body:
            self.backoff.good()
            return Outcome(Ending.OK, reason, response)
        try:
            body = response.json()
        except ValueError:
            return Outcome(Ending.UNKNOWN, f"{reason} with a body that is not JSON", response)
        self.backoff.good()
        return Outcome(Ending.OK, reason, response, body)

    def _refused_by_quota(self, address: str, response: HttpResponse, attempt: int) -> Outcome:
        asked = _seconds(response.header("retry-after"))
        wait_s = self._manners.wait_after_throttle_s(
            retry_after_s=asked,
            learned_s=self._governor.learned_wait_s(address, self.backoff.wait_s(attempt)),
            attempt=attempt,
        )
        self._governor.refused(address, wait_s)
        return Outcome(Ending.THROTTLED, f"answered {response.status}", response, wait_s=wait_s)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < 86_400 else None
