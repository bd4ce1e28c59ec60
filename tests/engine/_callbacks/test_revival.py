import pytest
import torch

from sklearn_ddcl.engine import JointConfig, fit_joint
from sklearn_ddcl.engine._callbacks._revival import landing_rows
from sklearn_ddcl.options import JointTraining


def choose(labels, errors, k, seed=0):
    labels, errors = torch.tensor(labels), torch.tensor(errors)
    counts = torch.bincount(labels, minlength=k)
    return landing_rows(labels, errors, counts, torch.Generator().manual_seed(seed))


def test_the_sample_belongs_to_the_prototype_with_the_largest_error():
    for seed in range(20):
        ((prototype, row),) = choose([0, 0, 2, 2], [1.0, 1.0, 5.0, 0.0], 3, seed).items()
        assert (prototype, row) == (1, 2)


def test_several_dead_prototypes_land_on_different_rows():
    for seed in range(20):
        rows = choose([0, 0, 0, 0], [1.0, 2.0, 3.0, 0.0], 4, seed)
        assert set(rows) == {1, 2, 3}
        assert sorted(rows.values()) == [0, 1, 2]


def test_none_is_moved_when_all_live_or_nothing_is_missed():
    assert choose([0, 1], [1.0, 1.0], 2) == {}
    assert choose([0, 0], [0.0, 0.0], 2) == {}


@pytest.mark.parametrize("layer", ["dual", "vanilla"])
def test_a_prototype_far_from_all_rows_comes_back(train_rows, layer):
    x = train_rows(dtype=torch.float64)
    start = torch.cat([x[:3], 100 * x[:1]])
    for revive, active in ((True, 4), (False, 3)):
        options = JointTraining(epochs=4, batch_size=20, revive=revive, patience=None)
        config = JointConfig(options, layer=layer, device="cpu")
        result = fit_joint(torch.nn.Identity(), None, x, start, config)
        assert len(result.labels.unique()) == active
        assert (sum(r["n_revived"] for r in result.history) > 0) == revive
