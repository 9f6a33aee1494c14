"""Orders as real shops see them, drawn from a seed: names of all alphabets, gifts, bundles, gaps.

Every person is plainly made up: the names mean *sample* somewhere, the addresses end in
``.example``, the telephone numbers are those set aside for stories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from harness.model.ports import Randomness
from mocks.kit.money import Money
from mocks.kit.roles import DraftLine, OrderDraft


@dataclass(frozen=True, slots=True)
class Goods:
    """Something on sale; ``components`` (SKU and count) make it a bundle.

    ``price`` is in US dollars; other currencies are drawn from it by a fixed rate.
    """

    sku: str
    title: str
    price: str
    components: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of the orders have each peculiarity, from 0 to 1."""

    several_lines: float = 0.4
    same_sku_twice: float = 0.05
    gift: float = 0.1
    business: float = 0.1
    without_personal_data: float = 0.05
    pending: float = 0.05
    currencies: Mapping[str, int] = field(default_factory=lambda: {"USD": 1})  # by weight


GOODS = (
    Goods("MUG-BLUE", "Enamel mug, blue", "14.99"),
    Goods("KETTLE-15", "Kettle, 1.5 l", "34.50"),
    Goods("TOWEL-3", "Tea towels, set of 3", "12.00"),
    Goods("BOARD-OAK", "Cutting board, oak", "27.95"),
    Goods("TEE-É-ß", "T-shirt «Été» · größe M", "19.90"),
    Goods("茶-01", "緑茶 100g", "8.40"),
    Goods("TEA-SET", "Tea set", "62.00", (("KETTLE-15", 1), ("MUG-BLUE", 2))),
)
# Name, street, city, country, postal code.
_PEOPLE = (
    ("Ada Sample", "1 Example Street", "Springfield", "US", "12345"),
    ("Zoë Beispiel", "Musterweg 7", "Köln", "DE", "50667"),
    ("François d'Exemple", "12 rue de l'Échantillon", "Besançon", "FR", "25000"),
    ("María-José Muestra Ñandú", "Calle Ficticia 3, 2.º B", "A Coruña", "ES", "15001"),
    ("Øystein Eksempelsen", "Prøveveien 9", "Tromsø", "NO", "9008"),
    ("山田 見本", "見本町1-2-3", "大阪市", "JP", "530-0001"),
    ("Иван Образцов", "ул. Примерная, 5", "Софија", "BG", "1000"),
    ("مثال نموذج", "شارع المثال ٤", "الكويت", "KW", "13001"),
    ("Zoe\u0308 Zerlegt", "Zerlegungsgasse 1", "Bu\u0308nde", "DE", "32257"),  # not composed
    ("Emoji 🦄 Specimen", "5 Unicorn Row 🏠", "Lakeside", "US", "24680"),
    ("X", "1", "Y", "US", "00501"),
    ("Bartholomew-Maximilian " + "Longname " * 8 + "Sample", "9" * 60, "Lakeside", "US", "24680"),
)
# Fixed made-up rates: a simulation must not depend on the day's.
_RATES = {
    "EUR": Fraction(9, 10),
    "GBP": Fraction(4, 5),
    "JPY": Fraction(150),
    "KWD": Fraction(3, 10),
    "NOK": Fraction(21, 2),
}


def price_in(currency: str, goods: Goods) -> Money:
    """Return the price of goods in a currency, with that currency's digits."""
    dollars = Fraction(goods.price)
    digits = Money.of("1", currency).minor
    return Money(currency, max(1, round(dollars * _RATES.get(currency, Fraction(1)) * digits)))


class Buyers:
    """Draws orders; the same stream, the same orders."""

    def __init__(
        self,
        chance: Randomness,
        *,
        goods: Sequence[Goods] = GOODS,
        shares: Shares | None = None,
        lines_max: int = 4,
    ) -> None:
        """Buy from ``goods`` with the peculiarities of ``shares``."""
        self._chance = chance
        self._goods = tuple(goods)
        self._shares = shares or Shares()
        self._lines_max = lines_max
        self._currencies = [
            name for name, weight in self._shares.currencies.items() for _ in range(weight)
        ]

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    def draft(self) -> OrderDraft:
        """Return one order."""
        shares, chance = self._shares, self._chance
        currency = chance.choice(self._currencies)
        count = (
            chance.randrange(2, self._lines_max + 1) if self._happens(shares.several_lines) else 1
        )
        shelf = list(self._goods)
        chance.shuffle(shelf)
        lines = [self._line(goods, currency) for goods in shelf[:count]]
        if self._happens(shares.same_sku_twice):
            lines.append(self._line(shelf[0], currency))
        name, street, city, country, postal_code = chance.choice(_PEOPLE)
        email: str | None = f"buyer-{chance.randrange(1000, 10_000)}@mail.example"
        phone: str | None = f"+1-555-01{chance.randrange(10, 100)}"
        business = self._happens(shares.business)
        if self._happens(shares.without_personal_data):
            name, street, email, phone = "", "", None, None
        return OrderDraft(
            tuple(lines),
            currency,
            name,
            city,
            country,
            postal_code,
            gift=self._happens(shares.gift),
            pending=self._happens(shares.pending),
            business=business,
            street=street,
            email=email,
            phone=phone,
        )

    def _line(self, goods: Goods, currency: str) -> DraftLine:
        quantity = self._chance.randrange(1, 4)
        return DraftLine(goods.sku, quantity, price_in(currency, goods).text(), goods.title)


def components_of(sku: str, goods: Sequence[Goods] = GOODS) -> tuple[tuple[str, int], ...]:
    """Return what a bundle is picked from; a single article is picked from itself."""
    for one in goods:
        if one.sku == sku and one.components:
            return one.components
    return ((sku, 1),)
