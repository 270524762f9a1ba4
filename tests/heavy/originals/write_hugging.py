"""Writes Hugging Face folders with small random networks: `python write_hugging.py DIR MINILM`.

MINILM is a folder with a trained sentence encoder; its embeddings of given ids go to right.npz.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import transformers

folder, minilm = Path(sys.argv[1]), Path(sys.argv[2])
torch.manual_seed(6)

small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 60}
roberta = transformers.RobertaConfig(
    **small, intermediate_size=32, max_position_embeddings=40, num_labels=3
)
transformers.RobertaForSequenceClassification(roberta).save_pretrained(folder / "roberta")
vit = transformers.ViTConfig(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    image_size=32,
    patch_size=8,
    num_labels=4,
)
transformers.ViTForImageClassification(vit).save_pretrained(folder / "vit")
bert = transformers.BertConfig(**small, intermediate_size=32, max_position_embeddings=40)
transformers.BertModel(bert).save_pretrained(folder / "bert")

ids = np.random.default_rng(8).integers(1000, 20000, (2, 12))
mask = np.ones_like(ids)
mask[1, 7:] = 0
network = transformers.AutoModel.from_pretrained(minilm).eval()
with torch.inference_mode():
    tokens = network(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))[0]
    weights = torch.from_numpy(mask).unsqueeze(-1).float()
    embedding = torch.nn.functional.normalize((tokens * weights).sum(1) / weights.sum(1), dim=-1)
np.savez(folder / "right.npz", ids=ids, mask=mask, embedding=embedding.numpy())
