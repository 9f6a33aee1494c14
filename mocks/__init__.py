"""Stateful simulators of sales channels and ERPs, one module per system, on one shared kit."""
