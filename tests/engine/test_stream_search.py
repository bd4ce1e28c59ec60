import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from sklearn_ddcl.engine._stream_frame import StreamFrame
from sklearn_ddcl.engine._stream_search import StreamSearch
from sklearn_ddcl.engine._summary import Summary
from sklearn_ddcl.nn import critical_temperature

CPU = torch.device("cpu")


def search(rows, weight, standardize=False):
    frame = StreamFrame(rows.shape[1], "float64", standardize, CPU)
    if standardize:
        frame.moments.update(rows, weight, 1.0)
    summary = Summary(100, rows.shape[1], torch.float64, CPU)
    summary.add(rows, weight)
    return StreamSearch(summary, frame)


def data(n=60, d=4):
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.normal(size=(n, d)) * np.arange(1, d + 1) + 7)
    return rows, torch.from_numpy(rng.random(n) + 0.1)


def test_the_critical_temperature_is_that_of_the_summary():
    rows, weight = data()
    made = search(rows, weight)
    for _ in range(3):  # each measure goes on from the last one's vector
        made.measure(60.0, 60.0)
    assert made.critical == pytest.approx(critical_temperature(rows, weight), rel=0.01)


def test_distances_are_those_between_rows():
    rows, weight = data()
    made = search(rows, weight)
    expected = torch.cdist(rows, rows).square()
    torch.testing.assert_close(
        made.distances(made.mean(), len(rows)).double(), expected, rtol=1e-4, atol=1e-4
    )


def test_standardised_distances_are_those_between_standardised_rows():
    rows, weight = data()
    made = search(rows, weight, standardize=True)
    mean = (weight / weight.sum()) @ rows
    deviation = ((weight / weight.sum()) @ (rows - mean).square()).sqrt()
    expected = torch.cdist(rows / deviation, rows / deviation).square()
    torch.testing.assert_close(
        made.distances(made.mean(), len(rows)).double(), expected, rtol=1e-4, atol=1e-4
    )


def test_a_prototype_between_two_others_moves_to_a_group_that_has_none():
    rows = torch.tensor([[0.0], [0.2], [9.0], [9.2]], dtype=torch.float64)
    made = search(rows, torch.ones(4, dtype=torch.float64))
    p = torch.tensor([[0.0], [0.1]], dtype=torch.float64)
    assert float(made.swap(p).place) == pytest.approx(9.1)


def test_searches_become_rarer_as_more_is_known_but_not_where_it_is_forgotten():
    rows, weight = data()
    made = search(rows, weight)
    made.measure(60.0, 60.0)
    assert made.next_at == 90
    made.summary.merged = True
    made.measure(10_000.0, 10_000.0)
    assert made.next_at == 13_000
    made.measure(10_000.0, 1_000.0)
    assert made.next_at == 10_300
    made.measure(10_000.0, 50.0)
    assert made.next_at == 10_100


def test_prototypes_settle_where_k_means_leaves_them():
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.normal(size=(90, 2)) + 9.0 * rng.integers(3, size=(90, 1)))
    weight = torch.from_numpy(rng.random(90) + 0.1)
    start = rows[:3].clone()
    found = search(rows, weight).settled(start)
    expected = KMeans(3, init=start.numpy(), n_init=1, max_iter=10, tol=0).fit(
        rows.numpy(), sample_weight=weight.numpy()
    )
    np.testing.assert_allclose(found, expected.cluster_centers_)


def test_where_a_prototype_has_nothing_to_do_it_settles_elsewhere():
    rows = torch.tensor([[0.0], [0.2], [9.0], [9.2]], dtype=torch.float64)
    start = torch.tensor([[4.6], [1e6]], dtype=torch.float64)
    found = search(rows, torch.ones(4, dtype=torch.float64)).settled(start)
    assert sorted(found[:, 0].tolist()) == pytest.approx([0.1, 9.1])


def test_one_far_sample_does_not_set_the_temperature_of_all():
    rows, weight = data()
    alone = search(rows, weight)
    alone.measure(60.0, 60.0)
    far = torch.full((1, 4), 1e6, dtype=torch.float64)
    disturbed = search(torch.cat([rows, far]), torch.cat([weight, weight[:1]]))
    disturbed.measure(61.0, 61.0)
    assert disturbed.critical == pytest.approx(alone.critical, rel=0.3)


def test_a_prototype_whose_rows_are_all_but_forgotten_settles_among_them_or_stays():
    rows = torch.tensor([[0.0], [0.2], [9.0], [9.2]], dtype=torch.float32)
    weight = torch.tensor([1.0, 1.0, 1e-42, 1e-42], dtype=torch.float64)
    summary = Summary(4, 1, torch.float32, CPU)
    summary.add(rows, weight)
    found = StreamSearch(summary, StreamFrame(1, "float32", False, CPU))._descended(rows[1:3])
    assert 8.9 < float(found[1]) < 9.3
