"""Secrets and buyers' data never survive masking, whatever shape drift gives them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.model.masking import MASK, mask_headers, mask_json


@pytest.mark.parametrize(
    "record",
    [
        {"buyerEmail": "ann@example.com"},
        {"email": ["ann@example.com"]},
        {"email": {"value": "ann@example.com"}},
        {"recipient": {"deliveryAddress": {"name": "ann@example.com", "city": "ann@example.com"}}},
        {"shipTo": {"postalCode": "ann@example.com"}},
        {"access_token": "ann@example.com"},
        {"a": [{"clientSecret": {"deep": ["ann@example.com"]}}]},
    ],
)
def test_personal_data_and_secrets_are_gone(record: dict[str, Any]) -> None:
    assert "ann@" not in str(mask_json(record))
    assert MASK in str(mask_json(record))


def test_shape_and_ordinary_values_stay() -> None:
    record = {
        "orderId": "1-2",
        "orderItems": [{"quantity": 2}, {"quantity": 3}],
        "nextToken": "page",
        "product": {"name": "Mug"},
        "email": None,
    }
    assert mask_json(record) == record


def test_secret_headers_are_gone_and_others_stay() -> None:
    headers = (("authorization", "Bearer x"), ("x-amz-access-token", "y"), ("date", "today"))
    assert mask_headers(headers) == {
        "authorization": MASK,
        "x-amz-access-token": MASK,
        "date": "today",
    }
