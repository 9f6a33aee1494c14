"""GraphQL schema against GraphQL schema: what an old client may send and what it can read.

Arguments and input objects are written by clients, output types are read by them. Every verdict
about them is confirmed by graphql-core itself: an operation that the old schema accepts and the
new one refuses, or an answer that the new schema gives and the old one cannot complete.
"""

from harness.compatibility.graphql.comparison import Compared, compare_schemas

__all__ = ["Compared", "compare_schemas"]
