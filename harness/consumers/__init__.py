"""Consumer contracts: does the provider's contract still allow what our consumers recorded?"""

from harness.consumers.matching import match_pact
from harness.consumers.pact_file import Interaction, Pact, load_pact

__all__ = ["Interaction", "Pact", "load_pact", "match_pact"]
