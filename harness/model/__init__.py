"""The nouns that travel through the whole program: Contract, Exchange, Finding, and the ports.

Frozen data and small protocols; imports nothing of ours outside this package.
"""
