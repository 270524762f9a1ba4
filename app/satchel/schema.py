"""The schema of what the library stores, and the way from an older one to this one.

The record "schema" in the table "meta" says which schema the records have. A step takes all
models' records of one schema and gives those of the next; all steps are applied in one commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from satchel.errors import SchemaError
from satchel.platform import Change, DeleteRecord, Platform, PutRecord, Record

__all__ = ["SCHEMA", "STEPS", "Step", "migrate", "migrated"]

SCHEMA = 3

Step = Callable[[dict[str, Record]], dict[str, Record]]


def _with_updates(records: dict[str, Record]) -> dict[str, Record]:
    """From 1: before models were updated."""
    model: Record = {
        "probation": None,
        "set_aside": {},
        "minimum_version": None,
        "revoked": [],
        "used_at": "",
    }
    return {
        key: {
            **record,
            **model,
            "versions": [{**version, "validated_in": None} for version in record["versions"]],
        }
        for key, record in records.items()
    }


def _with_variants(records: dict[str, Record]) -> dict[str, Record]:
    """From 2: before a version could be here in several variants."""
    alone: Record = {"others": [], "insisted": False, "reason": ""}
    return {
        key: {**record, "versions": [{**version, **alone} for version in record["versions"]]}
        for key, record in records.items()
    }


STEPS: Mapping[int, Step] = {1: _with_updates, 2: _with_variants}
"""By the schema that a step starts from."""


def migrate(
    records: dict[str, Record], found: int, steps: Mapping[int, Step], target: int
) -> dict[str, Record]:
    """Bring records from schema ``found`` to ``target``.

    Raises:
        SchemaError: ``found`` is newer than ``target``, or a step between them is missing.
    """
    if found > target:
        raise SchemaError(
            f"The models on this device were stored by a newer version (schema {found}, here"
            f" {target})",
            todo="Reload the page, or update Satchel",
        )
    for schema in range(found, target):
        if schema not in steps:
            raise SchemaError(f"There is no way from schema {schema} to {schema + 1}")
        records = steps[schema](records)
    return records


async def migrated(
    platform: Platform, steps: Mapping[int, Step] = STEPS, target: int = SCHEMA
) -> None:
    """Bring what is stored to the schema of this version, in one commit, before it is used."""
    store = platform.store
    if _schema(await store.record("meta", "schema")) == target:
        return
    async with platform.locks.hold("schema"):
        found = _schema(await store.record("meta", "schema"))
        old = await store.records("models")
        if found is None and old:
            raise SchemaError(
                "What is stored on this device does not say which version stored it",
                todo="Delete this site's data and install its models again",
            )
        new = migrate(old, target if found is None else found, steps, target)
        changes: list[Change] = [PutRecord("models", key, new[key]) for key in new]
        changes += [DeleteRecord("models", key) for key in old.keys() - new.keys()]
        await store.commit([*changes, PutRecord("meta", "schema", {"schema": target})])


def _schema(record: Record | None) -> int | None:
    return None if record is None else int(record["schema"])
