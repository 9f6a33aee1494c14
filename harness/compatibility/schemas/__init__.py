"""Schema against schema: containment decided pair by pair, and witnesses where it fails."""
