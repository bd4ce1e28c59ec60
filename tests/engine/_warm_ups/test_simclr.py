import numpy as np
import pytest

from sklearn_ddcl.engine import SimCLR
from sklearn_ddcl.nn import FeatureMasking, GaussianNoise

X = np.random.default_rng(0).normal(size=(60, 4)) * 100.0


def test_without_views_noise_of_half_a_deviation_is_added():
    task = SimCLR(n_steps=1).fit(X).task_
    spread = task.beside.scale**0.5
    assert isinstance(task.augmentation, GaussianNoise)
    assert task.augmentation.scale == pytest.approx(0.5 * spread)


def test_views_and_temperature_are_taken_as_they_are():
    views = FeatureMasking()
    task = SimCLR(views, temperature=0.2, n_steps=1).fit(X).task_
    assert task.augmentation is views
    assert task.temperature == 0.2


def test_the_autoencoder_is_left_out_at_weight_zero():
    assert SimCLR(autoencoder_weight=0.0, n_steps=1).fit(X).task_.beside is None
    assert SimCLR(autoencoder_weight=2.0, n_steps=1).fit(X).task_.weight == 2.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("temperature", value) for value in (0.0, -1.0, np.nan, "warm")],
        *[("autoencoder_weight", value) for value in (-0.1, np.inf, None)],
        *[("augmentation", value) for value in ("noise", GaussianNoise, 3)],
        ("scale", GaussianNoise(scale=-1.0)),
    ],
)
def test_bad_options_are_refused_by_name(name, value):
    params = {"augmentation": value} if name == "scale" else {name: value}
    with pytest.raises(ValueError, match=name):
        SimCLR(**params).validate()
