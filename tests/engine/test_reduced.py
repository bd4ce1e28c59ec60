import random

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from sklearn_ddcl.engine import fit_reduced
from sklearn_ddcl.nn import ConstantTemperature, GeometricTemperature


@pytest.fixture(scope="module")
def fit(make_config):
    def go(x, k=4, weight=None, **changes):
        return fit_reduced(x, weight, make_config(k, **changes))

    return go


def ragged(seed, n=400):
    """Blobs of unequal size, spread and direction: hard enough to have poor minima."""
    rng = np.random.default_rng(seed)
    k, d = int(rng.integers(3, 15)), int(rng.integers(2, 10))
    centres = rng.normal(size=(k, d)) * rng.uniform(1, 4)
    members = rng.choice(k, size=n, p=rng.dirichlet(np.full(k, 3.0)))
    x = centres[members] + rng.normal(size=(n, d)) * rng.uniform(0.2, 1.5, size=(k, d))[members]
    return x, k


@pytest.mark.parametrize("layout", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_result_keeps_its_contract(fit, blobs, oracle, layout, dtype, weighted):
    x = blobs(0).astype(dtype)
    w = np.random.default_rng(0).random(300) if weighted else None
    result = fit(layout(x), 4, w)
    assert result.prototypes.shape == (4, 4)
    assert result.prototypes.dtype == dtype
    assert result.labels.dtype == np.int32
    assert set(result.labels) == set(range(4))
    mass = np.bincount(result.labels, w)
    assert list(mass) == sorted(mass, reverse=True)  # 0 is the largest cluster
    expected = oracle(x, result.prototypes, w)
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert result.inertia == pytest.approx(expected.inertia, rel=1e-5)
    assert isinstance(result.inertia, float)
    assert result.temperature > 0
    assert result.n_iter >= len(result.history)
    assert result.converged
    phases = [record["phase"] for record in result.history]
    assert phases == sorted(phases)  # annealing, then finish
    assert set(phases) == {"annealing", "finish"}
    means = [
        np.average(
            x[result.labels == j], axis=0, weights=None if w is None else w[result.labels == j]
        )
        for j in range(4)
    ]
    np.testing.assert_allclose(result.prototypes, means, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_seed_gives_the_same_bits(fit, dtype):
    x, k = ragged(1)
    first, again = (fit(x.astype(dtype), k, seed=3) for _ in range(2))
    for name in ("prototypes", "labels", "inertia", "temperature", "n_iter"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_other_seeds_come_close(fit):
    x, k = ragged(2)
    inertias = [fit(x, k, seed=seed).inertia for seed in range(5)]
    assert max(inertias) <= 1.01 * min(inertias)


def test_a_clear_partition_does_not_depend_on_the_seed(fit, blobs):
    x = np.concatenate(
        [
            np.random.default_rng(3).normal(size=(n, 2)) + c
            for n, c in ((30, 0), (50, 30), (40, 60))
        ]
    )
    first, other = (fit(x, 3, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(first.labels, other.labels)
    np.testing.assert_allclose(first.prototypes, other.prototypes)


@pytest.mark.parametrize("seed", range(12))
def test_no_worse_than_one_start_of_kmeans(fit, seed):
    x, k = ragged(seed)
    reference = KMeans(k, n_init=1, random_state=seed).fit(x)
    assert fit(x, k).inertia <= 1.01 * reference.inertia_


@pytest.mark.parametrize("seed", range(2))
def test_as_good_as_the_best_of_ten_on_digits(fit, seed):
    x = load_digits().data
    reference = KMeans(10, n_init=10, random_state=seed).fit(x)
    assert fit(x, 10, seed=seed).inertia <= 1.001 * reference.inertia_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_are_repetitions(fit, blobs, dtype):
    x = blobs(4).astype(dtype)
    w = np.random.default_rng(4).integers(0, 4, 300)
    weighted, repeated = fit(x, 5, w.astype(float)), fit(np.repeat(x, w, axis=0), 5)
    np.testing.assert_allclose(weighted.prototypes, repeated.prototypes, atol=1e-4)
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-5)
    np.testing.assert_array_equal(np.repeat(weighted.labels, w), repeated.labels)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_scale_of_weights_does_not_matter(fit, blobs, scale):
    w = np.random.default_rng(5).random(300)
    first, scaled = fit(blobs(5), 5, w), fit(blobs(5), 5, w * scale)
    np.testing.assert_allclose(first.prototypes, scaled.prototypes)
    assert scaled.inertia == pytest.approx(first.inertia * scale)


@pytest.mark.parametrize("k", [1, 2, 9])
def test_rows_without_weight_may_leave_fewer_than_the_prototypes(fit, k):
    x = np.array([[0.0], [1.0], [4.0], [5.0], [100.0], [-100.0], [7.0], [8.0], [9.0]])
    result = fit(x, k, np.r_[1.0, 1.0, np.zeros(7)])
    assert len(result.prototypes) == min(k, 2)
    assert result.inertia == pytest.approx(0.5 if k == 1 else 0.0)
    distances = abs(x - result.prototypes.T)
    np.testing.assert_array_equal(result.labels, distances.argmin(1))


def test_global_random_states_and_threads_are_left_alone(fit, blobs):
    torch.manual_seed(0), np.random.seed(0), random.seed(0)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    threads, enabled = torch.get_num_threads(), torch.is_grad_enabled()
    fit(blobs(6), 5)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert before[2] == random.getstate()
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled() == enabled
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("kind", ["dense", "sparse", "read_only", "memmap"])
def test_input_is_left_alone_and_layout_does_not_matter(fit, blobs, kind, tmp_path):
    x = blobs(7)
    data = x.copy()
    if kind == "sparse":
        data = sp.csr_array(x)
    elif kind == "read_only":
        data.flags.writeable = False
    elif kind == "memmap":
        x.tofile(tmp_path / "x")
        data = np.memmap(tmp_path / "x", float, "r+", shape=x.shape)
    result, plain = fit(data, 5), fit(x.copy(), 5)
    np.testing.assert_array_equal(data.toarray() if kind == "sparse" else data, x)
    np.testing.assert_allclose(result.prototypes, plain.prototypes, atol=1e-9)
    np.testing.assert_array_equal(result.labels, plain.labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tight_clusters_beside_a_far_outlier_are_found(fit, dtype):
    """In units of the whole spread the clusters are below float32 resolution."""
    rng = np.random.default_rng(8)
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    x = np.concatenate(
        [centres[np.arange(90) % 3] + 0.01 * rng.normal(size=(90, 2)), [[1e5, 1e5]]]
    ).astype(dtype)
    result = fit(x, 4)
    assert result.labels[-1] not in result.labels[:-1]
    assert len({tuple(result.labels[j:90:3]) for j in range(3)}) == 3
    assert all(len(set(result.labels[j:90:3])) == 1 for j in range(3))
    assert result.inertia < 0.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_extreme_scales(fit, blobs, dtype, scale):
    plain, scaled = fit(blobs(9), 4), fit((blobs(9) * scale).astype(dtype), 4)
    assert np.isfinite(scaled.prototypes).all()
    np.testing.assert_allclose(scaled.prototypes / scale, plain.prototypes, rtol=1e-3, atol=1e-3)
    assert scaled.inertia == pytest.approx(plain.inertia * scale * scale, rel=1e-3)


@pytest.mark.parametrize("offset", [1e3, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_offsets_cost_little(fit, dtype, offset):
    x = (np.random.default_rng(10).normal(size=(2000, 3)) * 2 + offset).astype(dtype)
    x[:1000, 0] += 50
    reference = KMeans(2, n_init=1, random_state=0).fit(x.astype(float))
    result = fit(x, 2)
    assert result.inertia <= 1.02 * reference.inertia_
    centres = reference.cluster_centers_[np.argsort(reference.cluster_centers_[:, 0])]
    found = result.prototypes[np.argsort(result.prototypes[:, 0])]
    np.testing.assert_allclose(found, centres, atol=0.2)


def test_without_a_hard_finish_prototypes_are_those_of_the_last_temperature(fit, blobs, oracle):
    x = blobs(11, spread=1.0)
    schedule = GeometricTemperature(initial=1.1, factor=0.5, minimum=0.3)
    result = fit(x, 3, flow={"hard_finish": False}, temperature=schedule, tol=1e-14, max_iter=3000)
    assert {record["phase"] for record in result.history} == {"annealing"}
    mass, sums, _ = oracle(x, result.prototypes).soft(result.temperature)
    np.testing.assert_allclose(sums / mass[:, None], result.prototypes, atol=1e-4)
    assert result.inertia > fit(x, 3).inertia


@pytest.mark.parametrize("loss", ["quantization", "ols"])
def test_gram_gradient_reaches_the_fixed_point_of_the_exact_update(fit, blobs, loss):
    x = blobs(12, n=120, d=2, k=2)
    options = {"temperature": ConstantTemperature(0.6), "tol": 1e-16, "max_iter": 3000}
    exact, gradient = (
        fit(x, 2, loss=loss, flow={"hard_finish": False, "dual_learning_rate": rate}, **options)
        for rate in (None, 1.0)
    )
    exact, gradient = (np.sort(result.prototypes, axis=0) for result in (exact, gradient))
    np.testing.assert_allclose(gradient, exact, atol=1e-2 * np.abs(exact).max())


def test_a_gram_gradient_with_hard_finish_ends_at_the_means(fit, blobs):
    x = blobs(13)
    plain, gradient = fit(x, 5), fit(x, 5, flow={"dual_learning_rate": 1.0})
    assert gradient.inertia <= 1.01 * plain.inertia


@pytest.mark.parametrize("hard", [True, False])
def test_ols_loss(fit, blobs, hard):
    x = blobs(14)
    result = fit(x, 5, loss="ols", flow={"hard_finish": hard})
    assert np.isfinite(result.prototypes).all()
    total = ((x - x.mean(0)) ** 2).sum()
    assert result.inertia <= total
    assert len(result.prototypes) == 5


@pytest.mark.parametrize(
    "terms",
    [
        {"balance": 0.1},
        {"entropy": 0.1},
        {"entropy": -0.1},
        {"separation": 0.01},
        {"quadratic": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("loss", ["quantization", "ols"])
def test_any_term_gives_finite_results(fit, blobs, terms, loss):
    result = fit(blobs(15), 4, regularization=terms, loss=loss)
    assert np.isfinite(result.prototypes).all()
    assert np.isfinite(result.inertia)
    assert all(np.isfinite(record["loss_quantization"]) for record in result.history)


def test_quadratic_term_pulls_to_the_mean_of_the_data(fit, blobs):
    x = blobs(16) + 1000
    plain, pulled = fit(x, 4), fit(x, 4, regularization={"quadratic": 1.0})
    spread = [np.linalg.norm(r.prototypes - x.mean(0)) for r in (plain, pulled)]
    assert spread[1] < spread[0]
    assert np.linalg.norm(pulled.prototypes) > 1000  # not to the origin


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("value", [0.0, 5.0, 1e30, 1e-30])
def test_constant_rows_give_one_cluster(fit, k, value):
    result = fit(np.full((6, 2), value), k)
    np.testing.assert_allclose(result.prototypes, [[value, value]])
    assert result.inertia <= 1e-30 * value**2
    assert not result.labels.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [3, 5, 21])
def test_fewer_distinct_rows_than_prototypes(fit, dtype, k):
    base = np.random.default_rng(17).normal(size=(3, 4))
    x = np.repeat(base, 7, axis=0).astype(dtype)
    result = fit(x, k)
    assert 3 <= len(result.prototypes) <= min(k, 21)
    assert result.inertia < 1e-8
    assert result.n_iter < 150
    np.testing.assert_allclose(result.prototypes[result.labels], x, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_as_many_prototypes_as_rows(fit, weighted):
    x = np.random.default_rng(18).normal(size=(12, 2))
    w = np.arange(1.0, 13.0) if weighted else None
    result = fit(x, 12, w)
    assert sorted(result.labels) == list(range(12))
    assert result.inertia == pytest.approx(0.0, abs=1e-20)
    if weighted:
        np.testing.assert_array_equal(result.labels, np.arange(12)[::-1])


def test_one_row(fit):
    result = fit(np.array([[3.0, 4.0]]), 1)
    np.testing.assert_array_equal(result.prototypes, [[3.0, 4.0]])
    assert (result.inertia, result.labels.tolist()) == (0.0, [0])


def test_one_pass_leaves_it_unconverged(fit):
    x, k = ragged(19)
    result = fit(x, k, max_iter=1, tol=0.0)
    assert not result.converged
    assert np.isfinite(result.prototypes).all()


def test_small_samples_are_enough_to_find_the_basin(fit, blobs):
    x = blobs(20, n=3000)
    full, sampled = fit(x, 5), fit(x, 5, flow={"sample_size": 200})
    assert sampled.inertia <= 1.01 * full.inertia


def test_records_are_reported_as_they_are_made(fit, blobs):
    seen = []
    result = fit(blobs(21), 4, report=seen.append)
    assert [r["epoch"] for r in seen if r["phase"] == "annealing"] == list(
        range(1, 1 + sum(r["phase"] == "annealing" for r in result.history))
    )
    assert all(any(record is other for other in seen) for record in result.history)


def test_a_fault_in_the_report_reaches_the_caller(fit, blobs):
    def broken(record):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fit(blobs(22), 4, report=broken)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_beyond_any_sum_are_refused(fit, dtype):
    x = np.eye(4, dtype=dtype) * (1e37 if dtype == np.float32 else 1e300)
    with pytest.raises(ValueError, match="X has values"):
        fit(x, 2)


def test_unknown_devices_are_refused(fit, blobs):
    with pytest.raises(ValueError, match="'device' parameter"):
        fit(blobs(23), 2, device="abacus")


def test_weights_that_drive_prototypes_away_are_refused(fit, blobs):
    with pytest.raises(ValueError, match="quadratic must be >"):
        fit(blobs(24), 4, regularization={"separation": 1.0, "quadratic": 0.0})
