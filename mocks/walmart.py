"""Walmart Marketplace in the United States: orders in both pinned versions, stock, prices, feeds,
returns, settlement files and webhooks of any number of sellers.

What is imitated, and what is not, stands in ``mocks/README.md``; everything the vendor leaves
open is a setting of ``behaviour.yaml``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.model.instants import SECOND_US
from harness.model.values import Json
from mocks import _walmart_hooks as hooks
from mocks import _walmart_office as office
from mocks import _walmart_requests as requests
from mocks import _walmart_shapes as shapes
from mocks._walmart_feeds import summary
from mocks._walmart_orders import CREATED, Order, Return
from mocks._walmart_sellers import API_NAMES, WalmartSellers
from mocks._walmart_shop import PriceChange
from mocks._walmart_walk import order_list, return_list
from mocks.kit.batches import RowAnswer
from mocks.kit.simulator import Answer, AskFirst, Call, RefusalKind, Refused, handles


class WalmartMarketplace(WalmartSellers):
    """Every call of the contracts, over the sellers and shops of its base."""

    system_name: ClassVar[str] = "walmart"

    # authentication

    @handles("getTokenDetail")
    def get_token_detail(self, call: Call) -> Answer:
        """Tell about the token."""
        return office.token_detail(self.books, self.setup.behaviour["authentication"], call)

    # orders

    @handles("getAllOrders")
    def get_all_orders(self, call: Call) -> Answer:
        """List orders."""
        return order_list(call, self.shops[call.account], self.manners, self.limits, self._shown)

    @handles("getReleasedOrders")
    def get_released_orders(self, call: Call) -> Answer:
        """List orders that wait for an acknowledgement."""

        def waits(order: Order) -> bool:
            return order.units(CREATED) > 0

        shop = self.shops[call.account]
        return order_list(call, shop, self.manners, self.limits, self._shown, only=waits)

    @handles("getAnOrder")
    def get_an_order(self, call: Call) -> Answer:
        """Read one order."""
        return self._answer(call, self._order(call))

    @handles("acknowledgeOrder")
    def acknowledge_order(self, call: Call) -> Answer:
        """Take note of a whole order."""
        order = self._order(call)
        self.shops[call.account].acknowledge(order, call.now_us)
        return self._answer(call, order)

    @handles("shipOrderLines")
    def ship_order_lines(self, call: Call) -> Answer:
        """Take units as shipped, all that a call names or none."""
        order = self._order(call)
        rows = requests.shipments(
            order,
            call.body,
            repeat_code=str(self.settings.get("ship_repeat_code")),
            acknowledged=self.settings.get("ship_unacknowledged", "accept") == "refuse",
        )
        self.shops[call.account].ship(order, rows, call.now_us, call.request_id)
        return self._answer(call, order)

    @handles("cancelOrderLines")
    def cancel_order_lines(self, call: Call) -> Answer:
        """Cancel units the seller cannot deliver."""
        order, shop = self._order(call), self.shops[call.account]
        again = self.settings.get("cancel_repeat", "refuse") == "accept"
        for line, units, why in requests.cancellations(order, call.body, accept_repeat=again):
            shop.cancel(order, line, units, why, call.now_us, call.request_id)
        return self._answer(call, order)

    @handles("refundOrderLines")
    def refund_order_lines(self, call: Call) -> Answer:
        """Give money back for shipped lines; a repeat gives back again while any is left."""
        order, shop = self._order(call), self.shops[call.account]
        rows = requests.refunds(order, call.body)
        requests.check_refunds(shop.till, [(line, amount) for line, amount, _ in rows])
        for line, amount, reason in rows:
            shop.refund(order, line, amount, reason, call.now_us)
        return self._answer(call, order)

    def _order(self, call: Call) -> Order:
        order_id = call.path["purchaseOrderId"]
        order = self.shops[call.account].orders.get(order_id)
        if order is None or not order.released:
            msg = f"there is no order {order_id!r}"
            raise Refused(RefusalKind.NOT_FOUND, msg)
        return order

    def _shown(self, order: Order, call: Call) -> dict[str, Any]:
        shop = self.shops[call.account]
        per_unit = self.settings.get("charge_amount_per", "line") == "unit"
        node = shop.assortment.nodes[0]
        return shapes.order(order, call.version, shop.till, node, per_unit=per_unit)

    def _answer(self, call: Call, order: Order) -> Answer:
        return Answer(200, {"order": self._shown(order, call)})

    # inventory and prices

    @handles("getInventoryForAnItem")
    def get_inventory(self, call: Call) -> Answer:
        """Read what may be sold of a SKU, at one node or at all."""
        assortment = self.shops[call.account].assortment
        item = assortment.find(call.query["sku"])
        node = call.query.get("shipNode")
        amount = item.sellable
        if node is not None:
            found = item.nodes.get(assortment.check_node(node))
            amount = found.sellable if found is not None else 0
        return Answer(200, {"sku": item.sku, "quantity": {"unit": "EACH", "amount": amount}})

    @handles("updateInventoryForAnItem")
    def update_inventory(self, call: Call) -> Answer:
        """Set what one node holds."""
        sku, shop = call.query["sku"], self.shops[call.account]
        if call.body["sku"] != sku:
            msg = "the sku of the body is another than that of the address"
            raise requests.invalid(msg)
        node = call.query.get("shipNode", shop.assortment.nodes[0])
        quantity = int(call.body["quantity"]["amount"])
        shop.publish_quantity(sku, node, quantity, call.now_us, call.request_id)
        return Answer(200, {"sku": sku, "quantity": {"unit": "EACH", "amount": quantity}})

    @handles("getMultiNodeInventoryForAnItem")
    def get_nodes(self, call: Call) -> Answer:
        """Read the stock of every node."""
        item = self.shops[call.account].assortment.find(call.path["sku"])
        return Answer(200, shapes.nodes(item, call.query.get("shipNode")))

    @handles("updateMultiNodeInventory")
    def update_nodes(self, call: Call) -> Answer:
        """Set what several nodes hold; each succeeds or fails by itself."""
        sku, shop = call.path["sku"], self.shops[call.account]
        shop.assortment.to_change(sku)

        def do(row: Json) -> RowAnswer:
            units = int(row["inputQty"]["amount"])
            shop.publish_quantity(sku, row["shipNode"], units, call.now_us, call.request_id)
            return 200, {"shipNode": row["shipNode"], "status": "Success"}

        def refuse(row: Json, refused: Refused) -> RowAnswer:
            status, error = shapes.error(
                refused, shapes.error_code(refused, API_NAMES["inventory"])
            )
            return status, {"shipNode": row["shipNode"], "status": "Failed", "errors": [error]}

        result = self.manners.batches.run(call, call.body["inventories"]["nodes"], do, refuse)
        return Answer(result.status, {"sku": sku, "nodes": [row for _, row in result.rows]})

    @handles("updatePrice")
    def update_price(self, call: Call) -> Answer:
        """Take prices of one SKU, all that a call names or none."""
        shop = self.shops[call.account]
        item = shop.assortment.to_change(call.body["sku"])
        due_us = call.now_us + int(self.settings.get("price_apply_seconds", 0)) * SECOND_US
        rows = [
            (row["currentPriceType"], requests.amount(row["currentPrice"]))
            for row in call.body["pricing"]
        ]
        if any(price.currency != "USD" for _, price in rows):
            msg = "prices of this marketplace are in USD"
            raise requests.invalid(msg)
        for kind, price in rows:
            change = PriceChange(due_us, item, kind, "USD", price.text(), call.request_id)
            shop.publish_price(change, call.now_us)
        return Answer(200, {"sku": item.sku, "message": "The price was taken."})

    # feeds

    @handles("uploadFeed")
    def upload_feed(self, call: Call) -> Answer:
        """Take a file of changes."""
        kind = call.query["feedType"]
        name = "feed_item_bytes_max" if kind == "MP_ITEM" else "feed_inventory_bytes_max"
        most = int(self.limits.get(name, 10_000_000))
        if len(call.request.body) > most:
            msg = f"a feed of type {kind} has {most} bytes at most"
            raise Refused(RefusalKind.TOO_LARGE, msg)
        return Answer(200, {"feedId": self.feeds[call.account].upload(call, kind).id})

    @handles("getAllFeedStatuses")
    def get_feeds(self, call: Call) -> Answer:
        """List feeds, the newest first."""
        desk = self.manners.jobs.desk("feeds")
        jobs = list(reversed(desk.all(call.account, call.now_us)))
        if "feedId" in call.query:
            jobs = [job for job in jobs if job.id == call.query["feedId"]]
        page = self.manners.pager.open(call).page(jobs)
        feeds = [{**summary(desk, job), "feedType": job.facts["type"]} for job in page.items]
        facts = {"totalResults": page.total, "offset": page.offset, "limit": page.size}
        return Answer(200, {**facts, "results": {"feed": feeds}})

    @handles("getFeedItemStatus")
    def get_feed(self, call: Call) -> Answer:
        """Read one feed and, when asked for, what became of each row."""
        desk = self.manners.jobs.desk("feeds")
        job = desk.find(call.path["feedId"], call.account, call.now_us)
        page = self.manners.pager.open(call).page(job.result or [])
        shown = {**summary(desk, job), "offset": page.offset, "limit": page.size}
        if call.query.get("includeDetails") == "true":
            shown["itemDetails"] = {"itemIngestionStatus": page.items}
        return Answer(200, shown)

    # Goods sent back

    @handles("getReturns")
    def get_returns(self, call: Call) -> Answer:
        """List returns."""
        return return_list(call, self.shops[call.account], self.manners, self._shown_return)

    @handles("issueRefundForReturn")
    def refund_return(self, call: Call) -> Answer:
        """Refund units of a return; there is no key, a repeat refunds what is left."""
        shop = self.shops[call.account]
        found = shop.returns.get(call.path["returnOrderId"])
        if found is None:
            msg = f"there is no return {call.path['returnOrderId']!r}"
            raise Refused(RefusalKind.NOT_FOUND, msg)
        rows = requests.return_refunds(found, call.body)
        requests.check_refunds(
            shop.till, [(row.line, amount) for row, _, amount in rows if amount.minor]
        )
        shop.refund_return(found, rows, call.now_us)
        return Answer(200, self._shown_return(found))

    def _shown_return(self, found: Return) -> dict[str, Any]:
        return shapes.returned(found, int(self.settings.get("return_window_days", 30)))

    # reports

    @handles("getAvailableReconFiles")
    def get_recon_days(self, call: Call) -> Answer:
        """List the days for which there is a settlement file."""
        return office.recon_days(self.shops[call.account], call)

    @handles("getReconFile")
    def get_recon_file(self, call: Call) -> Answer:
        """Download a settlement file."""
        return office.recon_file(self.shops[call.account], call)

    @handles("getReconFileJson")
    def get_recon_rows(self, call: Call) -> Answer:
        """Read the rows of a settlement file."""
        return office.recon_rows(self.shops[call.account], call)

    @handles("createReportRequest")
    def ask_report(self, call: Call) -> Answer:
        """Ask for a report."""
        desk = self.manners.jobs.desk("report_requests")
        return office.ask_report(desk, self.shops[call.account], call)

    @handles("getReportRequests")
    def get_reports(self, call: Call) -> Answer:
        """List requests for reports."""
        return office.reports(self.manners.jobs.desk("report_requests"), call)

    @handles("getReportRequest")
    def get_report(self, call: Call) -> Answer:
        """Read where one request stands."""
        desk = self.manners.jobs.desk("report_requests")
        job = desk.find(call.path["requestId"], call.account, call.now_us)
        return Answer(200, office.report(desk, job))

    @handles("downloadReport")
    def get_report_address(self, call: Call) -> Answer:
        """Tell where a finished report lies."""
        return office.report_address(self.manners.jobs.desk("report_requests"), call)

    # webhooks

    @handles("getEventTypes")
    def get_event_types(self, call: Call) -> Answer:
        """List what one may subscribe to."""
        return hooks.event_types(self.manners.events)

    @handles("getSubscriptions")
    def get_subscriptions(self, call: Call) -> Answer:
        """List subscriptions."""
        return hooks.listed(self.manners.events.subscriptions(call.account, call.now_us))

    @handles("createSubscription")
    def create_subscription(self, call: Call) -> Answer:
        """Subscribe to events."""
        return hooks.subscribe(self.manners.events, call)

    @handles("updateSubscription")
    def update_subscription(self, call: Call) -> Answer:
        """Change a subscription."""
        return hooks.change(self.manners.events, call)

    @handles("deleteSubscription")
    def delete_subscription(self, call: Call) -> Answer:
        """End a subscription."""
        desk = self.manners.events
        desk.remove(desk.find(call.account, call.path["subscriptionId"], call.now_us).id)
        return Answer(200, {"message": "The subscription was deleted."})

    @handles("testNotification")
    def test_notification(self, call: Call) -> AskFirst:
        """Send a sample event."""
        return hooks.try_out(self.manners.events, call, call.account)
