"""Why offerings refuse, and why a subscription came to nothing. Numbers 1600 to 1699 are permanent."""

from stoa.kernel.base import Rejection


class OfferingUnknown(Rejection, tag=1600):
    """No offering has this code."""

    offering: str
    en = "There is no offering {offering}."
    ko = "청약 공모 {offering}이(가) 없습니다."


class OfferingExists(Rejection, tag=1601):
    """The code is taken."""

    offering: str
    en = "The offering {offering} exists already."
    ko = "청약 공모 {offering}은(는) 이미 존재합니다."


class OfferingTermsInvalid(Rejection, tag=1602):
    """The terms contradict themselves or the time."""

    offering: str
    why: str
    en = "The terms of {offering} are not usable: {why}."
    ko = "{offering}의 공모 조건을 사용할 수 없습니다: {why}."


class AuthorisedLeftTooSmall(Rejection, tag=1603):
    """Fewer authorised units are left than would be offered: the others exist or are on offer elsewhere."""

    asset: str
    authorised: int
    supply: int
    reserved: int
    needed: int
    en = "Of {authorised} authorised units of {asset} {supply} exist and {reserved} are on offer; {needed} are needed."
    ko = "{asset} 수권 {authorised}단위 중 {supply}단위가 발행, {reserved}단위가 공모 중이며 {needed}단위가 필요합니다."


class OfferingNotOpen(Rejection, tag=1604):
    """The offering is being closed, or has ended."""

    offering: str
    stage: str
    en = "The offering {offering} is not open any more: it is {stage}."
    ko = "청약 공모 {offering}은(는) 더 이상 진행 중이 아닙니다({stage})."


class OfferingNotYetOpen(Rejection, tag=1605):
    """The window opens later."""

    offering: str
    opens: int
    time: int
    en = "The offering {offering} opens at {opens}; it is {time} now."
    ko = "청약 공모 {offering}은(는) {opens}에 시작합니다. 현재 {time}입니다."


class OfferingOver(Rejection, tag=1606):
    """The deadline has come."""

    offering: str
    closes: int
    time: int
    en = "The offering {offering} ended at {closes}; it is {time} now."
    ko = "청약 공모 {offering}은(는) {closes}에 마감되었습니다. 현재 {time}입니다."


class BelowMinimum(Rejection, tag=1607):
    """The person would have subscribed less than one person must."""

    offering: str
    party: int
    units: int
    minimum: int
    en = "The party {party} would have subscribed {units} units of {offering}; the minimum is {minimum}."
    ko = "당사자 {party}의 {offering} 청약이 {units}단위로, 1인 최소 {minimum}단위에 미달합니다."


class AboveLimit(Rejection, tag=1608):
    """The person would have subscribed more, over all his accounts, than one person may."""

    offering: str
    party: int
    subscribed: int
    units: int
    limit: int
    en = "The party {party} has subscribed {subscribed} units of {offering}; {units} more exceed the limit of {limit}."
    ko = (
        "당사자 {party}의 {offering} 청약은 {subscribed}단위로, {units}단위를 더하면 1인 한도 {limit}단위를 초과합니다."
    )


class HardCapReached(Rejection, tag=1609):
    """The book would exceed the most that may be subscribed."""

    offering: str
    subscribed: int
    units: int
    hard_cap: int
    en = "{subscribed} units of {offering} are subscribed; {units} more exceed the hard cap of {hard_cap}."
    ko = "{offering} 청약 누계는 {subscribed}단위로, {units}단위를 더하면 총 한도 {hard_cap}단위를 초과합니다."


class CostDiffers(Rejection, tag=1610):
    """What was signed is not what the units cost at the price in force."""

    offering: str
    price: int
    cost: int
    signed: int
    en = "At the price of {price} in force in {offering} the units cost {cost}, not {signed}."
    ko = "{offering}의 현재 단가 {price} 기준 청약 금액은 {cost}이며, 서명된 금액은 {signed}입니다."


class SubscriptionUnknown(Rejection, tag=1611):
    """The offering has no such subscription."""

    offering: str
    number: int
    en = "There is no subscription {number} of {offering}."
    ko = "{offering}에 청약 {number}번이 없습니다."


class SubscriptionEnded(Rejection, tag=1612):
    """The subscription is withdrawn, refunded or settled."""

    offering: str
    number: int
    state: str
    en = "The subscription {number} of {offering} is {state}."
    ko = "{offering}의 청약 {number}번은 이미 종료되었습니다({state})."


class NotRevocable(Rejection, tag=1613):
    """The terms bind a subscriber until the close."""

    offering: str
    en = "Subscriptions of {offering} cannot be withdrawn."
    ko = "{offering}의 청약은 철회할 수 없습니다."


class NotFullySubscribed(Rejection, tag=1614):
    """The terms let the agent close early only when every unit is subscribed."""

    offering: str
    subscribed: int
    units: int
    closes: int
    en = "{subscribed} of {units} units of {offering} are subscribed: it closes at {closes}, not before."
    ko = "{offering}은(는) {units}단위 중 {subscribed}단위만 청약되어 {closes} 전에는 마감할 수 없습니다."


class SoftCapMissed(Rejection, tag=1615):
    """Too little was subscribed, so everybody is refunded."""

    offering: str
    subscribed: int
    soft_cap: int
    en = "{subscribed} units of {offering} were subscribed, fewer than the {soft_cap} that it needed."
    ko = "{offering}의 청약이 {subscribed}단위로, 최소 모집 {soft_cap}단위에 미달했습니다."


class NothingAllotted(Rejection, tag=1616):
    """The allotment rule left no whole unit for the subscription."""

    offering: str
    number: int
    units: int
    en = "No unit of {offering} could be allotted to the {units} units of subscription {number}."
    ko = "{offering} 청약 {number}번({units}단위)에 배정된 단위가 없습니다."


class CoverLost(Rejection, tag=1617):
    """Cash under the subscription's hold was taken by force, so it no longer covers the cost."""

    offering: str
    number: int
    held: int
    cost: int
    en = "The hold for subscription {number} of {offering} covers {held}, the units cost {cost}."
    ko = "{offering} 청약 {number}번의 증거금이 {held}만 남아 청약 금액 {cost}에 미달합니다."
