"""Does a live system still keep its contract? Plan, collect, judge, remember.

Sees the network only through the ``HttpClient`` port and time only through ``Clock``.
"""

from harness.drift.scan import scan
from harness.drift.store import FindingsStore
from harness.drift.target import Budget, OperationCoverage, ScanResult, ScanTarget

__all__ = ["Budget", "FindingsStore", "OperationCoverage", "ScanResult", "ScanTarget", "scan"]
