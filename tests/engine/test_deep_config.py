import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ddcl.engine import (
    Autoencoding,
    JointTraining,
    NeighborContrast,
    SimCLR,
    prototype_count,
    resolve_joint,
    resolve_warm_up,
)
from sklearn_ddcl.options import ConstantTemperature, FourPhases

counts = st.integers(1, 600)


@given(counts, counts)
def test_by_default_every_prototype_has_rows_and_every_cluster_a_prototype(k, n):
    m = prototype_count(k, None, n)
    assert min(k, n) <= m <= n
    assert m <= max(20 * k, k)
    assert m <= max(300, 2 * k)
    assert m <= max(n // 5, min(k, n))


@pytest.mark.parametrize(
    ("k", "each", "n", "expected"),
    [
        (10, None, 10_000, 200),
        (50, None, 10_000, 300),
        (300, None, 10_000, 600),
        (None, None, 10_000, 200),
        (3, 4, 10_000, 12),
        (3, 4, 7, 7),
        (None, 2, 10_000, 20),
        (1, None, 1, 1),
    ],
)
def test_numbers_of_prototypes(k, each, n, expected):
    assert prototype_count(k, each, n) == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [("neighbors", NeighborContrast), ("autoencoder", Autoencoding), ("simclr", SimCLR)],
)
def test_names_stand_for_default_objects(name, kind):
    assert resolve_warm_up(name) == kind()
    assert resolve_warm_up(name) is not resolve_warm_up(name)


def test_objects_stay_themselves_and_none_is_none():
    warm_up = NeighborContrast()
    assert resolve_warm_up(warm_up) is warm_up
    assert resolve_warm_up(None) is None


def test_joint_options_are_copied():
    options = JointTraining(epochs=3)
    found = resolve_joint(options, None)
    assert found is not options
    assert found.epochs == 3
    assert resolve_joint(None, None) == JointTraining()


def test_a_temperature_takes_the_place_of_the_phases_own():
    found = resolve_joint(None, ConstantTemperature(0.3))
    plans = [found.schedule(epoch, 10) for epoch in range(10)]
    expected = [FourPhases()(epoch, 10) for epoch in range(10)]
    assert {plan.temperature for plan in plans} == {0.3}
    assert plans == [plan._replace(temperature=0.3) for plan in expected]
    assert JointTraining().schedule is None


def test_a_support_is_taken_where_there_is_none():
    options = JointTraining(epochs=3)
    assert resolve_joint(options, None, "entropy").partition_support == "entropy"
    assert options.partition_support is None
    held = JointTraining(partition_support="entropy")
    assert resolve_joint(held, None).partition_support == "entropy"
    with pytest.raises(ValueError, match="must be None where JointTraining has one, 'entropy'"):
        resolve_joint(held, None, "sinkhorn")


@pytest.mark.parametrize("kind", [NeighborContrast, Autoencoding, SimCLR])
def test_a_class_in_the_place_of_an_object_is_refused(kind):
    with pytest.raises(TypeError, match=rf"an object such as {kind.__name__}\(\)"):
        resolve_warm_up(kind)


def test_bad_options_are_refused_by_name():
    with pytest.raises(ValueError, match="n_steps"):
        resolve_warm_up(Autoencoding(n_steps=0))
    with pytest.raises(ValueError, match="epochs"):
        resolve_joint(JointTraining(epochs=0), None)
