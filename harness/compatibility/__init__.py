"""Contract against contract: containment, witnesses, root causes.

``compare(old, new)`` answers whether a client of the old contract keeps working with the new one.
"""

from harness.compatibility.engine import DEFAULT_OPTIONS, CompareOptions, compare

__all__ = ["DEFAULT_OPTIONS", "CompareOptions", "compare"]
