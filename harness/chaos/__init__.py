"""Puts a sync engine through a bad night in virtual time and judges it from the books alone.

A :class:`~harness.chaos.scenario.Scenario` names systems, workload, faults and promises; the
runner plays it against the simulators; invariants and service levels read what the simulators
wrote down and return findings. Nothing here asks the engine how it did.
"""
