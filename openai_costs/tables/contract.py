"""What every contract has: a name taken from its path, typed columns with units, a check."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any

import pandera.errors
import pandera.polars as pa
import polars as pl

LAYERS = ("core", "mart")

Usd = Annotated[pl.Decimal, 38, 18]
"""US dollars, exact: 20 digits before the point, 18 behind it."""

Quantity = Annotated[pl.Decimal, 38, 18]
"""An exact count in the unit another column names."""

At = Annotated[pl.Datetime, "us", None]
"""An instant in UTC. Without a zone, because DuckDB needs an extra package to hand a zone on."""


def column(
    description: str,
    *,
    unit: str = "",
    nullable: bool = False,
    before: str | None = None,
    **rules: Any,  # noqa: ANN401 - pandera's own rules
) -> Any:  # noqa: ANN401 - pandera's own field type
    """Return a column's field: what it holds, in which unit, and the rules its values keep.

    Args:
        description: What it holds.
        unit: Its unit.
        nullable: Whether a value may be missing.
        before: What is true of rows that were stored before the table had this column.
        rules: Pandera's own rules.
    """
    about = {"unit": unit, "before": before}
    return pa.Field(description=description, metadata=about, nullable=nullable, **rules)


class Contract(pa.DataFrameModel):
    """A table's contract. The docstring: a short sentence, then what one row is."""

    class Config:
        """No column more, none less, in this order."""

        strict = True
        ordered = True

    @classmethod
    def schema_name(cls) -> str:
        """Return the layer: `core` or `mart`."""
        return cls.__module__.split(".")[-2]

    @classmethod
    def table_name(cls) -> str:
        """Return the table's name inside its layer."""
        return cls.__module__.rsplit(".", 1)[-1]

    @classmethod
    def full_name(cls) -> str:
        """Return `layer.table`."""
        return f"{cls.schema_name()}.{cls.table_name()}"

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring: a short sentence."""
        return cls.about().splitlines()[0]

    @classmethod
    def about(cls) -> str:
        """Return the docstring: a short sentence, then what one row is and how to read it."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def types(cls) -> dict[str, pl.DataType]:
        """Return each column's Polars type, in order."""
        return {name: found.dtype.type for name, found in cls.to_schema().columns.items()}

    @classmethod
    def before(cls) -> dict[str, str]:
        """Return what is true of rows that are older than a column, for each such column."""
        facts = {name: found.metadata or {} for name, found in cls.to_schema().columns.items()}
        return {name: about["before"] for name, about in facts.items() if about.get("before")}

    @classmethod
    def counted(cls) -> str | None:
        """Return which rows every sum of dollars is of, as an SQL condition; None for all rows."""
        return None

    @classmethod
    def describe(cls) -> Iterator[tuple[str, pl.DataType, str, str, bool]]:
        """Yield (column, type, unit, description, nullable) in order."""
        for name, found in cls.to_schema().columns.items():
            unit = (found.metadata or {}).get("unit", "")
            yield name, found.dtype.type, unit, found.description or "", found.nullable

    @classmethod
    def no_rows(cls) -> pl.DataFrame:
        """Return the table with no rows."""
        return pl.DataFrame(schema=cls.types())

    @classmethod
    def broken_rules(cls, frame: pl.DataFrame) -> list[str]:
        """Return a sentence per rule that the rows break; empty when they keep the contract.

        Pandera writes the sentences. It takes dozens of queries to find that nothing is wrong,
        which is what it finds nearly always, so it is asked only about rows that break a rule.
        """
        if cls._keeps(frame):
            return []
        try:
            cls.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as broken:
            return list(_sentences(broken.failure_cases))
        return []

    @classmethod
    def _keeps(cls, frame: pl.DataFrame) -> bool:
        """Return whether rows keep every rule, in a few queries instead of several per column."""
        schema = cls.to_schema()
        if [*frame.schema.items()] != [*cls.types().items()] or schema.checks:
            return False
        if frame.is_empty():
            return True
        required = (name for name, one in schema.columns.items() if not one.nullable)
        if any(frame[name].null_count() for name in required):
            return False
        # Rows that are the same have the same digest; others with one digest pandera tells apart.
        if schema.unique and frame.select(schema.unique).hash_rows().n_unique() < frame.height:
            return False
        rows = frame.lazy()
        return all(
            check(rows, name).check_passed.collect().item()
            for name, one in schema.columns.items()
            for check in one.checks
        )


def _sentences(cases: pl.DataFrame) -> Iterator[str]:
    grouped = cases.group_by("column", "check", maintain_order=True).agg(
        pl.len().alias("rows"), pl.col("failure_case").cast(pl.String).first().alias("first")
    )
    for case in grouped.iter_rows(named=True):
        first = (case["first"] or "")[:160]
        yield f"rule {case['check']} on {case['column']}: {case['rows']} rows, the first {first!r}"


def find_contract(schema: str, table: str) -> type[Contract]:
    """Return the contract in `tables/<schema>/<table>.py`."""
    module = importlib.import_module(f"openai_costs.tables.{schema}.{table}")
    return next(
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, Contract)
        and found.__module__ == module.__name__
    )


def all_contracts() -> list[type[Contract]]:
    """Return every contract, layer by layer, by name."""
    return [
        find_contract(schema, module.name)
        for schema in LAYERS
        for module in pkgutil.iter_modules(
            importlib.import_module(f"openai_costs.tables.{schema}").__path__
        )
    ]
