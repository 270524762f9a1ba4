"""The commands as a site's owner gives them, on a site of the label model."""

import json
import re
import sys
from datetime import timedelta

import pytest

from builder import cli
from builder import site as sites
from builder.errors import BuildError
from builder.paths import ROOT
from builder.release import commands, development, expiry, source, verify
from builder.release.keys import KeyFolders
from builder.release.stage import first_root

MODEL = "efficientnet-lite0"


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SATCHEL_OFFLINE_KEYS", str(tmp_path / "keys/offline"))
    monkeypatch.setenv("SATCHEL_ONLINE_KEYS", str(tmp_path / "keys/online"))
    return KeyFolders.default()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site of its own, whose development repositories are its own, too."""
    monkeypatch.setattr(development, "STORE", tmp_path / "cache")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.toml").write_text(
        f'title = "Mine"\ndescription = "Words"\n[[models]]\nid = "{MODEL}"\ntask = "label"\n'
        f'title = "Label"\nrecipe = "{ROOT / "models" / MODEL}"\n',
        "utf-8",
    )
    return sites.load(folder / "site.toml")


def signed(site):
    """The model's manifest as a device of this site gets it."""
    root = site.root.read_bytes() if site.root.is_file() else first_root([site.repository])
    return verify.read([site.repository], root)[MODEL].manifest


def test_from_keys_to_an_update_and_back(site, capsys):
    commands.make_keys(site, kind="ed25519", root="2of3", targets="1of1")
    assert site.root.read_bytes() == first_root([site.repository])
    commands.release(site, MODEL)
    assert str(signed(site).release().version) == "1.0.0"
    commands.release(site, MODEL, version="1.1.0", changelog="Better.", mandatory=True, rollout=10)
    staged = signed(site).release("1.1.0")
    assert (staged.changelog, staged.mandatory, staged.rollout) == ("Better.", True, 10)
    assert str(signed(site).release().version) == "1.0.0"
    commands.rollout(site, MODEL, version="1.1.0", percent=100)
    assert str(signed(site).release().version) == "1.1.0"
    commands.withdraw(site, MODEL, version="1.1.0")
    assert str(signed(site).release().version) == "1.0.0"
    assert [str(version) for version in signed(site).revoked] == ["1.1.0"]
    assert "DEVELOPMENT" not in capsys.readouterr().err


def test_a_first_release_without_keys_makes_development_keys_and_says_so_loudly(
    site, capsys, folders
):
    commands.release(site, MODEL, repository=site.repository)
    assert "DEVELOPMENT KEYS sign" in capsys.readouterr().err
    assert not site.root.exists()  # nobody is asked to commit trust in them
    assert all(path.name.startswith("development.") for path in folders.offline.iterdir())
    trusted, (pinned,) = source.read(site, site.repository)
    assert trusted.development
    variant = pinned.variants[0]
    assert source.download_size(variant) == sum(item.size for item in variant.references())
    assert "DEVELOPMENT KEYS sign this site's models" in capsys.readouterr().err


def test_real_keys_that_no_root_is_committed_for_fail_a_build(site):
    commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
    commands.release(site, MODEL)
    site.root.unlink()
    with pytest.raises(BuildError, match=r"says whom the page trusts\. If the repository is yours"):
        source.read(site, source.locate(site, None))


def test_a_committed_root_without_its_repository_fails_a_build_and_a_release(site, tmp_path):
    commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
    site.repository.rename(tmp_path / "elsewhere")
    with pytest.raises(BuildError, match="There is no release repository"):
        source.locate(site, None)
    with pytest.raises(BuildError, match="belongs to a repository that isn't at"):
        commands.release(site, MODEL)
    assert source.locate(site, tmp_path / "elsewhere") == tmp_path / "elsewhere"
    commands.release(site, MODEL, repository=tmp_path / "elsewhere")


def test_keys_are_made_once_and_rotated_after(site):
    commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
    with pytest.raises(BuildError, match="has a root already"):
        commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
    commands.release(site, MODEL)
    before = site.root.read_bytes()
    commands.rotate_keys(site, kind="rsa", roles=("timestamp",), quorums={})
    assert site.root.read_bytes() != before
    assert verify.read([site.repository], before)
    rows = commands.show_keys(site)
    assert [*rows.columns[3].cells] == ["ed25519"] * 3 + ["rsassa-pss-sha256"]
    assert all("keys" in place for place in rows.columns[4].cells)


def test_a_model_that_was_never_released_is_named_by_the_build(site):
    commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
    with pytest.raises(BuildError, match=f"has no release of {MODEL}. Make one: python3 build.py"):
        source.read(site, site.repository)


@pytest.mark.parametrize("percent", [0, -1, 100.5])
def test_a_roll_out_is_above_nothing_and_at_most_everyone(site, percent):
    with pytest.raises(BuildError, match="above 0 and at most 100"):
        commands.release(site, MODEL, rollout=percent)


def test_a_site_without_repository_gets_one_that_follows_its_recipes(site, tmp_path):
    place = source.locate(site, None)
    assert place.parent == tmp_path / "cache"
    _, (first,) = source.read(site, place)
    before = (place / "metadata/timestamp.json").read_bytes()
    assert source.locate(site, None) == place
    assert (place / "metadata/timestamp.json").read_bytes() == before  # nothing changed

    recipe = tmp_path / "recipe"
    recipe.mkdir()
    for path in (ROOT / "models" / MODEL).rglob("*"):
        if path.is_file():
            target = recipe / path.relative_to(ROOT / "models" / MODEL)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    mine = sites.Site(
        site.file, "Mine", "", (sites.SiteModel(MODEL, "label", "L", recipe / "recipe.toml"),)
    )
    place = source.locate(mine, None)
    text = (recipe / "recipe.toml").read_text("utf-8")

    def rewritten(old, new):
        (recipe / "recipe.toml").write_text(text.replace(old, new), "utf-8")
        _, (pinned,) = source.read(mine, source.locate(mine, None))
        return [str(one.version) for one in pinned.signed.manifest.releases], pinned.release

    versions, release = rewritten('version = "1.0.0"\nchangelog', 'version = "1.1.0"\nchangelog')
    assert (versions, str(release.version)) == (["1.1.0", "1.0.0"], "1.1.0")
    versions, release = rewritten(
        'version = "1.0.0"\nchangelog = "First', 'version = "1.1.0"\nchangelog = "Next'
    )
    assert (versions, release.changelog) == (["1.1.0", "1.0.0"], "Next release.")
    versions, release = rewritten("nothing", "nothing")  # back to 1.0.0
    assert versions == ["1.0.0"]
    assert first.release.platforms == release.platforms


def test_a_first_release_goes_on_from_what_was_built_so_far(site):
    built = source.locate(site, None)
    with pytest.raises(BuildError, match=r"1\.0\.0 was published already"):
        commands.release(site, MODEL)
    commands.release(site, MODEL, version="1.1.0")
    assert first_root([site.repository]) == first_root([built])
    assert [str(one.version) for one in signed(site).releases] == ["1.1.0", "1.0.0"]
    assert source.locate(site, None) == site.repository
    commands.rotate_keys(site, kind="ed25519", roles=(), quorums={})
    trusted, _ = source.read(site, site.repository)
    assert not trusted.development
    assert verify.read([site.repository], first_root([built]))  # who knew the old root follows


@pytest.mark.parametrize("at_hand", [True, False])
def test_a_refresh_renews_targets_when_it_is_time_and_its_keys_are_here(
    site, folders, monkeypatch, capsys, at_hand
):
    with monkeypatch.context() as patched:
        patched.setitem(expiry.LIFETIME, "targets", timedelta(days=100))
        commands.make_keys(site, kind="ed25519", root="1of1", targets="1of1")
        commands.release(site, MODEL)
    assert re.search(r"targets expires in (99|100) days", capsys.readouterr().err)
    source.read(site, site.repository)  # a build
    assert re.search(r"targets expires in (99|100) days", capsys.readouterr().err)
    if not at_hand:
        for path in folders.offline.iterdir():
            path.unlink()
    commands.refresh(site)
    warned = "with the offline keys at hand" in capsys.readouterr().err
    assert warned is not at_hand
    assert (site.repository / "metadata/3.targets.json").exists() is at_hand


@pytest.mark.parametrize("lost", ["keys", "blobs", "targets"])
def test_a_development_repository_that_lost_something_is_made_anew(site, folders, lost):
    place = source.locate(site, None)
    what = {
        "keys": folders.online.iterdir(),
        "blobs": (place / "blobs").iterdir(),
        "targets": (place / "metadata").glob("*.targets.json"),
    }
    for path in what[lost]:
        path.unlink()
    assert source.locate(site, None) == place
    assert source.read(site, place)
    assert [*folders.online.iterdir()]


def test_on_the_command_line_mistakes_are_one_sentence(site, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["build.py", *arguments, "--site", str(site.file)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        written = capsys.readouterr()
        return status, written.out + written.err

    place = ("--repository", str(site.repository))
    status, said = run("release", MODEL, "--version", "1.0.0", "--changelog", "First.", *place)
    assert (status, "Released efficientnet-lite0 1.0.0" in said) == (0, True)
    for arguments, words in [
        (["release", MODEL, "--version", "1.0.0"], "1.0.0 was published already"),
        (["release", MODEL, "--version", "next"], "'next' is no version"),
        (["release"], "Say what to release"),
        (["release", MODEL, "--refresh"], "one of them only"),
        (["release", "nothing"], f"has no model 'nothing'; it has {MODEL}"),
        (["rollout", MODEL, "--version", "1.0.0", "--percent", "50"], "A roll-out only grows"),
        (["withdraw", MODEL, "--version", "1.0.0"], "only release for everyone"),
        (["keys", "make", "--root", "3of2"], "has a root already"),
    ]:
        status, said = run(*arguments)
        assert (status, words in said) == (1, True), said
    status, said = run("release", "--refresh")
    assert (status, "anew" in said) == (0, True)
    told = json.loads((site.repository / "metadata/timestamp.json").read_text("utf-8"))
    assert told["signed"]["version"] == 2
    status, said = run("release", "--tidy")
    assert (status, "0 files deleted" in said) == (0, True)
    status, said = run("keys", "show")
    assert (status, said.count("ed25519"), "DEVELOPMENT KEYS" in said) == (0, 4, True)
