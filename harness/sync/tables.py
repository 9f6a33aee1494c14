"""The engine's tables. Portable SQL: text, integers and nothing a server would do differently."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

# What a source told us, once per natural key and version.
INBOX = Table(
    "inbox",
    METADATA,
    Column("source", String(200), primary_key=True),
    Column("key", String(400), primary_key=True),
    Column("version_us", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("record", Text, nullable=False),
    Column("state", String(20), nullable=False),  # new, waiting, exported, closed
    Column("seen_us", BigInteger, nullable=False),
)
# What we want another system to know.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("kind", String(40), primary_key=True),
    Column("target", String(200), primary_key=True),
    Column("key", String(400), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),  # pending, unknown, done, refused
    Column("changed_us", BigInteger, nullable=False),
    Index("outbox_due", "target", "state", "due_us"),
)
# External key to internal id, written only after the target confirmed.
MAPPING = Table(
    "mapping",
    METADATA,
    Column("target", String(200), primary_key=True),
    Column("external_key", String(400), primary_key=True),
    Column("internal_id", String(200), nullable=False),
    Column("confirmed_us", BigInteger, nullable=False),
    Index("mapping_internal", "target", "internal_id", unique=True),
)
CURSORS = Table(
    "cursors",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)
DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("source", String(200), primary_key=True),
    Column("key", String(400), primary_key=True),
    Column("reason", String(60), nullable=False),
    Column("pointer", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("payload", Text, nullable=False),  # masked
    Column("owner", String(60), nullable=False),
    Column("window_us", BigInteger, nullable=False),  # a walk from here sees the record again
    Column("attempts", Integer, nullable=False),
    Column("state", String(20), nullable=False),  # open, resolved
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)
STOCK = Table(
    "stock",
    METADATA,
    Column("target", String(200), primary_key=True),
    Column("sku", String(200), primary_key=True),
    Column("wanted", Integer, nullable=False),
    Column("version_us", BigInteger, nullable=False),
    Column("published", Integer),
    Column("published_us", BigInteger),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(600), nullable=False),
    Column("facts", Text, nullable=False),
    Column("chain", String(64), nullable=False),
)
