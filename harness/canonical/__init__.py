"""Canonical objects and the mapping interpreter: a channel's shape to ours and back.

Rules of money, time and codes live here once, so that no workflow can forget them.
"""

from harness.canonical.interpreter import (
    UNMAPPED,
    Mapped,
    MappingProblem,
    keep_unmapped,
    to_canonical,
    to_system,
)
from harness.canonical.mapping import ObjectMapping, read_object_mapping
from harness.canonical.objects import complete_order, natural_key, priced

__all__ = [
    "UNMAPPED",
    "Mapped",
    "MappingProblem",
    "ObjectMapping",
    "complete_order",
    "keep_unmapped",
    "natural_key",
    "priced",
    "read_object_mapping",
    "to_canonical",
    "to_system",
]
