"""driftgate: contract testing and API-drift detection for retailers that sell through several channels."""

__version__ = "0.1.0"
