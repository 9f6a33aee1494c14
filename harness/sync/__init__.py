"""The reference sync engine: orders to the ERP exactly once, ERP stock to the channels.

Plain asyncio with an inbox and an outbox in SQL, behind ports; it sees HTTP only. The engine is
``harness.sync.engine:ReferenceEngine``; ``README.md`` beside this file says where each promise
is kept.
"""
