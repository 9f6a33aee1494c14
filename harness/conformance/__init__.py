"""Exchange against contract: is this observed exchange one that the contract allows?

:class:`ExchangeJudge` answers for one exchange; :mod:`harness.conformance.probes` makes requests
that a contract allows. Nothing here sends anything.
"""

from harness.conformance.judge import ExchangeJudge
from harness.conformance.observation import Observation, Subject, findings_from
from harness.conformance.rules import RULES, ObservedRule

__all__ = ["RULES", "ExchangeJudge", "Observation", "ObservedRule", "Subject", "findings_from"]
