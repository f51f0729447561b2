"""Gives every pool of the code location one slot, before the first run of a deployment.

Two runs that start together on a fresh instance would both make the same pool, and one of them
would fail. A limit that is there already is left as it is. Run it where DAGSTER_HOME is set:
`python deploy/seed_pools.py`.
"""

import dagster as dg

from openai_costs.definitions import defs


def pools() -> set[str]:
    """Return the names of the pools that the assets use."""
    graph = defs.resolve_asset_graph()
    return {pool for key in graph.get_all_asset_keys() for pool in graph.get(key).pools or ()}


def seed(instance: dg.DagsterInstance) -> None:
    """Give the pools of an instance that have no limit yet one slot each."""
    there = {one.name for one in instance.event_log_storage.get_pool_limits()}
    for name in sorted(pools()):
        if name not in there:
            instance.event_log_storage.set_concurrency_slots(name, 1)
        print(f"{name}: {'as it was' if name in there else 'one slot'}")


if __name__ == "__main__":
    with dg.DagsterInstance.get() as shared:
        seed(shared)
