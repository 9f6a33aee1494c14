"""Five engines, each wrong in one line; the chaos tests name the invariant that must catch each."""

from __future__ import annotations

from harness.sync.engine import ReferenceEngine
from harness.sync.manners import AfterUnknown, Manners


class _NewKeyPerAttempt(Manners):
    def idempotency_key(self, *, kind: str, target: str, natural_key: str, attempt: int) -> str:
        del kind, target
        return f"{natural_key}-{attempt}"


class KeyPerAttempt(ReferenceEngine):
    """Makes up a new key each time it sends: a lost answer becomes a second sales order."""

    manners_class = _NewKeyPerAttempt


class _ZeroIsNothing(Manners):
    def quantity_to_publish(self, quantity: int) -> int | None:
        return quantity or None


class ZeroIsNoValue(ReferenceEngine):
    """Takes a quantity of zero for a missing value and goes on selling what is gone."""

    manners_class = _ZeroIsNothing


class _Impatient(Manners):
    paces = False

    def wait_after_throttle_s(
        self, *, retry_after_s: float | None, learned_s: float, attempt: int
    ) -> float:
        del retry_after_s, learned_s, attempt
        return 5.0


class KnocksAgainAtOnce(ReferenceEngine):
    """Ignores quotas, and asks again five seconds after being refused."""

    manners_class = _Impatient


class _FireAndForget(Manners):
    done_before_send = True

    def after_unknown(self, *, repeatable: bool) -> AfterUnknown:
        del repeatable
        return AfterUnknown.GIVE_UP


class DoneBeforeSent(ReferenceEngine):
    """Ticks work off before it is sent: what fails on the way is lost."""

    manners_class = _FireAndForget


class _OneBadStopsAll(Manners):
    one_bad_record_stops_page = True


class OneBadRecordStopsThePage(ReferenceEngine):
    """Stops reading at the first record it does not understand."""

    manners_class = _OneBadStopsAll
