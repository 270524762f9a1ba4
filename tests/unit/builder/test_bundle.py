"""The static folder: the same from the same sources, whole or not at all."""

import dataclasses
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from tuf.ngclient import Updater

from builder import bundle, models, notices, page, scripts, serviceworker, site, wheel
from builder.errors import BuildError, InputMissingError
from builder.files import replacing, sha256, tree
from builder.paths import ROOT
from builder.release import development, founding, verify
from builder.release.keys import KeyFolders
from builder.release.stage import changing
from builder.server import serving

RECIPE = ROOT / "models/efficientnet-lite0/recipe.toml"


@pytest.fixture(scope="module")
def ours():
    return site.load(ROOT / "site.toml")


@pytest.fixture(scope="module")
def built(ours, tmp_path_factory):
    return bundle.build(ours, tmp_path_factory.mktemp("built") / "dist")


def listing(folder):
    return {name: sha256(path) for name, path in tree(folder)}


def about(folder):
    html = (folder / "index.html").read_text("utf-8")
    return json.loads(re.search(r'id="site">(.*?)</script>', html, re.DOTALL).group(1))


@pytest.mark.heavy
def test_two_builds_of_the_same_sources_are_the_same_bytes(ours, built, tmp_path):
    again = bundle.build(ours, tmp_path / "elsewhere")
    assert listing(again) == listing(built)


def test_a_second_build_does_nothing(ours, built, capsys):
    before = {name: path.stat().st_mtime_ns for name, path in tree(built)}
    bundle.build(ours, built)
    assert {name: path.stat().st_mtime_ns for name, path in tree(built)} == before
    assert "up to date" in capsys.readouterr().err


def test_a_file_that_went_missing_is_built_again(ours, tmp_path):
    out = bundle.build(ours, tmp_path / "dist")
    (out / "notices.txt").unlink()
    bundle.build(ours, out)
    assert (out / "notices.txt").is_file()


def test_a_build_that_fails_leaves_the_old_folder_whole(ours, built, monkeypatch):
    before = listing(built)
    monkeypatch.setattr(bundle, "LARGEST", 1000)
    changed = dataclasses.replace(ours, title="Another")
    monkeypatch.setattr(bundle, "_inputs", lambda *_: "changed")
    with pytest.raises(BuildError, match="many static hosts refuse files over"):
        bundle.build(changed, built)
    assert listing(built) == before
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_a_folder_that_is_not_ours_is_not_overwritten(ours, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").touch()
    with pytest.raises(BuildError, match="holds no site of ours"):
        bundle.build(ours, tmp_path / "letters")


def test_a_change_that_reaches_readers_changes_the_build_s_name(ours, built, tmp_path):
    changed = dataclasses.replace(ours, description="Other words")
    other = about(bundle.build(changed, tmp_path / "other"))
    assert other["build"] != about(built)["build"]
    # The site stays the same one: what is stored under its key is found again.
    assert other["scope_key"] == about(built)["scope_key"]


def test_new_signatures_of_the_same_models_are_no_new_build(ours, built, tmp_path):
    repository = tmp_path / "repository"
    shutil.copytree(development.place(ours), repository)
    with changing(repository, KeyFolders.default(), None, renew=True):
        pass
    other = bundle.build(ours, tmp_path / "dist", repository=repository)
    assert about(other)["build"] == about(built)["build"]
    new, old = (folder / "models/metadata/timestamp.json" for folder in (other, built))
    assert new.read_bytes() != old.read_bytes()


def test_what_the_page_starts_from_leads_to_what_it_pins(built):
    told = about(built)
    signed = verify.read([built / "models"], told["trust"]["root"].encode())
    for model in told["models"]:
        found = signed[model["id"]]
        assert model["manifest"] == told["urls"]["manifests"] + found.name
        assert model["sha256"] == found.sha256
        assert model["version"] == str(found.manifest.release().version)
        for variant in found.manifest.release().variants("browser"):
            for reference in (variant.chunks, variant.golden):
                assert (built / told["urls"]["blobs"] / reference.sha256).is_file()
    assert told["trust"]["development"] is True
    assert len(told["trust"]["root"]) < 2000


def test_a_client_of_the_update_framework_gets_the_models_over_http(built, tmp_path):
    told = about(built)
    with serving(built) as url:
        updater = Updater(
            metadata_dir=str(tmp_path),
            metadata_base_url=url + told["urls"]["metadata"],
            target_dir=str(tmp_path),
            target_base_url=url + told["urls"]["manifests"],
            bootstrap=told["trust"]["root"].encode(),
        )
        (model,) = told["models"]
        found = updater.download_target(updater.get_targetinfo(f"{model['id']}.json"))
        assert sha256(Path(found)) == model["sha256"]
    asked = {answer.path.rpartition("/")[2]: answer.status for answer in url.log}
    assert asked["timestamp.json"] == 200
    assert asked["2.root.json"] == 404  # how a client finds out that there is no newer root


def test_no_private_key_is_in_a_build(built):
    folders = KeyFolders.default()
    pems = [path.read_bytes() for f in (folders.offline, folders.online) for path in f.iterdir()]
    secrets = [line for pem in pems for line in pem.splitlines() if not line.startswith(b"--")]
    assert len(secrets) >= 4
    for name, path in tree(built):
        content = path.read_bytes()
        assert b"PRIVATE KEY-----" not in content, name
        assert not any(secret in content for secret in secrets), name


def test_files_are_uploaded_before_those_that_lead_to_them(built):
    names = (built / "_upload.txt").read_text("utf-8").splitlines()
    assert {*names} == {name for name, _ in tree(built)} - {"_upload.txt"}
    assert names[-1] == "models/metadata/timestamp.json"
    place = {name: number for number, name in enumerate(names)}
    last_asset = max(n for name, n in place.items() if name.startswith(("assets/", "runtime/")))
    assert last_asset < place["index.html"]
    assert max(n for name, n in place.items() if "/blobs/" in name) < place["index.html"]


def test_a_repository_that_the_site_s_root_doesn_t_know_fails_the_build(ours, tmp_path):
    root = tmp_path / "root.json"
    stranger = KeyFolders(tmp_path / "keys/offline", tmp_path / "keys/online")
    with changing(tmp_path / "other", stranger, None) as stage:
        founding.development(stage, stranger)
        stage.root.unrecognized_fields.clear()  # a root as real keys have it
        stage.sign_root()
    root.write_bytes((tmp_path / "other/metadata/2.root.json").read_bytes())
    site_with_root = dataclasses.replace(ours, root=root)
    with pytest.raises(BuildError, match="isn't signed as the site's root metadata asks"):
        bundle.build(site_with_root, tmp_path / "dist", repository=development.place(ours))
    assert not (tmp_path / "dist").exists()


def test_a_site_with_a_root_and_no_repository_says_what_to_do(ours, tmp_path):
    root = tmp_path / "root.json"
    root.write_text("{}", "utf-8")
    with pytest.raises(BuildError, match="is no root metadata"):
        bundle.build(dataclasses.replace(ours, root=root), tmp_path / "dist")


def test_every_url_is_relative_and_exists(built):
    urls = about(built)["urls"]
    for name, url in urls.items():
        assert not url.startswith(("/", "http"))
        assert (built / url).exists(), name
    for model in about(built)["models"]:
        assert sha256(built / model["manifest"]) == model["sha256"]
    html = (built / "index.html").read_text("utf-8")
    for url in re.findall(r'(?:src|href|config)="([^"#{]+)"', html):
        assert (built / url).is_file(), url
    assert "{{" not in html


def test_hashed_names_carry_the_content_s_hash(built):
    for path in (built / "assets").iterdir():
        digest = path.name.split(".")[-2]
        assert sha256(path).startswith(digest)
    for path in (built / "models/blobs").iterdir():
        assert sha256(path) == path.name
    for path in (built / "models/manifests").iterdir():
        assert path.name.startswith(f"{sha256(path)}.")
    (made,) = built.glob("wheels/*/*.whl")
    assert sha256(made).startswith(made.parent.name)


def test_the_service_worker_keeps_all_but_models_and_wheel_each_with_its_integrity(built):
    entries = serviceworker.entries(dict(tree(built)))
    kept = {entry["url"] for entry in entries}
    everything = {name for name, _ in tree(built)}
    elsewhere = {name for name in everything if name.startswith(("models/", "wheels/"))}
    left_out = elsewhere | {"sw.js", "_headers", "_upload.txt"}
    assert kept == everything - left_out
    assert all(entry["integrity"].startswith("sha256-") for entry in entries)
    unhashed = {entry["url"] for entry in entries if entry["revision"]}
    assert {url.split("/")[0] for url in unhashed} == {
        "index.html", "site.webmanifest", "notices.txt", "icons", "samples",
    }  # fmt: skip
    script = (built / "sw.js").read_text("utf-8")
    assert all(entry["integrity"] in script for entry in entries)
    assert "eval(" not in script


def test_an_engine_s_files_are_kept_only_by_those_who_use_it(built):
    script = (built / "sw.js").read_text("utf-8")
    listed, _ = json.JSONDecoder().raw_decode(script[script.index('{"build":') :])
    names = {entry["url"] for entry in listed["engines"]}
    assert not names & {entry["url"] for entry in listed["entries"]}
    told = about(built)["engines"]
    of_builds = [build["files"] for engine in told.values() for build in engine["builds"]]
    assert names == set().union(*of_builds)
    integrity = {entry["url"]: entry["integrity"] for entry in listed["engines"]}
    for files in of_builds:
        assert files == {url: integrity[url] for url in files}


def test_no_script_of_ours_needs_eval(built):
    for path in [*built.glob("assets/*.mjs"), built / "sw.js"]:
        assert not re.search(r"\beval\(|new Function\b", path.read_text("utf-8")), path


def test_the_wheel_is_pure_and_reproducible_and_carries_its_scripts(tmp_path):
    first, second = (wheel.build(tmp_path / name) for name in ("a", "b"))
    assert sha256(first) == sha256(second)
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert first.name == "satchel-0.1.0-py3-none-any.whl"
    assert "satchel/py.typed" in names
    for script in ("host", "features", "answering", "inference", "litert"):
        assert f"satchel/platform/browser/{script}.mjs" in names
    assert not [
        name for name in names if "satchel_models" in name or name.endswith((".so", ".pyc"))
    ]


def test_a_manifest_follows_from_the_recipe_and_names_its_blobs():
    name = "int8-float16-weights"
    made = models.artefacts(RECIPE, name)
    assert made == models.artefacts(RECIPE, name)
    told = json.loads(made.manifest)
    assert made.manifest == models.canonical(told)
    (variant,) = told["releases"][0]["platforms"]["browser"]
    named = [variant["blob"], *variant["files"].values()]
    assert named == [blob.reference for blob in made.blobs]
    assert variant["session"]["config"] == {"session.disable_quant_qdq": "1"}


def test_the_engine_reads_the_manifest_that_the_builder_writes():
    from satchel.manifest import Manifest

    made = models.artefacts(RECIPE)
    assert Manifest.parse(made.manifest).model == "efficientnet-lite0"


def test_notices_name_everything_with_its_text(built):
    text = (built / "notices.txt").read_text("utf-8")
    collected = notices.collect([models.load(RECIPE)], ["onnxruntime"])
    for notice in collected:
        assert f"{notice.name} {notice.version} ({notice.licence})" in text
        assert len(notice.text) > 300, notice.name
    names = {notice.name for notice in collected}
    assert {"Pyodide", "CPython", "NumPy", "ONNX Runtime Web", "MicroPython"} < names
    assert "workbox-precaching" in names


def test_a_missing_licence_text_fails_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(notices, "KEPT", tmp_path)
    with pytest.raises(InputMissingError, match="A licence text is missing"):
        notices.collect([], [])


def test_litert_s_notice_names_what_is_compiled_into_it():
    (found,) = [one for one in notices.collect([], ["litert"]) if one.name == "LiteRT.js"]
    assert "Apache License" in found.text
    for name in notices.INSIDE_LITERT:
        assert f"\n{name}\n" in found.text
    assert "ONNX Runtime Web" not in {one.name for one in notices.collect([], ["litert"])}


def test_a_page_has_what_its_tasks_need_and_the_first_one_shows():
    template = (
        '<a>\n  <!-- task: label -->\n  <p id="view-label">\n  <!-- /task -->\n'
        '  <!-- task: embed -->\n  <p id="view-embed" hidden>\n  <!-- /task -->\n</a>\n'
    )
    assert page.for_tasks(template, ["embed"], ()) == '<a>\n  <p id="view-embed">\n</a>\n'
    assert page.for_tasks(template, ["label", "embed"], ()) == (
        '<a>\n  <p id="view-label">\n  <p id="view-embed" hidden>\n</a>\n'
    )


def test_a_page_says_of_our_models_only_where_it_has_them():
    template = (
        "<a>\n  <!-- task: label -->\n  <p>\n    <!-- ours: label -->\n    A cat.\n"
        "    <!-- /ours -->\n  </p>\n  <!-- /task -->\n</a>\n"
    )
    assert page.for_tasks(template, ["label"], ()) == "<a>\n  <p>\n  </p>\n</a>\n"
    assert "    A cat.\n" in page.for_tasks(template, ["label"], ["label"])
    assert page.for_tasks(template, ["embed"], ["label"]) == "<a>\n</a>\n"


def test_a_template_s_blanks_are_filled_and_escaped():
    template = '<title>{{title}}</title><script id="site">"{{site}}"</script>'
    filled = page.index(template, {"title": "A & <b>"}, {"x": "</script><b>"})
    assert "<title>A &amp; &lt;b&gt;</title>" in filled
    assert '{"x":"\\u003c/script>\\u003cb>"}' in filled


def test_a_blank_that_nothing_fills_is_named():
    with pytest.raises(BuildError, match=r"\{\{nmae\}\}, which isn't one of name"):
        page.fill("{{nmae}}", {"name": "x"}, quote=str)


def test_a_missing_script_is_named(tmp_path):
    with pytest.raises(InputMissingError, match=r"app/static/none\.mjs"):
        scripts.bundle(ROOT / "app/static/none.mjs")


def test_replacing_is_all_or_nothing(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()

    def fill():
        with replacing(folder) as work:
            (work / "new").touch()
            raise BuildError("half-way")

    with pytest.raises(BuildError, match="half-way"):
        fill()
    assert [path.name for path in folder.iterdir()] == ["old"]
    with replacing(folder) as work:
        (work / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]
