"""What the developer has to say before an original is loaded, told from the file alone."""

from satchel_models.convert import pickles
from satchel_models.convert.kinds import Kind
from satchel_models.convert.original import Original
from satchel_models.errors import ConversionError, UntrustedError

PICKLES = {Kind.TORCH_OBJECT, Kind.TORCH_PROGRAM}
"""What may run code when it is loaded."""

WEIGHTS = {Kind.TORCH_WEIGHTS, Kind.SAFETENSORS}
"""What holds no network."""

SHOWN = 3
"""Names in a sentence."""


def check(original: Original, kind: Kind) -> None:
    """See that nothing is missing.

    Raises:
        UntrustedError: Loading it would run code, and nobody said that this is wanted.
        ConversionError: It needs a factory.
    """
    if kind in PICKLES and not original.trust:
        _refuse_code(original)
    if kind in WEIGHTS and original.factory is None:
        raise ConversionError(
            f"{original.path} holds weights without their network. Name what makes it: "
            "--factory module:callable"
        )


def _refuse_code(original: Original) -> None:
    code = pickles.foreign(original.path)
    if not code:
        return
    shown = ", ".join(code[:SHOWN]) + (", …" if len(code) > SHOWN else "")
    raise UntrustedError(
        f"{original.path} is a pickle that runs code when it is loaded: it names {shown}. Whoever "
        "made it can do anything that you can on this machine. If you trust them: --trust. Safer: "
        "save torch.export.save(torch.export.export(module, example), 'model.pt2'), or "
        "module.state_dict() and give --factory."
    )
