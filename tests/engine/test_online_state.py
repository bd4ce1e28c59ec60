import pytest
import torch

from sklearn_ddcl.engine import OnlineConfig, OnlineState, resolve_support


def make_state(seen, nearest_at):
    k = len(nearest_at)
    return OnlineState(
        prepared=None,
        prototypes=torch.zeros(k, 2),
        moments=None,
        randomness=torch.zeros(0),
        temperature=1.0,
        seen=seen,
        nearest_at=torch.tensor(nearest_at),
        epochs=0,
        records=(),
    )


@pytest.mark.parametrize(
    ("seen", "nearest_at", "expected"),
    [(0, [0, 0], 2), (100, [0, 100], 2), (101, [0, 101], 1), (1000, [900, 899], 1)],
)
def test_recent_is_within_fifty_rows_a_cluster(seen, nearest_at, expected):
    assert make_state(seen, nearest_at).n_recent == expected


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "expected"),
    [(100, 256, 200), (10_000, 256, 25), (10**6, 256, 10), (1000, 10, 10), (1, 1, 200)],
)
def test_epochs_of_none_make_a_thousand_steps(n_rows, batch_size, expected):
    config = OnlineConfig(2, resolve_support(None), batch_size=batch_size)
    assert config.epochs_for(n_rows) == expected
    assert config._replace(epochs=3).epochs_for(n_rows) == 3
