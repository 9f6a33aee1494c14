"""Dynamics 365: Business Central companies and legal entities of Finance and Operations.

What is imitated, and what is not, stands in ``mocks/README.md``; everything the vendor leaves
open is a setting of ``behaviour.yaml``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from typing_extensions import override

from harness.model.exchange import Headers, HttpRequest
from harness.model.ports import Credentials, SystemAccess
from mocks import _dynamics365_shapes as shapes
from mocks._dynamics365_operations import FinanceOperations
from mocks.kit.accounts import Account, PerAccount
from mocks.kit.simulator import Answer, Handler, Refused, SimulatorSetup

_TENANT = "8f5a0f17-0000-4000-8000-00000000d365"


class Dynamics365(FinanceOperations):
    """Tenants of Dynamics 365. Implements the ``ErpSystem`` role for the back office."""

    system_name: ClassVar[str] = "dynamics365"

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open the tenants of the run."""
        super().__init__(setup)
        self._secrets = PerAccount(self._draw_secrets)

    def _draw_secrets(self, account: str) -> dict[str, str]:
        chance = self.stream("credentials", account)
        return {"client_id": _hex(chance, 32), "client_secret": _hex(chance, 40)}

    # What the kit asks

    @override
    def handler(self, api: str, operation_id: str | None) -> Handler | None:
        """Return a handler of this very API: both products have operations of the same name."""
        if api.startswith("finance_operations/"):
            return self.handlers.get((api, operation_id or ""))
        return super().handler(api, operation_id)

    @override
    def default_account(self) -> Account:
        """Return the tenant of the settings."""
        return Account(str(self.settings.get("tenant", _TENANT)))

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return a tenant's address and credentials; the same for the same seed."""
        tenant = self.accounts[account]
        base_url = self.doors.base_url(tenant, base_url) if account is not None else base_url
        return SystemAccess(
            name=self.system_name,
            role="erp",
            base_url=base_url,
            account=tenant.id,
            credentials=Credentials(dict(self._secrets[tenant.id])),
            parameters={
                "tenant": tenant.id,
                "environment": str(self.settings.get("environment", "production")),
                "company": self.companies[tenant.id].id,
                "data_area": self.entities[tenant.id].name,
                "customer": str(self.settings.get("customer", "C-110")),
                "scope": "https://api.businesscentral.dynamics.com/.default",
                "token_url": f"{base_url}/{tenant.id}/oauth2/v2.0/token",
                **tenant.parameters,
            },
        )

    @override
    def example(self, now_us: int) -> HttpRequest:
        """Return the list an engine polls stock with."""
        known = self.access("").parameters
        path = f"/v2.0/{known['environment']}/api/v2.0/companies({known['company']})/items"
        return HttpRequest("GET", path, (("$select", "number,inventory"),))

    @override
    def answer_headers(self, call_id: str) -> Headers:
        """Return the correlation id, which every answer carries."""
        return (("request-id", call_id),)

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return the error object of OData."""
        return shapes.error(refused, call_id)

    # What the back office does (the ErpSystem role)

    def set_stock(
        self, sku: str, quantity: int, now_us: int, *, account: str | None = None
    ) -> None:
        """Set what is available of a SKU; a new SKU becomes an item."""
        self.companies[self.accounts[account].id].set_stock(sku, quantity, now_us)

    def available(self, sku: str, *, account: str | None = None) -> int | None:
        """Return on hand less what open sales orders want, never below zero."""
        return self.companies[self.accounts[account].id].available(sku)

    def balance(self, ledger_account: str, *, account: str | None = None) -> Decimal:
        """Return what posted journals have put on a general ledger account."""
        company = self.companies[self.accounts[account].id]
        return company.balances.get(ledger_account, Decimal(0))


def _hex(chance: Any, length: int) -> str:
    return "".join(f"{chance.randrange(0, 16):x}" for _ in range(length))
