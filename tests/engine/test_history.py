import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._history import History, hard_terms, soft_terms
from sklearn_ddcl.engine._passes import SoftPass, hard_pass, soft_pass
from sklearn_ddcl.nn import (
    concentration,
    decompose_loss,
    pairwise_separation,
    separation_force,
    soft_assignments,
    squared_distances,
)

checked = settings(deadline=None, max_examples=25)


@pytest.fixture(scope="module")
def draw(wrap):
    def go(seed, weighted, k=4):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(40, 3)) * 10.0 ** rng.integers(-3, 4)
        w = rng.random(40) + 0.01 if weighted else None
        rows = wrap(x, w)
        y = torch.from_numpy(x - rows.frame.origin.numpy()) / rows.frame.unit
        weight = torch.ones(40).double() if w is None else torch.from_numpy(w)
        return rows, y, weight, torch.from_numpy(rng.normal(size=(k, 3)))

    return go


@checked
@given(seed=st.integers(0, 10_000), weighted=st.booleans(), exponent=st.floats(-2, 2))
def test_soft_terms_are_those_of_nn(draw, seed, weighted, exponent):
    rows, y, weight, p = draw(seed, weighted)
    temperature, area = 10.0**exponent, rows.frame.unit**2
    terms = soft_terms(p, soft_pass(rows, p, temperature, overlap=True), rows.frame.inertia, area)
    q = soft_assignments(squared_distances(y, p), temperature)
    parts, share = decompose_loss(y, p, q, weight), weight / weight.sum()
    size = area * float(parts.quantization)
    assert terms["loss_quantization"] == pytest.approx(area * float(parts.quantization))
    assert terms["loss_ols"] == pytest.approx(area * float(parts.ols), abs=1e-9 * size)
    assert terms["variance"] == pytest.approx(area * float(parts.variance), abs=1e-9 * size)
    assert terms["separation"] == pytest.approx(area * float(pairwise_separation(p)))
    assert terms["concentration"] == pytest.approx(float(share @ concentration(q)))
    assert terms["force"] == pytest.approx(float(share @ separation_force(q)), abs=1e-9)
    assert terms["variance"] >= 0


@checked
@given(seed=st.integers(0, 10_000), weighted=st.booleans())
def test_hard_terms_are_the_cold_limit_of_soft_ones(draw, seed, weighted):
    rows, _, _, p = draw(seed, weighted)
    found = hard_pass(rows, p)
    hard = hard_terms(p, found.mass, found.inertia, 2.0)
    soft = soft_terms(p, soft_pass(rows, p, 1e-12, overlap=True), rows.frame.inertia, 2.0)
    assert set(hard) == set(soft)
    for name in set(hard) - {"n_active"}:
        assert hard[name] == pytest.approx(soft[name], abs=1e-9)


def test_soft_terms_need_the_overlap(draw):
    rows, _, _, p = draw(0, False)
    with pytest.raises(ValueError, match="needs the overlap"):
        soft_terms(p, soft_pass(rows, p, 1.0), rows.frame.inertia, 1.0)


def test_prototypes_in_use_are_counted():
    p, sums = torch.eye(3).double(), torch.zeros(3, 3).double()
    mass = torch.tensor([5.0, 0.4, 0.5]).double()
    statistics = SoftPass(mass, sums, torch.diag(mass))
    assert soft_terms(p, statistics, 1.0, 1.0)["n_active"] == 2
    assert hard_terms(p, torch.tensor([5.0, 0.0, 1e-9]), 1.0, 1.0)["n_active"] == 2


def test_records_are_numbered_timed_and_passed_on():
    seen = []
    history = History(seen.append)
    history.add("annealing", 2.0, {"loss_quantization": 1.0})
    history.add("finish", 0.0, {"loss_quantization": 0.5})
    assert seen == history.records
    assert [(r["epoch"], r["phase"], r["temperature"]) for r in seen] == [
        (1, "annealing", 2.0),
        (2, "finish", 0.0),
    ]
    assert 0 <= seen[0]["seconds"] <= seen[1]["seconds"]


def test_a_fault_of_the_report_is_not_swallowed():
    def broken(record):
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        History(broken).add("finish", 0.0, {})


def test_history_is_silent_without_a_report(capsys):
    History().add("finish", 0.0, {})
    assert capsys.readouterr().out == ""


def test_numbers_go_on_from_earlier_records():
    history = History(before=7)
    history.add("online", 1.0, {})
    assert history.records[0]["epoch"] == 8
