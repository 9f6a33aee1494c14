"""Shipments, invoices, credit memos and journals of Business Central."""

from __future__ import annotations

from mocks import _dynamics365_posting as posting
from mocks import _dynamics365_reading as reading
from mocks import _dynamics365_shapes as shapes
from mocks._dynamics365_central import BusinessCentral
from mocks._dynamics365_records import Document, Journal
from mocks.kit.simulator import Answer, Call, handles


class Accounting(BusinessCentral):
    """What posting has made, and what is posted by itself."""

    @handles("listSalesShipments")
    def list_sales_shipments(self, call: Call) -> Answer:
        """List posted shipments."""
        return self._list(
            call,
            "SalesShipment",
            "salesShipments",
            self._company(call).shipments.values(),
            shapes.shipment,
            self._with_lines(call, "salesShipmentLines", shapes.shipment_line),
        )

    @handles("listSalesInvoices")
    def list_sales_invoices(self, call: Call) -> Answer:
        """List invoices, posted or not."""
        company = self._company(call)
        return self._list(
            call,
            "SalesInvoice",
            "salesInvoices",
            company.invoices.values(),
            lambda one: shapes.invoice(one, company),
            self._with_lines(call, "salesInvoiceLines"),
        )

    @handles("createSalesInvoice")
    def create_sales_invoice(self, call: Call) -> Answer:
        """Create an invoice that belongs to no order; a repeat creates a second one."""
        company = self._company(call)
        made = posting.create_invoice(company, reading.as_object(call.body), call)
        return Answer(201, shapes.invoice(made, company))

    @handles("postSalesInvoice")
    def post_sales_invoice(self, call: Call) -> Answer:
        """Post an invoice, once."""
        company = self._company(call)
        found: Document = self._find(company.invoices, "sales invoice", call)
        posting.post_invoice(company, found, call)
        return Answer(204)

    @handles("listSalesCreditMemos")
    def list_sales_credit_memos(self, call: Call) -> Answer:
        """List credit memos, posted or not."""
        company = self._company(call)
        return self._list(
            call,
            "SalesCreditMemo",
            "salesCreditMemos",
            company.memos.values(),
            lambda one: shapes.memo(one, company),
            self._with_lines(call, "salesCreditMemoLines"),
        )

    @handles("createSalesCreditMemo")
    def create_sales_credit_memo(self, call: Call) -> Answer:
        """Create a credit memo; a repeat creates a second one."""
        company = self._company(call)
        made = posting.create_memo(company, reading.as_object(call.body), call)
        return Answer(201, shapes.memo(made, company))

    @handles("postSalesCreditMemo")
    def post_sales_credit_memo(self, call: Call) -> Answer:
        """Post a credit memo, once."""
        company = self._company(call)
        found: Document = self._find(company.memos, "sales credit memo", call)
        posting.post_memo(company, found, call)
        return Answer(204)

    # -- the ledger --------------------------------------------------------------------------------

    def _journal(self, call: Call) -> Journal:
        return self._find(self._company(call).journals, "journal", call)

    @handles("listJournals")
    def list_journals(self, call: Call) -> Answer:
        """List general journals."""
        rows = self._company(call).journals.values()
        return self._list(call, "Journal", "journals", rows, shapes.journal)

    @handles("listJournalLines")
    def list_journal_lines(self, call: Call) -> Answer:
        """List the lines that wait in a journal."""
        journal = self._journal(call)
        entity = f"journals({journal.id})/journalLines"
        return self._list(call, "JournalLine", entity, journal.lines, shapes.journal_line)

    @handles("createJournalLine")
    def create_journal_line(self, call: Call) -> Answer:
        """Add a line to a journal; a repeat adds a second one."""
        journal, body = self._journal(call), reading.as_object(call.body)
        made = posting.add_journal_line(self.companies[call.account], journal, body, call)
        return Answer(201, shapes.journal_line(made))

    @handles("postJournal")
    def post_journal(self, call: Call) -> Answer:
        """Post a journal as a whole."""
        posting.post_journal(self.companies[call.account], self._journal(call), call)
        return Answer(204)
