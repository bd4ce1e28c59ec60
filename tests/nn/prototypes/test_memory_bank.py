import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    DualMemoryBank,
    DualPrototypes,
    dual_prototypes,
    gram_step,
    normalized_dual_learning_rate,
    ols_loss,
    quantization_gradient_prototypes,
    small_gram,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
)

checked = settings(deadline=None, max_examples=20)


def descend(p, z, temperature=2.0):
    """Lq under stop-gradient."""
    distances = squared_distances(z, p)
    return soft_quantization_loss(distances, soft_assignments(distances, temperature).detach())


@checked
@given(
    seed=st.integers(0, 10_000), n=st.integers(2, 25), d=st.integers(1, 30), k=st.integers(1, 5)
)
def test_three_forms_walk_the_same_path(make_problem, seed, n, d, k):
    z = make_problem(seed, n, d, k).z
    rate = normalized_dual_learning_rate(0.4, small_gram(z))
    bank = DualMemoryBank(z, k, torch.Generator().manual_seed(seed))
    explicit = DualPrototypes(n, k, dtype=torch.float64)
    explicit.load_state_dict({"weight": bank.weight.detach()})
    p = explicit(z).detach()
    optimizers = [torch.optim.SGD(layer.parameters(), lr=rate) for layer in (bank, explicit)]
    everything = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    for _ in range(6):
        for optimizer in optimizers:
            optimizer.zero_grad()
        descend(explicit(z), z).backward()
        descend(bank(z[everything], everything), z).backward()
        for optimizer in optimizers:
            optimizer.step()
        bank.write_back(z[everything], everything)
        q = soft_assignments(squared_distances(z, p), 2.0)
        p = gram_step(p, quantization_gradient_prototypes(z, p, q), z.T @ z, rate)
        torch.testing.assert_close(explicit(z).detach(), p, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(bank.total, p, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(bank.weight, explicit.weight, rtol=1e-9, atol=1e-11)


@checked
@given(
    seed=st.integers(0, 10_000), n=st.integers(4, 25), size=st.integers(1, 9), sparse=st.booleans()
)
def test_mini_batches_move_like_masked_steps_of_the_explicit_form(
    make_problem, seed, n, size, sparse
):
    """Features that change between visits, batches that cover all samples."""
    d, k = 3, 4
    generator = torch.Generator().manual_seed(seed)
    z = make_problem(seed, n, d, k).z
    bank = DualMemoryBank(z, k, generator, sparse=sparse)
    weight, seen = bank.weight.detach().clone(), z.clone()
    optimizer = torch.optim.SGD(bank.parameters(), lr=0.05)
    for epoch in range(3):
        moved = z + 0.1 * epoch
        for index in torch.randperm(n, generator=generator).split(size):
            optimizer.zero_grad()
            batch = moved[index].requires_grad_()
            p = bank.prototypes(batch, index)
            descend(p, batch).backward()
            optimizer.step()
            bank.write_back(batch, index)

            # the same in the explicit form: all rows, but only the batch's take the step
            full = seen.clone()
            full[index] = moved[index]
            full.requires_grad_()
            rows = weight.clone().requires_grad_()
            explicit = dual_prototypes(full, rows)
            torch.testing.assert_close(p, explicit, rtol=1e-10, atol=1e-11)
            gradient, feature_gradient = torch.autograd.grad(
                descend(explicit, full[index]), (rows, full)
            )
            torch.testing.assert_close(batch.grad, feature_gradient[index])
            weight[index] -= 0.05 * gradient[index]
            seen[index] = moved[index]
            torch.testing.assert_close(bank.weight, weight, rtol=1e-10, atol=1e-11)
            torch.testing.assert_close(bank.total, weight.T @ seen, rtol=1e-9, atol=1e-10)
    assert torch.equal(bank.features, seen)


def test_gradient_through_the_prototypes_into_the_features(make_problem):
    z, _, q, _ = make_problem(0, 6, 2, 3)
    bank = DualMemoryBank(z, 3)
    index = torch.tensor([4, 1, 3])
    assert torch.autograd.gradcheck(
        lambda batch: ols_loss(batch, bank(batch, index), q[index]), (z[index].requires_grad_(),)
    )


def test_refresh_undoes_the_drift_of_momentum(make_problem):
    z = make_problem(1, 12, 3, 2).z
    bank = DualMemoryBank(z, 2)
    optimizer = torch.optim.Adam(bank.parameters(), lr=0.05)
    for index in torch.arange(12).split(4) * 3:
        optimizer.zero_grad()
        descend(bank(z[index], index), z[index]).backward()
        optimizer.step()
        bank.write_back(z[index], index)
    expected = bank.weight.detach().T @ z
    assert not torch.allclose(bank.total, expected)
    bank.refresh()
    torch.testing.assert_close(bank.total, expected)
    bank.refresh(2 * z)
    torch.testing.assert_close(bank.total, 2 * expected)


def test_the_bank_owns_its_state(make_problem):
    z = make_problem(2, 5, 3, 2).z
    original = z.clone()
    bank = DualMemoryBank(z, 2)
    index = torch.arange(5)
    bank(z + 1, index)
    bank.write_back(z + 1, index)
    assert torch.equal(z, original)
    assert set(bank.state_dict()) == {"weight", "features", "total"}
    for other in (copy.deepcopy(bank), pickle.loads(pickle.dumps(bank))):
        torch.testing.assert_close(other.total, bank.total)
    assert "n_samples=5" in repr(bank)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([0, 0], "must not repeat"),
        ([0, 5], r"must lie in \[0, 5\), got 0 to 5"),
        ([-1, 0], "got -1 to 0"),
        ([0, 1, 2], r"z must have shape \(3, 3\)"),
        ([0.0, 1.0], "int64"),
        ([[0, 1]], "vector"),
    ],
)
def test_bad_indices_are_refused(make_problem, index, message):
    z = make_problem(3, 5, 3, 2).z
    with pytest.raises(ValueError, match=message):
        DualMemoryBank(z, 2)(z[:2], torch.tensor(index))


def test_bad_state_changes_are_refused(make_problem):
    z = make_problem(4, 5, 3, 2).z
    bank, index = DualMemoryBank(z, 2), torch.tensor([0, 1])
    with pytest.raises(ValueError, match="last forward pass"):
        bank.write_back(z[index], index)
    bank(z[index], index)
    with pytest.raises(ValueError, match="last forward pass"):
        bank.write_back(z[index], index.flip(0))
    with pytest.raises(ValueError, match="z must have shape"):
        bank.write_back(z, index)
    with pytest.raises(ValueError, match="features must have shape"):
        bank.refresh(z[:2])
    with pytest.raises(ValueError, match="n_prototypes"):
        DualMemoryBank(z, 0)
    with pytest.raises(ValueError, match="features must be"):
        DualMemoryBank(z[0], 2)
    bank.write_back(z[index], index)
    with pytest.raises(ValueError, match="last forward pass"):
        bank.write_back(z[index], index)
