"""Find, load, validate and normalise contracts and the metadata beside them.

A name is imported from its module when it is first used: comparing two files needs neither the
shelf nor the published rules, and start-up is paid on every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.catalog.caching import ContractCache
    from harness.catalog.findings import problem_finding
    from harness.catalog.limits import DEFAULT_LIMITS, Limits
    from harness.catalog.loading import Loaded, load_contract
    from harness.catalog.metadata import load_metadata, metadata_problems, metadata_schema
    from harness.catalog.overlay import (
        Corrected,
        Overlay,
        apply_overlay,
        apply_overlays,
        read_overlay,
        stale_everywhere,
    )
    from harness.catalog.parsing import locate, parse_document
    from harness.catalog.provenance import filed_overlays
    from harness.catalog.published_rules import INCOMPLETE
    from harness.catalog.references import (
        CONTRACT_URI,
        FILES,
        UNRESOLVED,
        contract_reference,
        reference_pointer,
        reference_to,
    )
    from harness.catalog.shelf import Catalog, ContractsRoot, SystemRecord, contracts_root
    from harness.catalog.sources import Source, open_source
    from harness.catalog.validation import (
        all_problems,
        schema_registry,
        schema_validator,
        validate_contract,
    )

__all__ = [
    "CONTRACT_URI",
    "DEFAULT_LIMITS",
    "FILES",
    "INCOMPLETE",
    "UNRESOLVED",
    "Catalog",
    "ContractCache",
    "ContractsRoot",
    "Corrected",
    "Limits",
    "Loaded",
    "Overlay",
    "Source",
    "SystemRecord",
    "all_problems",
    "apply_overlay",
    "apply_overlays",
    "contract_reference",
    "contracts_root",
    "filed_overlays",
    "load_contract",
    "load_metadata",
    "locate",
    "metadata_problems",
    "metadata_schema",
    "open_source",
    "parse_document",
    "problem_finding",
    "read_overlay",
    "reference_pointer",
    "reference_to",
    "schema_registry",
    "schema_validator",
    "stale_everywhere",
    "validate_contract",
]

_MODULES: dict[str, tuple[str, ...]] = {
    "caching": ("ContractCache",),
    "findings": ("problem_finding",),
    "limits": ("DEFAULT_LIMITS", "Limits"),
    "loading": ("Loaded", "load_contract"),
    "metadata": ("load_metadata", "metadata_problems", "metadata_schema"),
    "overlay": (
        "Corrected",
        "Overlay",
        "apply_overlay",
        "apply_overlays",
        "read_overlay",
        "stale_everywhere",
    ),
    "parsing": ("locate", "parse_document"),
    "provenance": ("filed_overlays",),
    "published_rules": ("INCOMPLETE",),
    "references": (
        "CONTRACT_URI",
        "FILES",
        "UNRESOLVED",
        "contract_reference",
        "reference_pointer",
        "reference_to",
    ),
    "shelf": ("Catalog", "ContractsRoot", "SystemRecord", "contracts_root"),
    "sources": ("Source", "open_source"),
    "validation": ("all_problems", "schema_registry", "schema_validator", "validate_contract"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Return a public name, from the module that defines it."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, those not yet imported included."""
    return sorted({*globals(), *_HOMES})
