import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state

from sklearn_ddcl.utils import draw_seed, kept_on_error


def test_a_seed_is_the_first_integer_that_the_random_state_gives():
    expected = check_random_state(7).randint(np.iinfo(np.int32).max)
    assert draw_seed(7) == draw_seed(np.random.RandomState(7)) == expected
    assert type(draw_seed(7)) is int


def test_a_random_state_gives_another_seed_each_time():
    state = np.random.RandomState(0)
    assert draw_seed(state) != draw_seed(state)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_attributes_are_as_before(error):
    model = KMeans(2)
    model.labels_ = before = np.zeros(3)

    def fail():
        with kept_on_error(model):
            model.labels_ = np.ones(3)
            model.n_features_in_ = 4
            raise error

    with pytest.raises(error):
        fail()
    assert model.labels_ is before
    assert not hasattr(model, "n_features_in_")


def test_without_an_error_what_was_done_stays():
    model = KMeans(2)
    with kept_on_error(model):
        model.n_features_in_ = 4
    assert model.n_features_in_ == 4
