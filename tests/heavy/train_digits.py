"""A small CNN for scikit-learn's digits, trained and saved as a torch.export program.

    python train_digits.py digits.csv.gz --epochs 8 --out digits.pt2

The CSV has 64 numbers (8 × 8 pixels, 0 … 16) and the digit in each row. The network takes float32
[batch, 1, 8, 8], pixels from 0 to 1, and gives ten scores. The last 297 rows are not trained on.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

HELD_OUT = 297


def network() -> nn.Module:
    """Two convolutions and a classifier."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 16, 10),
    )  # fmt: skip


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    rows = np.loadtxt(options.data, delimiter=",", dtype=np.float32)
    photos = torch.from_numpy(rows[:, :64].reshape(-1, 1, 8, 8) / 16)
    truth = torch.from_numpy(rows[:, 64].astype(np.int64))
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    count = len(photos) - HELD_OUT
    for _ in range(options.epochs):
        for batch in torch.randperm(count).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(photos[batch]), truth[batch]).backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        right = (model(photos[count:]).argmax(1) == truth[count:]).float().mean().item()
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (photos[:2],), dynamic_shapes=({0: batch},))
    torch.export.save(program, options.out)
    print(f"{right:.3f}")


if __name__ == "__main__":
    main()
