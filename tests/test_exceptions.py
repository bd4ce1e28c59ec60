import warnings

from sklearn.exceptions import ConvergenceWarning

from sklearn_ddcl.exceptions import CollapseWarning


def test_a_filter_for_convergence_covers_collapse():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.warn("lost", CollapseWarning, stacklevel=1)
    assert not caught
