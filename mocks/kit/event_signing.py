"""Signs deliveries and dresses them: signature headers, fact headers, queue envelopes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from harness.model.errors import MetadataError
from harness.model.exchange import Headers, HttpRequest
from harness.model.instants import to_text
from harness.model.ports import Randomness
from harness.model.values import Json, fingerprint
from mocks.kit.answers import encode_json
from mocks.kit.elliptic import PrivateKey, PublicKey, to_der
from mocks.kit.events import Attempt, EventManners

_KINDS = ("hmac_sha256", "ecdsa_p256")


class Signer:
    """Makes the signature header of one system's deliveries.

    ``hmac_sha256`` signs with the subscription's secret, else the application's; ``ecdsa_p256``
    with a key of the system's own, which :attr:`public_key` and :attr:`key_id` let others check.
    """

    def __init__(self, manners: EventManners, chance: Randomness) -> None:
        """Read ``signature``; raises ``MetadataError`` for an unknown kind."""
        self._rules: Mapping[str, Any] = manners.signature
        self.kind = str(self._rules.get("kind", "none"))
        if self._rules and self.kind not in _KINDS:
            msg = f"events cannot be signed with {self.kind!r}."
            raise MetadataError(msg, remedy=f"Use one of: {', '.join(_KINDS)}.")
        self._key = PrivateKey.drawn(chance) if self.kind == "ecdsa_p256" else None

    @property
    def public_key(self) -> PublicKey | None:
        """Return the key deliveries are signed for, ``None`` where no key pair is used."""
        return self._key.public() if self._key is not None else None

    @property
    def key_id(self) -> str:
        """Return the name under which clients ask for the public key."""
        key = self.public_key
        return fingerprint("event-key", key.x, key.y) if key is not None else ""

    def headers(self, request: HttpRequest, attempt: Attempt, secret: str) -> Headers:
        """Return the signature of one delivery; none where the system signs nothing."""
        if not self._rules:
            return ()
        stamp = str(attempt.sent_us // 1000)
        parts = {
            "body": request.body,
            "method": request.method.encode(),
            "target": request.target().encode(),
            "timestamp": stamp.encode(),
            "body_sha256": hashlib.sha256(request.body).hexdigest().encode(),
        }
        over = self._rules.get("over", ("body",))
        signed = b"\n".join(parts[name] for name in over)
        name = str(self._rules["header"]).lower()
        made: Headers = ((name, self._value(signed, secret)),)
        if "timestamp_header" in self._rules:
            made += ((str(self._rules["timestamp_header"]).lower(), stamp),)
        return made

    def _value(self, signed: bytes, secret: str) -> str:
        if self._key is None:
            digest = hmac.digest(secret.encode(), signed, "sha256")
            if self._rules.get("encoding", "base64") == "hex":
                return digest.hex()
            return base64.b64encode(digest).decode()
        hash_name = str(self._rules.get("digest", "SHA256"))
        signature = to_der(*self._key.sign(signed, hash_name=hash_name.lower()))
        facts = {
            "alg": "ecdsa",
            "kid": self.key_id,
            "signature": base64.b64encode(signature).decode(),
            "digest": hash_name,
        }
        return base64.b64encode(json.dumps(facts, separators=(",", ":")).encode()).decode()


def fact_headers(manners: EventManners, attempt: Attempt, host: str) -> Headers:
    """Return the declared headers: ``name: fact``, or ``name: =text`` for a fixed text."""
    facts = {
        "topic": attempt.topic,
        "event_id": attempt.event_id,
        "delivery_id": attempt.delivery_id,
        "account": attempt.account,
        "host": host,
        "subscription": attempt.subscription.id,
        "attempt": str(attempt.number),
        "triggered_at": to_text(attempt.happened_us),
        "sent_at": to_text(attempt.sent_us),
    }
    return tuple(
        (name.lower(), text[1:] if text.startswith("=") else facts[text])
        for name, text in manners.headers.items()
    )


def dressed(envelope: str, body: Json, attempt: Attempt, system: str) -> Json:
    """Return the body in the envelope of the queue it travels through."""
    if envelope == "sqs":
        text = encode_json(body).decode()
        return {
            "MessageId": attempt.delivery_id,
            "ReceiptHandle": fingerprint("receipt", attempt.delivery_id, attempt.number),
            "MD5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
            "Body": text,
            "Attributes": {
                "SentTimestamp": str(attempt.sent_us // 1000),
                "ApproximateReceiveCount": str(attempt.number),
            },
        }
    if envelope == "eventbridge":
        return {
            "version": "0",
            "id": attempt.delivery_id,
            "detail-type": attempt.topic,
            "source": f"aws.partner/{system}",
            "account": attempt.account,
            "time": to_text(attempt.happened_us),
            "region": "us-east-1",
            "resources": [],
            "detail": body,
        }
    return body
