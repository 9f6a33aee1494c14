"""The reconciliation report of one settlement period, in the 32 columns of version 1."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from fractions import Fraction

from harness.model.instants import to_datetime
from mocks.kit.ledger import Posting, Statement

Row = dict[str, str]
COLUMNS = (
    "Period Start Date",
    "Period End Date",
    "Total Payable",
    "Currency",
    "Transaction Key",
    "Transaction Posted Timestamp",
    "Transaction Type",
    "Transaction Description",
    "Customer Order #",
    "Customer Order line #",
    "Purchase Order #",
    "Purchase Order line #",
    "Amount",
    "Amount Type",
    "Ship Qty",
    "Commission Rate",
    "Base Commission Rate",
    "Transaction Reason Description",
    "Partner Item Id",
    "Partner GTIN",
    "Partner Item Name",
    "Product Tax Code",
    "Ship to State",
    "Ship to City",
    "Ship to Zipcode",
    "Contract Category",
    "Product Type",
    "Commission Rule",
    "Shipping Method",
    "Fulfillment Type",
    "Fulfillment Details",
    "Original Commission",
)


def report_day(statement: Statement) -> str:
    """Return the day a period closed as the list of files writes it: month, day, year."""
    return to_datetime(statement.until_us).strftime("%m%d%Y")


def _date(at_us: int) -> str:
    moment = to_datetime(at_us)
    return f"{moment.month}/{moment.day}/{moment.year}"


def rows_of(statement: Statement, commission: Fraction) -> list[Row]:
    """Return the rows of a period; their amounts add up to its Total Payable.

    A debt or a small balance that is carried from one period into the next is an adjustment in
    both, so that the sum holds without looking at another file.
    """
    summary: Row = {
        "Period Start Date": _date(statement.from_us),
        "Period End Date": _date(statement.until_us),
        "Total Payable": statement.payout.text(),
        "Currency": statement.currency,
        "Transaction Type": "PaymentSummary",
        "Transaction Description": "Payment for the period",
    }
    rows = [summary]
    if statement.opening.minor:
        text = "Balance of the period before"
        rows.append(_carried(statement, text, statement.opening.text(), "OPEN"))
    rate = format(float(commission), ".4g")
    rows += [_row(posting, rate) for posting in statement.postings if posting.amount.minor]
    if statement.closing.minor:
        text = "Carried to the next period"
        rows.append(_carried(statement, text, (-statement.closing).text(), "CLOSE"))
    return rows


def _carried(statement: Statement, text: str, amount: str, mark: str) -> Row:
    return {
        "Transaction Key": f"{mark}-{statement.id}",
        "Transaction Posted Timestamp": _date(statement.until_us - 1),
        "Transaction Type": "Adjustment",
        "Transaction Description": text,
        "Currency": statement.currency,
        "Amount": amount,
        "Amount Type": "Fee/Reimbursement",
    }


def _row(posting: Posting, rate: str) -> Row:
    facts = posting.facts
    kind = str(facts["type"])
    row: Row = {
        "Transaction Key": f"{kind.upper()}-{posting.reference}-{posting.line}-{posting.at_us}",
        "Transaction Posted Timestamp": _date(posting.at_us),
        "Transaction Type": kind,
        "Transaction Description": str(facts["text"]),
        "Customer Order #": str(facts["customer_order_id"]),
        "Customer Order line #": posting.line,
        "Purchase Order #": posting.reference,
        "Purchase Order line #": posting.line,
        "Currency": posting.amount.currency,
        "Amount": posting.amount.text(),
        "Amount Type": str(facts["amount_type"]),
        "Commission Rate": rate,
        "Base Commission Rate": rate,
        "Partner Item Id": str(facts["sku"]),
        "Partner Item Name": str(facts["title"]),
        "Ship to City": str(facts["city"]),
        "Ship to Zipcode": str(facts["zip"]),
        "Fulfillment Type": "Seller fulfilled",
    }
    if "quantity" in facts:
        row["Ship Qty"] = str(facts["quantity"])
    if "reason" in facts:
        row["Transaction Reason Description"] = str(facts["reason"])
    return row


def zipped(rows: Sequence[Row], day: str) -> bytes:
    """Return the table as the vendor sends it: comma-separated, in a zip archive of one file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    packed = io.BytesIO()
    # A fixed time: the same rows must give the same bytes.
    name = zipfile.ZipInfo(f"recon_{day}.csv", (1980, 1, 1, 0, 0, 0))
    name.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, text.getvalue())
    return packed.getvalue()
