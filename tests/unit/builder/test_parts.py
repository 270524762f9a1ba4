"""The runtime parts: pinned files or none."""

import dataclasses
import json
import tomllib

import pytest

from builder import carrier, node, parts
from builder.errors import BuildError, HashMismatchError
from builder.files import sha256
from builder.paths import ROOT, STATIC


def test_every_npm_part_is_pinned_to_the_version_in_package_json():
    wanted = json.loads((STATIC / "package.json").read_text("utf-8"))["dependencies"]
    for part in parts.table().values():
        if part.origin != "distribution":
            assert wanted[part.origin] == part.version


def test_our_pins_of_pyodide_s_wheels_are_those_of_its_own_lock_file():
    lock = json.loads((node.packages() / "pyodide/pyodide-lock.json").read_text("utf-8"))
    named = {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()}
    for part in parts.table().values():
        if part.origin == "distribution":
            assert {name: named[name] for name in part.files} == part.files


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path):
    file = tmp_path / "pyodide.asm.wasm"
    file.write_bytes(b"something else")
    with pytest.raises(HashMismatchError, match=r"pyodide\.asm\.wasm .* isn't the pinned file"):
        parts.check(file, 64 * "0", "Pyodide 1")


def test_a_damaged_part_is_fetched_again_and_a_wrong_one_never_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "STORE", tmp_path)
    whole = parts.folder("micropython")
    wasm = whole / "micropython.wasm"
    wasm.write_bytes(wasm.read_bytes()[:-1])
    assert (
        sha256(parts.folder("micropython") / wasm.name)
        == parts.table()["micropython"].files[wasm.name]
    )
    part = parts.table()["micropython"]
    wrong = dataclasses.replace(part, files={**part.files, wasm.name: 64 * "0"})
    monkeypatch.setattr(parts, "table", lambda: {"micropython": wrong})
    with pytest.raises(HashMismatchError):
        parts.folder("micropython")
    assert not wrong.place.exists()


def test_numpy_is_looked_for_in_the_distribution_then_in_the_carrier(tmp_path, monkeypatch, capsys):
    wheel = parts.file("numpy")
    asked = []

    def distribution(name, target):
        asked.append("distribution")
        raise OSError("no network")

    def carried(name, target):
        asked.append("carrier")
        target.write_bytes(wheel.read_bytes())

    monkeypatch.setattr(parts, "STORE", tmp_path)
    monkeypatch.setattr(parts, "_from_distribution", distribution)
    monkeypatch.setattr(carrier, "extract", carried)
    parts.folder("numpy")
    parts.folder("numpy")
    assert asked == ["distribution", "carrier"]
    assert "open-webui==0.12.4" in capsys.readouterr().err


def test_where_no_source_has_it_all_are_named(tmp_path, monkeypatch):
    def nothing(name, target):
        raise BuildError("not here")

    parts.folder("pyodide")
    monkeypatch.setattr(parts, "_intact", lambda part: part.name == "pyodide")
    monkeypatch.setattr(parts, "_from_distribution", nothing)
    monkeypatch.setattr(carrier, "extract", nothing)
    with pytest.raises(BuildError, match=r"(?s)No source has NumPy.*distribution.*open-webui"):
        parts.folder("numpy")


def test_an_unknown_part_is_named():
    with pytest.raises(BuildError, match="no part named 'numpi'"):
        parts.folder("numpi")


def test_no_lock_file_names_an_index():
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text("utf-8"), path
    lock = json.loads((STATIC / "package-lock.json").read_text("utf-8"))
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]


def test_the_table_is_valid_toml_with_full_hashes():
    raw = tomllib.loads(parts.TABLE.read_text("utf-8"))
    for name, entry in raw.items():
        assert entry["files"], name
        assert all(len(pin) == 64 for pin in entry["files"].values())
