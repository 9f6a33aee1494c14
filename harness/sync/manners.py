"""The engine's manners: every decision that a careless engine gets wrong, in one place.

Each is small and may be overridden, so that a deliberately broken twin differs in one line.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from harness.canonical import UNMAPPED
from harness.model.values import Json


class AfterUnknown(Enum):
    """What to do with a write whose outcome nobody knows."""

    LOOK_UP = "look_up"
    SEND_AGAIN = "send_again"
    GIVE_UP = "give_up"


class Manners:
    """The careful answers."""

    order_write: ClassVar[str] = "upsert_sales_order"  # repeatable: the natural key is the address
    paces: ClassVar[bool] = True  # wait for the quota before the call, not after the refusal
    cursor_moves_first: ClassVar[bool] = False  # the watermark follows the stored pages
    walks_all_pages: ClassVar[bool] = True
    quarantines: ClassVar[bool] = True  # nothing is dropped without a dead letter
    one_bad_record_stops_page: ClassVar[bool] = False  # neighbours of a bad record flow
    done_before_send: ClassVar[bool] = False  # done means that the other side has it

    def idempotency_key(self, *, kind: str, target: str, natural_key: str, attempt: int) -> str:
        """Return the key of a write: the same for every attempt, process and machine."""
        del kind, target, attempt
        return natural_key

    def after_unknown(self, *, repeatable: bool) -> AfterUnknown:
        """Decide about a write without an answer; only a repeatable one may simply be repeated."""
        return AfterUnknown.SEND_AGAIN if repeatable else AfterUnknown.LOOK_UP

    def wait_after_throttle_s(
        self, *, retry_after_s: float | None, learned_s: float, attempt: int
    ) -> float:
        """Return how long to wait: what the answer says, else until one call is surely allowed."""
        del attempt
        return retry_after_s if retry_after_s is not None else learned_s

    def next_cursor_us(self, *, high_water_us: int, started_us: int, overlap_us: int) -> int:
        """Return where the next window starts: the source's own mark, less the overlap."""
        return min(high_water_us, started_us) - overlap_us

    def unknown_code(self, field: str, raw: Json) -> str:
        """Answer a code no table knows; never with a default."""
        del field, raw
        return UNMAPPED

    def quantity_to_publish(self, quantity: int) -> int | None:
        """Return what to publish, ``None`` for nothing; zero is a value."""
        return quantity

    def accepts_version(self, *, stored_us: int, offered_us: int) -> bool:
        """Say whether a record may replace the one we have: never an older one."""
        return offered_us >= stored_us
