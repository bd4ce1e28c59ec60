"""
==========================================
A Transformer: sequences, and their tokens
==========================================

A Transformer encoder gives one vector a token. `TokenPooling` of ``sklearn_ddcl.nn`` chooses what
of them is clustered: the class token, the mean, or each token as a sample of its own (section 6.3
of the DDCL paper).
"""

# %%
# Sequences of eight tokens in three languages. Each language has two words of its own and shares
# one, the most frequent, with the others; words come in random order, as noisy vectors.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import TokenPooling
from sklearn_ddcl.options import JointTraining, NeighborContrast

N, TOKENS, WIDTH, LANGUAGES, WORDS = 300, 8, 6, 3, 7
rng = np.random.default_rng(0)
y = rng.integers(LANGUAGES, size=N)
chance = np.eye(LANGUAGES, WORDS)[y] + np.eye(LANGUAGES, WORDS, k=LANGUAGES)[y]
chance[:, -1] = 1.5  # the shared word
chance /= chance.sum(axis=1, keepdims=True)
words = np.array([rng.choice(WORDS, size=TOKENS, p=row) for row in chance])
vectors = 2 * rng.normal(size=(WORDS, WIDTH))
X = (vectors[words] + rng.normal(0.0, 0.8, size=(N, TOKENS, WIDTH))).astype(np.float32)

# %%
# The encoder returns all tokens; one layer more pools them.


class Encoder(nn.Module):
    """A learned class token in front, one encoder layer, and a linear layer."""

    def __init__(self, width=WIDTH, inner=24, n_outputs=8):
        super().__init__()
        self.embed = nn.Linear(width, inner)
        self.first = nn.Parameter(torch.zeros(1, 1, inner))
        self.layer = nn.TransformerEncoderLayer(
            inner, nhead=2, dim_feedforward=48, dropout=0.0, batch_first=True
        )
        self.head = nn.Linear(inner, n_outputs)

    def forward(self, x):
        """Return (n, 1 + t, n_outputs) from (n, t, width)."""
        tokens = self.embed(x)
        tokens = torch.cat([self.first.expand(len(x), -1, -1), tokens], dim=1)
        return self.head(self.layer(tokens))


def make_backbone(mode):
    """Return a function that makes the network from the shape of a sample."""
    return lambda shape: nn.Sequential(Encoder(shape[-1]), TokenPooling(mode))


# %%
# Sequences: one vector each, from the class token or from the mean. Functions are fine as
# backbones; to pickle the estimator's parameters, write a class or use ``functools.partial``.

settings = {
    "warm_up": NeighborContrast(n_neighbors=10, n_steps=150, batch_size=128),
    "training": JointTraining(epochs=5),
    "device": "cpu",
    "random_state": 0,
}
kmeans = KMeans(LANGUAGES, n_init=10, random_state=0).fit(X.reshape(N, -1))
print("Languages of the sequences")
print(f"  KMeans on values  ACC {clustering_accuracy_score(y, kmeans.labels_):.3f}")
models = {}
for mode in ("class", "mean"):
    models[mode] = DDCLClustering(LANGUAGES, backbone=make_backbone(mode), **settings).fit(X)
    accuracy = clustering_accuracy_score(y, models[mode].labels_)
    print(f"  {mode + ' token':<18}ACC {accuracy:.3f}")

# %%
# Tokens: each is a sample of its own, so there are more features than samples, and the estimator
# is given the features: those of the network that the fit has trained, without its pooling. In
# them a token has seen its context: the shared word, too, belongs to a language.

encoder = models["mean"].module_.backbone[0]
with torch.no_grad():
    tokens = TokenPooling("tokens")(encoder(torch.from_numpy(X))[:, 1:]).numpy()
of_tokens = DDCLClustering(LANGUAGES, backbone=None, device="cpu", random_state=0).fit(tokens)
raw = KMeans(LANGUAGES, n_init=10, random_state=0).fit(X.reshape(-1, WIDTH))
language = np.repeat(y, TOKENS)
print(f"Languages of the {len(tokens)} tokens")
for name, labels in (("KMeans on values", raw.labels_), ("each token", of_tokens.labels_)):
    print(f"  {name:<18}ACC {clustering_accuracy_score(language, labels):.3f}")

# %%
# Sequences and tokens, coloured by language, in two principal components of their features.

panels = {
    "class token": (models["class"].encode(X), y),
    "mean token": (models["mean"].encode(X), y),
    "tokens": (tokens, language),
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for ax, (title, (Z, kinds)) in zip(axes, panels.items(), strict=True):
    ax.scatter(*PCA(2).fit_transform(Z).T, c=kinds, cmap="tab10", s=8)
    ax.set(title=title, xticks=[], yticks=[])
figure.savefig("backbone_transformer.png", dpi=120)
print("Picture: backbone_transformer.png")
