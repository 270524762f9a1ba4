"""Networks of a developer who uses PyTorch; imported where that is installed."""

import torch
from torch import nn


class Digits(nn.Module):
    """Small images to ten logits; takes any height and width."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5)
        )
        self.classify = nn.Linear(8, classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.classify(self.features(image).mean((2, 3)))


class Pair(nn.Module):
    """Two inputs of different kinds, and two outputs with names."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 6)
        self.mix = nn.Linear(6, 4)

    def forward(self, ids: torch.Tensor, weights: torch.Tensor) -> dict[str, torch.Tensor]:
        mixed = self.mix((self.words(ids) * weights.unsqueeze(-1)).sum(1))
        return {"scores": mixed, "best": mixed.argmax(1)}


class Branch(nn.Module):
    """A branch on the data: what only TorchScript keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.sum() > 0):
            return self.linear(x)
        return -self.linear(x)


class Random(nn.Module):
    """Answers otherwise each time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand_like(x)


class Unknown(nn.Module):
    """Uses an operator without an ONNX translation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvals(x.reshape(-1, 2, 2)).abs()


def digits(classes: str = "10") -> Digits:
    """A factory that takes an argument."""
    return Digits(int(classes))
