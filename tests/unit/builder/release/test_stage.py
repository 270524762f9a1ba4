"""Changing a repository: all of it or nothing, and nothing that a device would refuse."""

import json
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from tiny_releases import blob, manifest, release
from tuf.api.metadata import Metadata, Root
from tuf.ngclient._internal import trusted_metadata_set

from builder.errors import BuildError
from builder.files import sha256, tree
from builder.release import expiry, founding, layout, tidy, upload, verify
from builder.release.keys import KeyFolders
from builder.release.roles import newest_root
from builder.release.stage import changing, first_root
from builder.release.trust import is_development, parse


def listing(folder):
    return {name: sha256(path) for name, path in tree(folder)}


def metadata(repository, name):
    return json.loads((repository / layout.METADATA / name).read_text("utf-8"))["signed"]


def publish(repository, keys, root, version, content=b"model", **how):
    made, blobs = release(version, content)
    with changing(repository, keys, root, **how) as stage:
        before = stage.current("tiny")
        stage.put(manifest(made, *(before.releases if before else ())), blobs)


def test_a_repository_has_the_published_form(repository):
    names = [name for name, _ in tree(repository)]
    (digest,) = blob(b"model")[1]
    signed = verify.read([repository], first_root([repository]))["tiny"]
    assert names == sorted(
        [
            f"blobs/{digest}",
            f"manifests/{signed.sha256}.tiny.json",
            *(f"metadata/1.{role}.json" for role in ("root", "snapshot", "targets")),
            "metadata/timestamp.json",
            layout.SUPERSEDED,
            layout.UPLOAD,
        ]
    )
    assert metadata(repository, "1.root.json")["consistent_snapshot"] is True
    # The only target is the manifest, with its hash; every file says its length and hash above it.
    assert list(metadata(repository, "1.targets.json")["targets"]) == ["tiny.json"]
    assert {"length", "hashes", "version"} == set(
        metadata(repository, "timestamp.json")["meta"]["snapshot.json"]
    )


def test_a_release_raises_the_metadata_and_a_refresh_only_the_online_roles(
    repository, keys, root, tmp_path
):
    publish(repository, keys, root, "1.1.0")
    assert metadata(repository, "timestamp.json")["version"] == 2
    online = KeyFolders(tmp_path / "put away", keys.online)
    with changing(repository, online, root, renew=True):
        pass
    assert metadata(repository, "timestamp.json")["version"] == 3
    assert metadata(repository, "3.snapshot.json")["meta"]["targets.json"]["version"] == 2
    assert not (repository / "metadata/3.targets.json").exists()
    assert str(verify.read([repository], root)["tiny"].manifest.release().version) == "1.1.0"


def test_expiry_times_are_the_documented_ones(repository, keys, root):
    at = expiry.now() - timedelta(days=1)
    publish(repository, keys, root, "1.1.0", at=at)
    wanted = (at + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert metadata(repository, "timestamp.json")["expires"] == wanted
    days = {role: time.days for role, time in expiry.LIFETIME.items()}
    assert days == {"root": 1825, "targets": 1095, "snapshot": 400, "timestamp": 400}


def test_what_expires_soon_is_said_with_the_remedy(repository):
    signed = Metadata.from_bytes((repository / "metadata/timestamp.json").read_bytes()).signed
    at = signed.expires - timedelta(days=59)
    (said,) = expiry.warnings({"timestamp": signed}, at)
    assert "timestamp expires in 59 days" in said
    assert "release --refresh" in said
    assert expiry.warnings({"timestamp": signed}, signed.expires - timedelta(days=61)) == []
    (said,) = expiry.warnings({"timestamp": signed}, signed.expires)
    assert "timestamp expired on" in said


def test_an_expired_repository_is_refused_and_a_refresh_mends_it(repository, keys, root):
    with (
        pytest.raises(BuildError, match=r"has expired .* release --refresh"),
        changing(repository, keys, root, renew=True, at=expiry.now() - timedelta(days=500)),
    ):
        pass
    assert metadata(repository, "timestamp.json")["version"] == 1  # nothing came of it


def test_the_time_passing_needs_the_online_keys_alone(repository, keys, root, monkeypatch):
    made = [*(repository / "metadata").glob("*.json")]
    later = expiry.now() + timedelta(days=600)

    class Later(trusted_metadata_set.datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return later

    monkeypatch.setattr(trusted_metadata_set.datetime, "datetime", Later)
    with pytest.raises(BuildError, match="has expired"):
        verify.read([repository], root)
    with changing(repository, KeyFolders(Path("nowhere"), keys.online), root, at=later, renew=True):
        pass
    assert verify.read([repository], root)
    assert all(path.exists() for path in made)


def test_the_keys_of_another_site_are_refused(repository, keys, tmp_path):
    other = tmp_path / "other/repository"
    with changing(other, KeyFolders(tmp_path / "k/a", tmp_path / "k/b"), None) as stage:
        founding.found(stage, stage.roles.keys, "ed25519", {})
    with pytest.raises(BuildError, match="isn't signed as the site's root metadata asks"):
        verify.read([repository], first_root([other]))
    before = listing(repository)
    with (
        pytest.raises(BuildError, match="isn't signed as the site's root metadata asks"),
        changing(repository, keys, first_root([other]), renew=True),
    ):
        pass
    assert listing(repository) == before


def flip(path):
    """Flip one bit of the first signature: of the right form, and wrong."""
    data = bytearray(path.read_bytes())
    place = data.index(b'"sig":"') + 10
    data[place] = ord("0") if data[place] != ord("0") else ord("1")
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["1.targets.json", "1.snapshot.json", "timestamp.json"])
def test_one_flipped_bit_in_a_role_is_noticed(repository, root, name):
    flip(repository / "metadata" / name)
    with pytest.raises(BuildError, match="isn't signed as the site's root metadata asks"):
        verify.read([repository], root)


def test_a_new_root_that_its_keys_didn_t_sign_is_noticed(repository, keys, root):
    with changing(repository, keys, root, renew=True) as stage:
        founding.rotate(stage, keys, "ed25519", {}, ("timestamp",))
    assert verify.read([repository], root)
    path = repository / "metadata/2.root.json"
    content = path.read_bytes()
    flip(path)
    assert verify.read([repository], root)  # two of three signatures are enough
    path.write_bytes(content.replace(b'"threshold":2', b'"threshold":1'))
    with pytest.raises(BuildError, match="isn't signed as the site's root metadata asks"):
        verify.read([repository], root)


def test_a_damaged_or_missing_blob_and_manifest_are_named(repository, root):
    (path,) = (repository / "blobs").iterdir()
    path.write_bytes(b"modem")
    with pytest.raises(BuildError, match=f"damaged: .*{path.name}"):
        verify.read([repository], root)
    path.unlink()
    with pytest.raises(BuildError, match=f"isn't in the repository: {path.name}"):
        verify.read([repository], root)
    (path,) = (repository / "manifests").iterdir()
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BuildError, match="isn't whole"):
        verify.read([repository], root)


def test_a_release_whose_blob_is_missing_is_not_published(repository, keys, root):
    before = listing(repository)
    made, _ = release("1.1.0", b"never added")
    with (
        pytest.raises(BuildError, match="isn't in the repository"),
        changing(repository, keys, root) as stage,
    ):
        stage.put(manifest(made), {})
    assert listing(repository) == before
    assert [path.name for path in repository.parent.iterdir()] == [repository.name]


def test_an_interruption_at_any_step_leaves_a_repository_that_devices_accept(
    repository, keys, root, monkeypatch
):
    """Killed before each rename in turn: the old state until the last one, then the new."""
    replace = Path.replace

    def die(self, target):
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return replace(self, target)

    seen = []
    for steps in range(8):
        left = steps
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", die)
            try:
                publish(repository, keys, root, f"1.{steps + 1}.0", f"model {steps}".encode())
                interrupted = False
            except KeyboardInterrupt:
                interrupted = True
        newest = str(verify.read([repository], root)["tiny"].manifest.release().version)
        seen.append((interrupted, newest))
    assert seen[:6] == [(True, "1.0.0")] * 6  # blob, manifest, two metadata files, list, timestamp
    assert seen[-1] == (False, "1.8.0")
    assert [path.name for path in repository.parent.iterdir()] == [repository.name]


def test_ctrl_c_while_files_move_waits_for_the_last(repository, keys, root, monkeypatch):
    replace = Path.replace

    def interrupted(self, target):
        os.kill(os.getpid(), signal.SIGINT)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(repository, keys, root, "1.1.0")
    assert str(verify.read([repository], root)["tiny"].manifest.release().version) == "1.1.0"


def test_new_keys_are_believed_by_those_who_trust_the_old_ones(repository, keys, root):
    with changing(repository, keys, root, renew=True) as stage:
        founding.rotate(stage, keys, "ecdsa", {}, ("root", "targets", "snapshot", "timestamp"))
    old, new = (parse((repository / f"metadata/{n}.root.json").read_bytes(), n) for n in (1, 2))
    assert not old.keys.keys() & new.keys.keys()
    assert new.roles["root"].threshold == 2  # as before
    for trusted in (root, newest_root(repository / "metadata").read_bytes()):
        assert list(verify.read([repository], trusted)) == ["tiny"]
    publish(repository, keys, root, "1.1.0")
    assert str(verify.read([repository], root)["tiny"].manifest.release().version) == "1.1.0"


def test_a_rotation_without_the_old_root_keys_is_refused(repository, keys, root):
    before = listing(repository)
    for path in sorted(keys.offline.glob("root.*"))[:2]:
        path.unlink()
    with (
        pytest.raises(BuildError, match="Signing root takes 2 of 3 keys"),
        changing(repository, keys, root, renew=True) as stage,
    ):
        founding.rotate(stage, keys, "ed25519", {}, ("root",))
    assert listing(repository) == before


def test_development_keys_are_said_in_the_root_and_gone_after_a_rotation(tmp_path, keys):
    place = tmp_path / "site/repository"
    with changing(place, keys, None) as stage:
        founding.development(stage, keys)
    root = newest_root(place / "metadata")
    assert is_development(parse(root.read_bytes(), root))
    assert all(path.name.startswith("development.") for path in keys.offline.iterdir())
    with changing(place, keys, None, renew=True) as stage:
        founding.rotate(stage, keys, "ed25519", {}, ("root",))
    root = newest_root(place / "metadata")
    after = parse(root.read_bytes(), root)
    assert not is_development(after)
    named = {path.name.rsplit(".", 2)[1] for path in keys.offline.glob("development.*")}
    assert not named & set(Metadata[Root].from_bytes(root.read_bytes()).signed.keys)


def test_a_second_development_repository_has_the_same_keys(tmp_path, keys):
    for name in ("a", "b"):
        with changing(tmp_path / name, keys, None) as stage:
            founding.development(stage, keys)
    first, second = (parse(first_root([tmp_path / name]), name) for name in ("a", "b"))
    assert first.keys.keys() == second.keys.keys()


def test_no_private_key_is_in_what_is_served(repository, keys):
    secrets = []
    for path in [*keys.offline.iterdir(), *keys.online.iterdir()]:
        pem = path.read_bytes()
        signer = keys._load(path, None)
        raw = signer._private_key.private_bytes_raw()
        secrets += [raw, raw.hex().encode(), *pem.splitlines()[1:-1]]
    assert len(secrets) > 15
    for path in [p for p in repository.rglob("*") if p.is_file()]:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path
        assert b"PRIVATE KEY" not in content


def test_uploads_go_content_first_and_the_timestamp_last(repository):
    names = (repository / layout.UPLOAD).read_text("utf-8").splitlines()
    assert [name.split("/")[0] for name in names] == ["blobs", "manifests", *["metadata"] * 4]
    assert names[-1] == "metadata/timestamp.json"
    site = upload.ordered(
        ["index.html", "sw.js", "models/metadata/timestamp.json", "models/metadata/10.root.json",
         "models/metadata/9.root.json", "models/blobs/ab", "assets/x.mjs",
         "models/manifests/a.b.json"]
    )  # fmt: skip
    assert site == [
        "assets/x.mjs", "models/blobs/ab", "models/manifests/a.b.json",
        "models/metadata/9.root.json", "models/metadata/10.root.json", "index.html", "sw.js",
        "models/metadata/timestamp.json",
    ]  # fmt: skip


def test_blobs_stay_until_no_manifest_that_a_page_may_pin_names_them(repository, keys, root):
    (old,) = (path.name for path in (repository / "blobs").iterdir())
    made, blobs = release("2.0.0", b"another")
    with changing(repository, keys, root) as stage:
        stage.put(manifest(made), blobs)
    at = expiry.now()
    assert tidy.unneeded(repository, at + tidy.GRACE - timedelta(days=1)) == []
    gone = tidy.remove(repository, at + tidy.GRACE + timedelta(days=1))
    names = sorted(path.relative_to(repository).as_posix() for path in gone)
    assert f"blobs/{old}" in names
    assert "metadata/1.targets.json" in names
    assert not any(name.endswith("root.json") for name in names)
    assert list(verify.read([repository], root)["tiny"].manifest.releases) == [made]


def test_a_blob_that_a_newer_release_shares_stays(repository, keys, root):
    (kept,) = (path.name for path in (repository / "blobs").iterdir())
    made, blobs = release("2.0.0")
    with changing(repository, keys, root) as stage:
        stage.put(manifest(made), blobs)
    gone = tidy.remove(repository, expiry.now() + 2 * tidy.GRACE)
    assert gone
    assert [path.name for path in (repository / "blobs").iterdir()] == [kept]
