"""Private keys: where they may lie, who may read them, and what each kind is good for."""

import io
import stat

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tiny_releases import manifest, release
from tuf.api.metadata import Metadata, Root

from builder.errors import BuildError
from builder.release import founding, verify
from builder.release.founding import Quorum
from builder.release.keys import OFFLINE, ONLINE, ROLES, KeyFolders
from builder.release.passphrase import Passphrase
from builder.release.stage import changing, first_root


def files(keys):
    return [*keys.offline.glob("*.pem"), *keys.online.glob("*.pem")]


def test_only_their_owner_may_read_them(keys, repository):
    assert len(files(keys)) == 3 + 1 + 1 + 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(keys)} == {0o600}
    assert {stat.S_IMODE(f.stat().st_mode) for f in (keys.offline, keys.online)} == {0o700}


def test_offline_keys_have_the_passphrase_and_online_keys_none(keys, repository):
    for path in keys.offline.glob("*.pem"):
        assert load_pem_private_key(path.read_bytes(), b"correct horse")
        with pytest.raises(TypeError, match="encrypted"):
            load_pem_private_key(path.read_bytes(), None)
    for path in keys.online.glob("*.pem"):
        assert load_pem_private_key(path.read_bytes(), None)


def test_a_wrong_passphrase_signs_nothing(keys, repository, root, monkeypatch):
    monkeypatch.setenv("SATCHEL_PASSPHRASE", "wrong")
    other = KeyFolders(keys.offline, keys.online)
    made, blobs = release("1.1.0")
    with (
        pytest.raises(BuildError, match="the passphrase is wrong, or the file is damaged"),
        changing(repository, other, root) as stage,
    ):
        stage.put(manifest(made), blobs)


def test_a_key_that_others_may_read_is_refused(keys, repository, root):
    for path in keys.online.glob("timestamp.*"):
        path.chmod(0o640)
    with (
        pytest.raises(BuildError, match=r"can be read by others than you: chmod 600"),
        changing(repository, keys, root, renew=True),
    ):
        pass


@pytest.mark.parametrize("inside", ["offline", "online"])
def test_a_key_inside_the_tree_is_refused(tmp_path, inside):
    folders = {"offline": tmp_path / "a", "online": tmp_path / "b", inside: tmp_path / "tree/keys"}
    with pytest.raises(BuildError, match="soon committed or published"):
        KeyFolders(**folders).outside([tmp_path / "tree"])


def test_offline_and_online_keys_need_two_folders(tmp_path):
    with pytest.raises(BuildError, match="Choose two folders"):
        KeyFolders(tmp_path / "keys", tmp_path / "keys").outside([tmp_path / "tree"])


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_every_kind_of_key_signs_a_repository_that_a_device_accepts(tmp_path, keys, kind):
    place = tmp_path / "site/repository"
    with changing(place, keys, None) as stage:
        founding.found(stage, keys, kind, {})
        made, blobs = release("1.0.0")
        stage.put(manifest(made), blobs)
    assert list(verify.read([place], first_root([place]))) == ["tiny"]
    root = Metadata[Root].from_bytes(first_root([place])).signed
    scheme = {
        "ed25519": "ed25519",
        "ecdsa": "ecdsa-sha2-nistp256",
        "rsa": "rsassa-pss-sha256",
    }[kind]
    assert {key.scheme for key in root.keys.values()} == {scheme}


def test_roles_have_keys_of_their_own_and_the_asked_threshold(keys, repository, root):
    signed = Metadata[Root].from_bytes(root).signed
    assert signed.roles["root"].threshold == 2
    used = [keyid for role in ROLES for keyid in signed.roles[role].keyids]
    assert len(used) == len(set(used)) == len(signed.keys) == 6
    for roles, folder in ((OFFLINE, keys.offline), (ONLINE, keys.online)):
        there = {path.name.split(".")[0] for path in folder.glob("*.pem")}
        assert there == set(roles)


def test_too_few_keys_are_counted_and_named(keys, repository, root):
    (targets,) = keys.offline.glob("targets.*")
    targets.unlink()
    made, blobs = release("1.1.0")
    with (
        pytest.raises(BuildError, match=r"Signing targets takes 1 of 1 keys; \S+ has 0"),
        changing(repository, keys, root) as stage,
    ):
        stage.put(manifest(made), blobs)


@pytest.mark.parametrize("text", ["2", "0of1", "3of2", "two of three", ""])
def test_a_quorum_that_is_none_is_refused(text):
    with pytest.raises(BuildError, match="write it like 2of3"):
        Quorum.parse(text)


def test_a_passphrase_comes_from_a_file_too(tmp_path, monkeypatch):
    monkeypatch.delenv("SATCHEL_PASSPHRASE")
    (tmp_path / "secret").write_text("from a file\n", "utf-8")
    monkeypatch.setenv("SATCHEL_PASSPHRASE_FILE", str(tmp_path / "secret"))
    assert Passphrase().read() == b"from a file"


def test_without_anybody_to_ask_the_two_ways_are_named(monkeypatch):
    monkeypatch.delenv("SATCHEL_PASSPHRASE")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(BuildError, match="SATCHEL_PASSPHRASE, or let SATCHEL_PASSPHRASE_FILE"):
        Passphrase().read()


def test_an_empty_passphrase_is_none(monkeypatch):
    monkeypatch.setenv("SATCHEL_PASSPHRASE", "")
    with pytest.raises(BuildError, match="is empty"):
        Passphrase().read()
