"""Who plays which part in the chapters on trading, income, control and proof: ids of the investor list."""

from typing import Final

SELLER: Final = "tan-weiling"  # Singapore, accredited: sells to everybody
BUYER: Final = "park-seoyeon"  # Korea, professional: holds already
NEWCOMER: Final = "choi-hyunwoo"  # Korea, professional: comes in by a trade, loses his units by judgment
RETAIL: Final = "kim-minseo"  # Korea, retail: beyond the yearly cap; loses her key
FROZEN: Final = "lee-jihoon"  # Korea, retail: some of his units are frozen for a while
PENSION: Final = "namsan-pension"  # Korea, institutional: close to the most that anybody may hold
FUND: Final = "merlion-capital"  # Singapore, institutional: pledges units
LATE: Final = "lim-kaiser"  # Singapore: his claim expires
US_HOLDER: Final = "carter-emily"  # United States: has to wait a year
US_BUYER: Final = "nguyen-david"  # United States: has two lots of different age
CLOSED_COUNTRY: Final = "souza-ana"  # from a country that no rule names

PEOPLE: Final = (
    SELLER, BUYER, NEWCOMER, RETAIL, FROZEN, PENSION, FUND, LATE, US_HOLDER, US_BUYER, CLOSED_COUNTRY,
)  # fmt: skip
