"""driftgate: contract testing and API-drift detection for retailers on several channels."""

__version__ = "0.1.0"
