"""Find, load, validate and normalise contracts and the metadata beside them."""

from __future__ import annotations

from harness.catalog.findings import problem_finding
from harness.catalog.limits import DEFAULT_LIMITS, Limits
from harness.catalog.loading import Loaded, load_contract
from harness.catalog.metadata import load_metadata, metadata_problems, metadata_schema
from harness.catalog.parsing import locate, parse_document
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
    "ContractsRoot",
    "Limits",
    "Loaded",
    "Source",
    "SystemRecord",
    "all_problems",
    "contract_reference",
    "contracts_root",
    "load_contract",
    "load_metadata",
    "locate",
    "metadata_problems",
    "metadata_schema",
    "open_source",
    "parse_document",
    "problem_finding",
    "reference_pointer",
    "reference_to",
    "schema_registry",
    "schema_validator",
    "validate_contract",
]
