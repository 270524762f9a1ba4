"""What a device believes of a release repository."""

from __future__ import annotations

import json

import pytest

from satchel.errors import TrustError
from satchel.trust import Trust


@pytest.fixture
def device(platform, files, served):
    """Shows this device a repository at a moment: {model: version}."""

    async def check(scenario, moment, *models):
        base = f"{served}trust/{scenario}/{moment}/"
        trust = Trust(
            platform,
            metadata_url=f"{base}metadata/",
            manifests_url=f"{base}manifests/",
            root=(files / "trust" / scenario / "root.json").read_bytes(),
            name=scenario,
        )
        found = await trust.manifests(models or ["tiny"])
        return {model: json.loads(data)["version"] for model, data in found.items()}

    return check


@pytest.mark.parametrize("kind", ["ordinary", "ecdsa", "rsa"])
async def test_a_first_check_and_a_later_one_give_what_was_signed(device, kind):
    assert await device(kind, "1", "tiny", "other", "unknown") == {
        "tiny": "1.0.0",
        "other": "1.0.0",
    }
    assert await device(kind, "2", "tiny", "other") == {"tiny": "1.1.0", "other": "1.0.0"}


async def test_an_older_state_of_the_repository_is_refused(device):
    await device("ordinary", "2")
    with pytest.raises(TrustError, match="timestamp metadata is not the version"):
        await device("ordinary", "1")
    assert await device("ordinary", "2") == {"tiny": "1.1.0"}
