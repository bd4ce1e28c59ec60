import math

import numpy as np
import pytest
import torch

from sklearn_ddcl.engine._annealing import anneal, at_critical_temperature
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._search import draw_sample
from sklearn_ddcl.nn import ConstantTemperature, GeometricTemperature, critical_temperature
from sklearn_ddcl.nn.schedules import ExponentialTemperature

SOFT = {"hard_finish": False}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def run(wrap, make_config, make_problem):
    """Anneal rows from coinciding prototypes; returns prototypes, records and the rest."""

    def go(x, k=2, weight=None, **changes):
        rows = wrap(x, weight)
        area = rows.frame.unit**2
        sample = draw_sample(rows, make_config(k), generator(), torch.float64).rows
        problem = make_problem(sample, k, **changes)._replace(area=area)
        history = History()
        start = at_critical_temperature(sample, k, generator())
        p, _, temperature, passes, _ = anneal(sample, start, problem, history)
        return rows.frame.to_data(p), temperature * area, passes, history.records

    return go


def two_blobs(seed=0, n=200, gap=4.0, scale=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * 0.5
    x[: n // 2, 0] += gap
    return x * scale


def spread(p):
    return float((p - p.mean(0)).norm())


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e20])
@pytest.mark.parametrize("k", [2, 4])
def test_prototypes_coincide_above_and_split_below_the_critical_temperature(run, scale, k):
    x = two_blobs(scale=scale)
    size = np.sqrt(((x - x.mean(0)) ** 2).sum(1).mean())
    states = [
        run(x, k, temperature=ConstantTemperature(value), flow=SOFT, tol=1e-12)[0]
        for value in (1.1, 0.9)
    ]
    above, below = (spread(p) / size for p in states)
    assert above < 1e-3
    assert below > 0.3
    torch.testing.assert_close(
        states[0].mean(0) / size, torch.from_numpy(x.mean(0)) / size, atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_relative_schedules_are_multiples_of_the_critical_temperature(run, weighted):
    x = two_blobs()
    w = np.random.default_rng(0).random(200) if weighted else None
    critical = critical_temperature(
        torch.from_numpy(x), None if w is None else torch.from_numpy(w)
    )
    schedule = GeometricTemperature(initial=1.2, factor=0.5, minimum=0.1)
    _, last, _, records = run(x, weight=w, temperature=schedule)
    expected = [critical * max(1.2 * 0.5**step, 0.1) for step in range(5)]
    np.testing.assert_allclose([r["temperature"] for r in records], expected, rtol=1e-4)
    assert last == pytest.approx(expected[-1], rel=1e-4)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_absolute_schedules_are_squared_units_of_the_data(run, scale):
    schedule = GeometricTemperature(initial=8.0, factor=0.5, minimum=1.0, relative=False)
    _, last, _, records = run(two_blobs(scale=scale), temperature=schedule)
    assert [r["temperature"] for r in records] == pytest.approx([8.0, 4.0, 2.0, 1.0])
    assert last == pytest.approx(1.0)


def test_any_schedule_object_will_do(run):
    class Steps:
        relative = True

        def __call__(self, step):
            return [1.5, 0.6, 0.3, 0.3, 9.0][min(int(step), 4)]

        def validate(self):
            pass

    records = run(two_blobs(), temperature=Steps())[3]
    assert len(records) == 3  # the schedule ends where it stops falling


@pytest.mark.parametrize("flow", [{}, SOFT], ids=["hard_finish", "soft_end"])
@pytest.mark.parametrize("loss", ["quantization", "ols"])
@pytest.mark.parametrize(
    "terms", [{}, {"balance": 0.3, "entropy": -0.1, "separation": 0.05}], ids=["plain", "terms"]
)
def test_records_are_complete_and_obey_the_identity(run, flow, loss, terms):
    _, _, _, records = run(two_blobs() + 50, 3, flow=flow, loss=loss, regularization=terms)
    keys = {"epoch", "phase", "temperature", "loss_quantization", "loss_ols", "variance"}
    keys |= {"separation", "concentration", "force", "n_active", "seconds"}
    assert len(records) > 5
    for number, record in enumerate(records, start=1):
        assert set(record) == keys
        assert record["epoch"] == number
        assert record["phase"] == "annealing"
        assert record["variance"] >= 0
        assert record["loss_ols"] >= -1e-12
        total = record["loss_ols"] + record["variance"]
        assert record["loss_quantization"] == pytest.approx(total, rel=1e-10)
        assert record["force"] == pytest.approx(1 - record["concentration"])
        assert 1 / 3 - 1e-9 <= record["concentration"] <= 1 + 1e-9
        assert all(math.isfinite(v) for k, v in record.items() if k != "phase")


def test_temperatures_fall_and_assignments_harden(run):
    records = run(two_blobs())[3]
    assert all(np.diff([r["temperature"] for r in records]) < 0)
    assert records[0]["concentration"] == pytest.approx(0.5, abs=0.01)
    assert records[-1]["concentration"] > 0.99


@pytest.mark.parametrize("max_iter", [1, 2, 7, 30])
@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("hard", [True, False])
def test_passes_are_bounded(run, max_iter, passes, hard):
    flow = {"passes_per_temperature": passes, "hard_finish": hard}
    _, _, done, records = run(two_blobs(), max_iter=max_iter, flow=flow, tol=0.0)
    assert 1 <= done <= max_iter
    assert 1 <= len(records) <= done


def test_the_end_is_a_fixed_point_without_a_hard_finish(run, oracle):
    x = two_blobs()
    p, temperature, _, _ = run(x, 3, flow=SOFT, tol=1e-16, max_iter=5000)
    mass, sums, _ = oracle(x, p).soft(temperature)
    np.testing.assert_allclose(sums / mass[:, None], p, atol=1e-5)


def uneven(seed=0, n=600, k=6):
    """Blobs of 40 %, 24 %, 14 % ... of the rows."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, 5)) * 2
    members = np.minimum(rng.geometric(0.4, size=n) - 1, k - 1)
    return centres[members] + 0.5 * rng.normal(size=(n, 5))


def smallest_cluster(run, oracle, balance):
    x = uneven()
    p, _, _, _ = run(x, 6, flow=SOFT, regularization={"balance": balance})
    return np.bincount(oracle(x, p).labels, minlength=6).min()


def test_balance_evens_the_sizes(run, oracle):
    plain, some, much = (smallest_cluster(run, oracle, balance) for balance in (0.0, 0.2, 3.0))
    assert plain < 40 < some
    assert much > 60


@pytest.mark.parametrize("balance", [1.0, 10.0, 1e5, 1e300])
@pytest.mark.parametrize("seed", range(3))
def test_a_large_balance_empties_no_cluster(run, balance, seed):
    p, _, _, records = run(uneven(seed), 6, regularization={"balance": balance})
    assert [record["n_active"] for record in records] == [6] * len(records)
    assert torch.isfinite(p).all()


@pytest.mark.parametrize("gamma", [0.2, -0.2])
def test_a_positive_entropy_weight_sharpens_and_a_negative_one_softens(run, gamma):
    schedule = ConstantTemperature(0.5)
    plain, changed = (
        run(two_blobs(), temperature=schedule, flow=SOFT, regularization={"entropy": value})[3][-1]
        for value in (0.0, gamma)
    )
    assert np.sign(changed["concentration"] - plain["concentration"]) == np.sign(gamma)


def test_the_entropy_weight_shifts_the_temperature_by_as_much(run):
    """T q log q - gamma q log q: weight gamma at T is no weight at T - gamma."""
    shifted, plain = (
        run(
            two_blobs(),
            temperature=ConstantTemperature(t),
            flow=SOFT,
            tol=1e-14,
            regularization={"entropy": g},
        )[0]
        for t, g in ((0.7, 0.3), (0.4, 0.0))
    )
    torch.testing.assert_close(shifted, plain)


def test_an_entropy_weight_above_the_temperature_gives_hard_assignments(run):
    record = run(two_blobs(), regularization={"entropy": 50.0})[3][-1]
    assert record["concentration"] == pytest.approx(1.0)
    assert math.isfinite(record["loss_quantization"])


def test_start_is_a_hairs_breadth_around_the_mean(wrap):
    rows = wrap(two_blobs() + 1e4)
    p = at_critical_temperature(rows, 5, generator())
    size = math.sqrt(rows.frame.inertia / rows.frame.weight_sum)
    assert p.shape == (5, 3)
    assert 0 < spread(p) < 0.1 * size
    assert torch.equal(p, at_critical_temperature(rows, 5, generator()))
    assert not torch.equal(p, at_critical_temperature(rows, 5, generator(1)))


def test_one_prototype_stays_at_the_mean(run):
    x = two_blobs()
    p, _, _, records = run(x, 1)
    np.testing.assert_allclose(p[0], x.mean(0), atol=1e-10)
    assert all(r["variance"] == 0 and r["concentration"] == 1 for r in records)


def test_a_schedule_that_starts_cold_still_gives_finite_prototypes(run):
    p, _, _, records = run(two_blobs(), 4, temperature=ConstantTemperature(1e-300))
    assert torch.isfinite(p).all()
    assert records[-1]["concentration"] == pytest.approx(1.0)


def test_the_papers_schedule_ends_at_its_floor(run):
    schedule = ExponentialTemperature(initial=2.0, minimum=0.5, decay=5.0, relative=False)
    _, last, _, _ = run(two_blobs(), temperature=schedule)
    assert last == pytest.approx(0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, "hot"])
def test_a_schedule_of_bad_values_does_not_go_unnoticed(run, value):
    class Broken:
        relative = True

        def __call__(self, step):
            return value

    try:
        p, _, _, records = run(two_blobs(), temperature=Broken())
    except (TypeError, ValueError):
        return
    assert torch.isfinite(p).all()
    assert all(math.isfinite(r["temperature"]) for r in records)
