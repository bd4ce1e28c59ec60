"""What every ``fit`` needs around the training itself."""

import contextlib

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["draw_seed", "kept_on_error"]


def draw_seed(random_state):
    """Draw the one integer that seeds a fit's own generator.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An estimator's parameter.

    Returns
    -------
    int
        Between 0 and 2^31 - 2.

    Examples
    --------
    >>> from sklearn_ddcl.utils import draw_seed
    >>> draw_seed(0) == draw_seed(0)
    True
    """
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextlib.contextmanager
def kept_on_error(estimator):
    """Put an estimator's attributes back if what is done inside fails.

    Validation overwrites the number of features and more before a fit can fail.

    Parameters
    ----------
    estimator : estimator
        Its attributes are held, not copied: what they hold must not be changed.

    Yields
    ------
    None
        Nothing.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.utils import kept_on_error
    >>> model = KMeans(2)
    >>> try:
    ...     with kept_on_error(model):
    ...         model.n_features_in_ = 3
    ...         raise ValueError
    ... except ValueError:
    ...     hasattr(model, "n_features_in_")
    False
    """
    held = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(held)
        raise
