"""The columns of FOCUS 1.0 to 1.4, which are the same for every vendor. Pure.

1.3 added ServiceProviderName and HostProviderName, and 1.4 removed ProviderName and PublisherName.
https://focus.finops.org/focus-specification/
"""

from typing import Final

from openai_costs.sources.exports.dialects import Dialect

STANDARD: Final = (
    *("AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId"),
    *("AllocatedResourceName", "AllocatedTags", "AvailabilityZone", "BilledCost"),
    *("BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "CapacityReservationId"),
    *("CapacityReservationStatus", "ChargeCategory", "ChargeClass", "ChargeDescription"),
    *("ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountCategory"),
    *("CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity"),
    *("CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit"),
    *("CommitmentProgramEligibilityDetails", "ConsumedQuantity", "ConsumedUnit"),
    *("ContractApplied", "ContractedCost", "ContractedUnitPrice", "EffectiveCost"),
    *("HostProviderName", "InvoiceDetailId", "InvoiceId", "InvoiceIssuerName", "ListCost"),
    *("ListUnitPrice", "PricingCategory", "PricingCurrency"),
    *("PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost"),
    *("PricingCurrencyListUnitPrice", "PricingQuantity", "PricingUnit", "ProviderName"),
    *("PublisherName", "Region", "RegionId", "RegionName", "ResourceId", "ResourceName"),
    *("ResourceType", "ServiceCategory", "ServiceName", "ServiceProviderName"),
    *("ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId"),
    *("SubAccountId", "SubAccountName", "SubAccountType", "Tags"),
)
"""The columns of all versions, as the specification writes them."""

_CATEGORIES: Final = ("usage", "purchase", "credit", "tax", "adjustment")

FOCUS: Final = Dialect(
    name="FOCUS",
    columns={
        "account": ("billingaccountid",),
        "sub_account": ("subaccountid",),
        "month": ("billingperiodstart",),
        "starts": ("chargeperiodstart",),
        "category": ("chargecategory",),
        "charge_class": ("chargeclass",),
        "billed": ("billedcost",),
        "listed": ("listcost",),
        "currency": ("billingcurrency",),
        "billed_in_usd": ("x_billedcostinusd",),
        "vendor": ("serviceprovidername", "providername", "hostprovidername"),
        "invoicer": ("invoiceissuername",),
        "service": ("servicename",),
        "service_category": ("servicecategory",),
        "subcategory": ("servicesubcategory",),
        "label": ("x_usagetype", "skumeter", "chargedescription"),
        "region": ("regionid", "regionname", "region"),
        "quantity": ("consumedquantity",),
        "unit": ("consumedunit",),
        "pricing_quantity": ("pricingquantity",),
        "pricing_unit": ("pricingunit",),
        "tags": ("tags",),
    },
    marks=("billedcost",),
    written={one.lower(): one for one in (*STANDARD, "x_BilledCostInUsd", "x_UsageType")},
    categories={one: one for one in _CATEGORIES},
    known=frozenset(one.lower() for one in STANDARD),
)
