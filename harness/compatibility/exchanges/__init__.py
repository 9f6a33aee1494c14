"""Operation against operation: everything an exchange holds beside its schemas."""
