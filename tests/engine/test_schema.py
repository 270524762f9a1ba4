"""What an older version stored is brought to the newer schema, whole or not at all."""

import pytest

import satchel
from satchel import EdgeRuntime
from satchel.library import Library
from satchel.schema import SCHEMA, migrated


def renamed(records):
    """A step that changes a field of every record and drops one model."""
    return {
        key: {**record, "title": record["title"].upper()}
        for key, record in records.items()
        if key != "old"
    }


async def stored(model, platform):
    async with EdgeRuntime(model("fixed"), platform=platform) as runtime:
        await runtime.cache_model("relu")
        await runtime.cache_model("old")


async def test_records_are_migrated_in_one_commit_and_models_still_open(model, platform):
    await stored(model, platform)
    await migrated(platform, {SCHEMA: renamed, SCHEMA + 1: lambda records: records}, SCHEMA + 2)
    assert await platform.store.record("meta", "schema") == {"schema": SCHEMA + 2}
    records = await platform.store.records("models")
    assert {key: record["title"] for key, record in records.items()} == {"relu": "RELU"}


async def test_a_step_that_fails_leaves_everything_as_it_was(model, platform):
    await stored(model, platform)
    before = await platform.store.records("models")

    def broken(records):
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await migrated(platform, {SCHEMA: renamed, SCHEMA + 1: broken}, SCHEMA + 2)
    assert await platform.store.records("models") == before
    assert [item.model for item in await Library(platform).list()] == ["old", "relu"]


async def test_what_a_newer_version_stored_is_left_alone_and_said(model, platform):
    await stored(model, platform)
    await migrated(platform, {SCHEMA: renamed}, SCHEMA + 1)
    with pytest.raises(satchel.SchemaError, match="newer version"):
        await Library(platform).list()
    assert set(await platform.store.records("models")) == {"relu"}


async def test_an_empty_store_starts_at_the_newest_schema(platform):
    assert await Library(platform).list() == ()
    assert await platform.store.record("meta", "schema") == {"schema": SCHEMA}
