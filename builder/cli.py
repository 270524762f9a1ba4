"""The commands of `build.py`. Each one is a few lines: the work is done by the modules it calls."""

import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators
from cyclopts.help import PlainFormatter
from rich.console import Console

from builder.errors import BuildError
from builder.paths import ROOT
from builder.progress import console, say

app = App(
    name="build.py",
    help="Satchel: AI models that people carry. Models in, one static folder out.",
    version_flags=[],
    help_formatter=PlainFormatter(),
    result_action="return_value",
)

SiteFile = Annotated[Path, Parameter(name="--site", help="The site's description.")]
Repository = Annotated[
    Path | None,
    Parameter(help="The release repository; else the site's own, beside its file."),
]
ModelId = Annotated[str, Parameter(name="ID", help="One of the site's models.")]
JsonFile = Annotated[
    Path | None, Parameter(name="--json", help="Also write the report to this file.")
]


@app.command
def serve(
    *,
    port: Annotated[
        int, Parameter(help="On 127.0.0.1.", validator=validators.Number(gte=0, lte=65535))
    ] = 8000,
    no_open: Annotated[
        bool, Parameter(negative="", help="Print the address, open no browser.")
    ] = False,
    plain: Annotated[
        bool, Parameter(negative="", help="Imitate a host that sends no headers.")
    ] = False,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Build what is missing and serve the page on this machine."""
    from builder import bundle, server
    from builder.site import load

    found = load(site)
    folder = bundle.build(found, found.dist)

    def ready(url: str) -> None:
        say(f"Serving {url} (Ctrl-C stops)")
        if not no_open:
            # Beside the server: a browser in the terminal would otherwise hold it up.
            threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()

    server.serve(folder, port, plain=plain, ready=ready)


@app.command
def build(
    *,
    out: Annotated[
        Path | None, Parameter(help="Where to; else dist/ beside the site's file.")
    ] = None,
    site: SiteFile = ROOT / "site.toml",
    models_url: Annotated[
        str | None, Parameter(help="The page takes its models from there, not from its folder.")
    ] = None,
    repository: Repository = None,
) -> None:
    """Make the static folder."""
    from dataclasses import replace

    from builder import bundle
    from builder.site import load
    from builder.site import models_url as checked

    found = load(site)
    if models_url is not None:
        found = replace(found, models_url=checked(models_url))
    bundle.build(found, out or found.dist, repository=repository)


@app.command
def new(
    folder: Annotated[Path, Parameter(name="DIR", help="Empty, or not there yet.")],
    *,
    title: Annotated[str | None, Parameter(help="The page's; else the folder's name.")] = None,
    model_id: Annotated[
        str | None, Parameter(name="--id", help="The model's; else the folder's name.")
    ] = None,
    task: Annotated[
        Literal["label", "embed", "tensors"],
        Parameter(help="Photos to labels, texts to vectors, or tensors as they are."),
    ] = "tensors",
    model: Annotated[
        Path | None, Parameter(help="The model, which stays where it is; it may come later.")
    ] = None,
) -> None:
    """Begin a site of one's own: site.toml, a recipe, nothing copied from here."""
    from builder import newsite

    newsite.create(folder, title=title, model_id=model_id, task=task, model=model)


@app.command(name="test")
def run_tests(
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True, help="For pytest.")],
    everything: Annotated[
        bool, Parameter(name="--all", negative="", help="Also what takes long, or needs PyTorch.")
    ] = False,
    quick: Annotated[bool, Parameter(negative="", help="Only what needs no browser.")] = False,
) -> int:
    """Run the tests that this machine's tools allow."""
    from builder import testing

    return testing.run(everything=everything, quick=quick, arguments=arguments)


@app.command
def lint(
    *, fix: Annotated[bool, Parameter(negative="", help="Mend what the tools can.")] = False
) -> int:
    """Check format, lint, types, JavaScript, CSS and HTML."""
    from builder import lint as checks

    return 0 if checks.run(fix=fix) else 1


@app.command
def models(
    *,
    rebuild: Annotated[str | None, Parameter(help="Make this recipe's artefacts again.")] = None,
    data: Annotated[
        Path | None, Parameter(help="Photos that calibrate; else what they gave the last time.")
    ] = None,
) -> None:
    """List the recipes and their artefacts."""
    from builder import rebuild as recipes

    if rebuild is None:
        # To stdout: it is the command's answer, not a word about its progress.
        Console(width=None if sys.stdout.isatty() else 200).print(recipes.listing())
    else:
        recipes.rebuild(rebuild, data)


@app.command
def optimize(
    model: Annotated[str, Parameter(name="MODEL", help="A file, a folder, or a recipe's name.")],
    *,
    target: Annotated[str, Parameter(help="Where it is to run.")] = "browser",
    level: Annotated[
        Literal["fast", "balanced", "aggressive"],
        Parameter(help="What accuracy it may cost: 0.1, 0.5 or 1 point."),
    ] = "balanced",
    data: Annotated[
        Path | None,
        Parameter(help="Images (with labels.csv), a CSV of texts or scored pairs, or an .npz."),
    ] = None,
    calibration: Annotated[
        Path | None, Parameter(help="The same, for calibration alone; else a part of the data.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="Where to.")] = None,
    json: JsonFile = None,
    input: Annotated[  # noqa: A002
        tuple[str, ...],
        Parameter(negative="", help="An example: NAME=1x3x224x224:float32; may be repeated."),
    ] = (),
    output: Annotated[
        tuple[str, ...], Parameter(negative="", help="The outputs to keep; may be repeated.")
    ] = (),
    fix: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="A dynamic axis of one size: NAME=576; may be repeated."),
    ] = (),
    factory: Annotated[
        str | None, Parameter(help="module:callable that makes the network of a weights file.")
    ] = None,
    trust: Annotated[
        bool, Parameter(negative="", help="Loading the file may run code that is in it.")
    ] = False,
    mean: Annotated[
        tuple[float, ...], Parameter(negative="", help="Of pixels (0 to 255), for a photo model.")
    ] = (),
    scale: Annotated[
        tuple[float, ...], Parameter(negative="", help="What the difference is divided by.")
    ] = (),
    tokenizer: Annotated[
        Path | None, Parameter(help="Of a text model: its tokenizer.json.")
    ] = None,
    compare: Annotated[
        bool, Parameter(negative="", help="Run the other levels, too, and say how they differ.")
    ] = False,
) -> None:
    """Make a model small and fast for devices, and measure what that costs."""
    from builder import optimizing

    what = optimizing.subject(
        model,
        inputs=input,
        outputs=output,
        fixed=fix,
        factory=factory,
        trust=trust,
        mean=mean,
        scale=scale,
        tokenizer=tokenizer,
    )
    optimizing.run(
        what,
        target=target,
        level=level,
        data=data,
        calibration=calibration,
        out=out,
        json=json,
        compare=compare,
    )


@app.command
def evaluate(
    model: Annotated[str, Parameter(name="ID", help="The recipe.")],
    *,
    data: Annotated[
        Path | None, Parameter(help="Images with labels.csv, or a CSV of sentence pairs.")
    ] = None,
    variant: Annotated[str | None, Parameter(help="Not the first one, but this.")] = None,
    json: JsonFile = None,
) -> None:
    """Measure a model's accuracy in the real browser."""
    from builder import evaluate as evaluation

    evaluation.run(model, data=data, variant=variant, json=json)


@app.command
def release(
    model: Annotated[str | None, Parameter(name="ID", help="One of the site's models.")] = None,
    *,
    version: Annotated[
        str | None, Parameter(help="By SemVer, above all earlier ones; else the recipe's.")
    ] = None,
    changelog: Annotated[
        str | None, Parameter(help="What changed, for the people who get it; else the recipe's.")
    ] = None,
    mandatory: Annotated[
        bool, Parameter(negative="", help="Devices fetch it without being asked to.")
    ] = False,
    rollout: Annotated[float, Parameter(help="Percentage of devices it is offered to.")] = 100,
    file: Annotated[
        tuple[Path, ...],
        Parameter(
            negative="", help="A model file instead of the recipe's artefact; one for each engine."
        ),
    ] = (),
    minimum_version: Annotated[
        str | None, Parameter(help="From now on the oldest version that may be used.")
    ] = None,
    refresh: Annotated[
        bool, Parameter(negative="", help="No release: sign snapshot and timestamp anew.")
    ] = False,
    tidy: Annotated[
        bool, Parameter(negative="", help="No release: delete what nothing names any more.")
    ] = False,
    repository: Repository = None,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Publish a model's new version in the release repository."""
    from builder.release import commands
    from builder.site import load

    if (model is not None) + refresh + tidy != 1:
        raise BuildError(
            "Say what to release: an ID, or --refresh, or --tidy, and one of them only."
        )
    if refresh:
        commands.refresh(load(site), repository=repository)
    elif tidy:
        commands.clean(load(site), repository=repository)
    elif model is not None:
        commands.release(
            load(site),
            model,
            version=version,
            changelog=changelog,
            mandatory=mandatory,
            rollout=rollout,
            files=file,
            minimum=minimum_version,
            repository=repository,
        )


@app.command
def rollout(
    model: ModelId,
    *,
    version: Annotated[str, Parameter(help="Of a release that is in support.")],
    percent: Annotated[float, Parameter(help="Of the devices; more than now.")],
    repository: Repository = None,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Offer a release to more devices."""
    from builder.release import commands
    from builder.site import load

    commands.rollout(load(site), model, version=version, percent=percent, repository=repository)


@app.command
def withdraw(
    model: ModelId,
    *,
    version: Annotated[str, Parameter(help="Of a release that is in support.")],
    repository: Repository = None,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Take a release back, for good."""
    from builder.release import commands
    from builder.site import load

    commands.withdraw(load(site), model, version=version, repository=repository)


keys = App(name="keys", help="The keys that sign releases.", help_formatter=PlainFormatter())
app.command(keys)

KeyKind = Annotated[
    Literal["ed25519", "ecdsa", "rsa"], Parameter(help="ECDSA is on P-256, RSA is PSS.")
]


@keys.command
def make(
    *,
    kind: KeyKind = "ed25519",
    root: Annotated[str, Parameter(help="How many of how many keys sign root, as 2of3.")] = "1of1",
    targets: Annotated[str, Parameter(help="The same for targets.")] = "1of1",
    repository: Repository = None,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Make a site's keys and its root metadata."""
    from builder.release import commands
    from builder.site import load

    commands.make_keys(load(site), kind=kind, root=root, targets=targets, repository=repository)


@keys.command
def rotate(
    *,
    role: Annotated[
        tuple[Literal["root", "targets", "snapshot", "timestamp"], ...],
        Parameter(negative="", help="Only this role's keys; may be given more than once."),
    ] = (),
    kind: KeyKind = "ed25519",
    root: Annotated[str | None, Parameter(help="Another 2of3 than before.")] = None,
    targets: Annotated[str | None, Parameter(help="The same for targets.")] = None,
    repository: Repository = None,
    site: SiteFile = ROOT / "site.toml",
) -> None:
    """Replace keys by new ones, in a root that the old ones sign, too."""
    from builder.release import commands
    from builder.site import load

    given = {name: text for name, text in (("root", root), ("targets", targets)) if text}
    commands.rotate_keys(load(site), kind=kind, roles=role, quorums=given, repository=repository)


@keys.command
def show(*, repository: Repository = None, site: SiteFile = ROOT / "site.toml") -> None:
    """List the keys that count, and which of them are here."""
    from builder.release import commands
    from builder.site import load

    table = commands.show_keys(load(site), repository=repository)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


bench = App(name="bench", help="Measure, side by side.", help_formatter=PlainFormatter())
app.command(bench)


@bench.command
def inference(
    *,
    json: JsonFile = None,
    only: Annotated[
        Literal["label", "minilm", "memory"] | None, Parameter(help="Measure this part alone.")
    ] = None,
) -> None:
    """Compare an inference through Satchel with plain JavaScript and transformers.js."""
    from builder.bench import inference as measurement

    measurement.run(json=json, only=only)


@bench.command
def startup(
    *,
    json: JsonFile = None,
    opens: Annotated[
        int, Parameter(help="How often each page is opened.", validator=validators.Number(gte=1))
    ] = 11,
    only: Annotated[
        Literal["label", "minilm", "phases", "firstvisit"] | None,
        Parameter(help="Measure this part alone."),
    ] = None,
) -> None:
    """Compare the way from opening the page to its first answer."""
    from builder.bench import startup as measurement

    measurement.run(json=json, opens=opens, only=only)


@bench.command
def update(
    *,
    json: JsonFile = None,
    rounds: Annotated[
        int, Parameter(help="How often each arm downloads.", validator=validators.Number(gte=1))
    ] = 5,
    only: Annotated[
        Literal["install", "memory", "resume", "delta", "versions"] | None,
        Parameter(help="Measure this part alone."),
    ] = None,
) -> None:
    """Compare downloading, verifying and storing a model with plain fetch and IndexedDB."""
    from builder.bench import update as measurement

    measurement.run(json=json, rounds=rounds, only=only)


@bench.command
def adaptive(
    *,
    data: Annotated[
        Path | None, Parameter(help="Images with labels.csv; else accuracy is not measured.")
    ] = None,
    json: JsonFile = None,
) -> None:
    """Measure what adaptation saves in each state of a device, and what it costs itself."""
    from builder.bench import adaptive as measurement

    measurement.run(data=data, json=json)


@app.command
def screenshots(
    *, out: Annotated[Path, Parameter(help="Where to.")] = ROOT / "test-results/screenshots"
) -> None:
    """Photograph every view: 1280 and 390 pixels wide, light and dark."""
    from builder import screenshots as photographer

    photographer.run(out)


def main() -> None:
    """Run a command line; exit with 1 and one sentence where something can't be done."""
    try:
        status = app(sys.argv[1:])
    except BuildError as error:
        console.print(f"build.py: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
