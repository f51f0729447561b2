"""The detector's wide frame: every column, declared once, by the step that adds it. Pure.

A row is a series and a day. A group is the series of one organization, and its beginning the first
day of all of them. Each step takes the frame and adds its columns; columns that a step needs only
itself begin with an underscore and are dropped by it.
"""

import polars as pl

STEPS: dict[str, tuple[str, ...]] = {
    "every_day": ("group", "beginning", "series_id", "series_level", "day", "cost"),
    "with_calendar": ("x", "is_on", "is_weekend", "age", "day_of_month", "days_left"),
    "with_baseline": (
        *("season", "level", "slow", "n_on", "is_usual", "mu", "residual"),
        *("amount_median", "amount_p95", "amount_mad", "highest"),
    ),
    "with_scale": ("body", "n_judged", "scale", "day_scale", "amount_scale"),
    "with_materiality": (
        *("mean_usd", "peers_usd", "sigmas", "material_usd"),
        *("minimum_usd", "minimum_share", "minimum_growth", "newcomer_usd"),
    ),
    "with_scores": ("score", "jump", "is_weekend_activity", "is_monthly", "is_tenfold"),
    "with_cusum": ("base", "rise", "lasting", "still", "is_sudden"),
    "with_silence": ("is_silent", "silent_days"),
    "with_new_series": ("is_new", "newcomer"),
    "with_expected": ("expected", "lower", "upper"),
    "with_verdict": ("is_material", "is_high", "is_lasting", "is_stopped"),
}
"""The columns that each step of the detector adds, in the order of the steps."""

OF_A_DAY = ("group", "day")
"""What series have in common that are compared with each other."""

ACROSS_SERIES = (
    *("group", "series_id", "series_level", "day", "cost"),
    *("score", "lasting", "base", "sigmas", "material_usd"),
    *("expected", "lower", "upper", "is_material", "is_high", "is_lasting", "is_stopped"),
    *("is_new", "is_weekend_activity", "is_sudden", "is_tenfold", "still"),
)
"""What the steps that compare series and days read: the rest is dropped to save memory."""

VERDICT = (
    *("series_id", "day", "cost", "is_anomaly", "kind", "score", "direction"),
    *("expected", "lower", "upper", "is_explained"),
)
"""The columns of the detector's verdicts."""

NO_VERDICTS = pl.DataFrame(
    schema={name: pl.Date if name == "day" else pl.String for name in VERDICT}
)
"""The verdicts where there is nothing to judge."""
