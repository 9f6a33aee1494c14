"""The outside world, replayable: virtual time, seeded chance, the fault vocabulary, the trace."""
