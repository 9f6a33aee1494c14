"""The CI decision: may this change to the contracts be merged, and whom does it break?"""

from harness.gate.decision import GateOptions, gate

__all__ = ["GateOptions", "gate"]
