"""What of Python a page carries: enough for every module that is there, and nothing else."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile

import pytest

from builder import archives, node, parts

IMPORT_ALL = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [folder, place, libraries, sitePackages] = JSON.parse(process.argv[1]);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const stdLibURL = `${place}/python_stdlib.zip`;
const python = await loadPyodide({ indexURL: folder, stdLibURL, stdout: () => {} });
const archive = new Uint8Array(readFileSync(`${place}/numpy.zip`));
python.unpackArchive(archive, "zip", { extractDir: sitePackages });
for (const path of libraries) {
  python.FS.writeFile(sitePackages + path, new Uint8Array(readFileSync(`${place}/${path}`)));
}
python.globals.set("names", python.toPy(JSON.parse(readFileSync(0, "utf-8"))));
process.stdout.write(python.runPython(`
import importlib, json
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"
json.dumps(failed)
`));
"""

SITE_PACKAGES = "/lib/python3.14/site-packages/"


def names_in(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.namelist()


def module(path: str) -> str:
    stem = path.partition(".")[0].replace("/", ".")
    return stem.removesuffix(".__init__")


def modules_in(archive: bytes) -> set[str]:
    code = {name for name in names_in(archive) if name.endswith((".py", ".so"))}
    return {module(name) for name in code if "__main__" not in name and "-packages" not in name}


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """What happens to each module that is shipped when it is imported in Pyodide."""
    place = tmp_path_factory.mktemp("archives")
    (place / "python_stdlib.zip").write_bytes(archives.standard_library())
    (place / "numpy.zip").write_bytes(archives.numpy())
    for path, content in archives.libraries().items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    names = sorted(modules_in(archives.standard_library()) | modules_in(archives.numpy()))
    pyodide = node.packages() / "pyodide"
    given = [str(pyodide), str(place), list(archives.LIBRARIES), SITE_PACKAGES]
    command = [str(node.executable()), "--input-type=module", "--eval", IMPORT_ALL]
    done = subprocess.run(
        [*command, json.dumps(given)],
        input=json.dumps(names).encode(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_every_module_that_is_shipped_can_be_imported(failures):
    assert failures == {}


def test_of_the_standard_library_just_what_is_named_is_left_out():
    with zipfile.ZipFile(parts.folder("pyodide") / "python_stdlib.zip") as whole:
        everything = {name for name in whole.namelist() if not name.endswith("/")}
    gone = everything - set(names_in(archives.standard_library()))
    left_out = {
        next(name for name in archives.NOT_IN_PAGES if f"{module(path)}.".startswith(f"{name}."))
        for path in gone
    }
    assert left_out == archives.NOT_IN_PAGES


def test_of_numpy_tests_types_headers_and_tools_are_left_out():
    names = names_in(archives.numpy())
    assert not [name for name in names if "/tests/" in name]
    assert {name.rpartition(".")[2] for name in names if name.startswith("numpy/")} == {"py", "so"}
    assert not modules_in(archives.numpy()) & (archives.NOT_OF_NUMPY - {"numpy.f2py"})
    parts_of_it = {"linalg", "fft", "random", "ma", "polynomial", "testing", "lib", "strings"}
    assert {f"numpy.{name}" for name in parts_of_it} < modules_in(archives.numpy())


def test_what_is_needed_for_what_the_page_cannot_do_is_not_missed(failures):
    assert "numpy.matlib" not in failures  # it imports all of NumPy's names, numpy.f2py among them


def test_nothing_of_numpy_is_shipped_twice():
    assert not set(archives.LIBRARIES) & set(names_in(archives.numpy()))


def test_the_archives_are_the_same_bytes_each_time_and_compressed_as_a_whole_only():
    for make in (archives.standard_library, archives.numpy):
        first = make()
        make.cache_clear()
        assert make() == first
        with zipfile.ZipFile(io.BytesIO(first)) as opened:
            assert {entry.compress_type for entry in opened.infolist()} == {zipfile.ZIP_STORED}
