"""Writes originals of each kind into a folder: `python write.py DIR`, where PyTorch is."""

import sys
from pathlib import Path

import networks
import torch


def write(folder: Path) -> None:
    """One file of each kind."""
    torch.manual_seed(5)
    digits = networks.Digits()
    for _ in range(3):
        digits(torch.randn(8, 1, 12, 12))  # batch normalisation has statistics
    digits.eval()
    torch.save(digits, folder / "whole.pt")
    torch.save(digits.state_dict(), folder / "weights.pth")
    torch.save({"epoch": 3, "state_dict": digits.state_dict()}, folder / "checkpoint.pth")
    torch.save(networks.Digits(7).half().state_dict(), folder / "half.pth")
    torch.save(networks.Pair(), folder / "pair.pt")
    torch.save(networks.Random(), folder / "random.pt")
    torch.save(networks.Unknown(), folder / "unknown.pt")
    image = torch.randn(2, 1, 12, 12)
    free = {0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC}
    program = torch.export.export(digits, (image,), dynamic_shapes=(free,))
    torch.export.save(program, folder / "dynamic.pt2")
    torch.export.save(torch.export.export(digits, (image[:1],)), folder / "fixed.pt2")
    torch.jit.script(digits).save(folder / "scripted.pt")
    torch.jit.trace(digits, image).save(folder / "traced.pt")
    torch.jit.script(networks.Branch()).save(folder / "branch.pt")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
