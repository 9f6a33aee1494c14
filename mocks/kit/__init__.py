"""What all simulators share: routing, quotas, tokens, paging, books, faults, the two mounts."""
