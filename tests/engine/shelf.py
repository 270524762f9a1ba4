"""A library, and releases of one small model, for the tests of what comes onto a device."""

import hashlib

import numpy as np

from satchel import golden
from satchel.installed import InstalledModel, InstalledVersion
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.offers import Offer
from satchel.platform import PutBlob
from satchel.repair import Repair
from satchel.versions import Version

V1, V2, V3 = (Version.parse(text) for text in ("1.0.0", "1.1.0", "1.2.0"))


def reference(path):
    data = path.read_bytes()
    return Reference(hashlib.sha256(data).hexdigest(), len(data))


class Shelf:
    """A library, and releases of one model made of the fixtures' files."""

    def __init__(self, platform, files, served):
        self.platform = platform
        self.library = Library(platform)
        self.files = files
        self.served = served
        self.fetched = []
        self.installer = Installer(self.library, platform, self.locate)
        self.repair = Repair(self.library, platform, self.locate)
        self._names = {}
        for path in files.iterdir():
            if path.suffix in (".weighty", ".chunks", ".golden"):
                self._names[reference(path).sha256] = path.name

    def locate(self, item):
        self.fetched.append(item.sha256)
        return self.served + self._names[item.sha256]

    def variant(self, name, file, model=None, **more):
        """A variant of the model file `file`, validated with the golden set of `model`."""
        about = {"engine": "onnxruntime"} | more
        return Variant(
            name,
            blob=reference(self.files / f"{file}.weighty"),
            chunks=reference(self.files / f"{file}.chunks"),
            golden=reference(self.files / f"{model or file}.golden"),
            **about,
        )

    def release(self, version, name, model=None, **more):
        """A release of one variant."""
        variant = self.variant("only", name, model)
        return Release(version, "", "CC0-1.0", {"browser": (variant,)}, **more)

    def offer(self, version, name, model=None):
        release = self.release(version, name, model)
        return Offer("w", "", "Weighty", release, "only", self.platform.name)

    async def install(self, version=V1, name="one"):
        manifest = Manifest("w", "", "Weighty", (self.release(version, name),))
        return await self.installer.install(manifest)

    async def bring(self, version, name, model=None):
        """All steps of an update."""
        return await self.take(self.offer(version, name, model))

    async def take(self, offer):
        await self.platform.store.commit([offer.kept()])
        need = await self.installer.download(offer)
        await self.installer.verify(need)
        return await self.installer.activate(need, await self.installer.validate(need))

    async def lay_out(self, release, chosen, others=()):
        """Put a release's variants onto the device as they are, unvalidated."""
        version = InstalledVersion(release, chosen, self.platform.name, "", others=tuple(others))
        model = InstalledModel("w", "", "Weighty", release.version, {release.version: version})
        puts = [
            PutBlob(item.sha256, self.platform.blob((self.files / name).read_bytes()))
            for item in version.references
            if (name := self._names.get(item.sha256))
        ]
        return await self.library.activate(model, puts)

    async def damage(self, item):
        """Make one byte of a stored file another one, its length the same."""
        content = bytearray(await (await self.platform.store.blob(item.sha256)).read())
        content[len(content) // 2] ^= 1
        await self.platform.store.commit([PutBlob(item.sha256, self.platform.blob(bytes(content)))])

    async def answers(self, runtime, name):
        """Whether a model answers as that file does."""
        (case,) = golden.decode((self.files / f"{name}.golden").read_bytes()).cases
        np.testing.assert_allclose(
            await runtime.infer(case.inputs["x"]), case.outputs["y"], rtol=1e-3, atol=1e-4
        )
        return True

    async def answers_as(self, name):
        """Whether the active version is whole, and answers as that file does."""
        async with await self.library.open("w") as runtime:
            assert await self.answers(runtime, name)
        installed = await self.library.installed("w")
        assert await self.repair.damaged(installed) == ()
        return True
