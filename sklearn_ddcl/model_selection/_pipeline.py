"""A scikit-learn pipeline that learns from batches."""

import copy

from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted


class IncrementalPipeline(Pipeline):
    """A `Pipeline` with `partial_fit`, for data that arrive in batches.

    Each step learns from the batch as the steps before it, which have just
    learned from it too, pass it on. All else is as in
    :class:`sklearn.pipeline.Pipeline`, ``fit`` included.

    Parameters
    ----------
    steps : list of (str, estimator) tuples
        Names and steps. For `partial_fit` a step is

        - an estimator with ``partial_fit``, such as ``StandardScaler`` or
          ``IncrementalPCA``, which learns and then transforms;
        - a transformer that needs no fit, such as ``Normalizer``, or that is
          fitted already, which only transforms. Put what is fitted into a
          :class:`sklearn.frozen.FrozenEstimator`: then it keeps its state in
          clones, and does not learn even if it could;
        - "passthrough".

        The last step is one that learns, or is frozen or needs no fit.
    transform_input : list of str, default=None
        As in `Pipeline`, for ``fit``; not with `partial_fit`.
    memory : str or object with the joblib.Memory interface, default=None
        As in `Pipeline`, for ``fit``. `partial_fit` caches nothing.
    verbose : bool, default=False
        As in `Pipeline`, for ``fit``.

    See Also
    --------
    make_incremental_pipeline : Names the steps by their types.
    sklearn.pipeline.Pipeline : Without `partial_fit`.

    Notes
    -----
    What an earlier step learns changes how samples look to the later ones, and
    what these learned before stays as it was: in the first batches of a
    ``StandardScaler`` prototypes are left behind in an old scale. Where that
    matters, fit the scaler to a first sample and freeze it, or have
    ``IncrementalDDCL(standardize=True)`` do it, whose prototypes move along.
    ``IncrementalPCA`` needs as many samples in its first batch as it has
    components.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ddcl import IncrementalDDCL
    >>> from sklearn_ddcl.model_selection import IncrementalPipeline
    >>> pipeline = IncrementalPipeline([
    ...     ("scale", StandardScaler()),
    ...     ("cluster", IncrementalDDCL(n_clusters=2, random_state=0)),
    ... ])
    >>> for batch in ([[0.0], [5.0]], [[90.0], [95.0], [2.0]]):
    ...     _ = pipeline.partial_fit(batch)
    >>> int(pipeline["scale"].n_samples_seen_), pipeline["cluster"].n_samples_seen_
    (5, 5)
    >>> pipeline.predict([[1.0], [93.0]]).shape
    (2,)
    """

    def partial_fit(self, X, y=None, **params):
        """Learn from a batch, step by step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch; what the first step takes.
        y : array-like of shape (n_samples,), default=None
            Passed to every step that learns.
        **params : dict
            Further arguments of the steps' ``partial_fit``, named
            ``stepname__argument``; with metadata routing enabled, what the steps
            have requested.

        Returns
        -------
        self : IncrementalPipeline
            The pipeline.

        Raises
        ------
        TypeError
            If a step can take no part; no step has learned.
        ValueError
            If a parameter names no step that learns, or a step refuses the
            batch. The steps before it are then as they were before the batch:
            only what the refusing step does to itself is its own affair
            (scikit-learn's estimators and `IncrementalDDCL` check first).
        """
        self._validate_steps()
        learners = self._learners()
        routed = self._routed(params, learners)
        last = self.steps[-1][0]
        # after the last step nothing can fail: it needs no copy, which may be large
        before = {n: copy.deepcopy(vars(step)) for n, step in learners.items() if n != last}
        name = None
        try:
            for name, step in self.steps:
                if name in learners:
                    step.partial_fit(X, y, **routed[name]["partial_fit"])
                if name != last and not _passes_through(step):
                    X = step.transform(X, **routed[name]["transform"])
        except BaseException as error:
            for learner, state in before.items():
                vars(learners[learner]).clear()
                vars(learners[learner]).update(state)
            error.add_note(
                f"Raised in step {name!r} of {type(self).__name__}.partial_fit. The steps before "
                "it are as they were before this batch."
            )
            raise
        return self

    def get_metadata_routing(self):
        """Get metadata routing of this object, `partial_fit` included.

        Returns
        -------
        routing : MetadataRouter
            What is passed to which step.
        """
        router = super().get_metadata_routing()
        last = self.steps[-1][0]
        for name, pair in router:
            pair.mapping.add(caller="partial_fit", callee="partial_fit")
            if name != last:
                pair.mapping.add(caller="partial_fit", callee="transform")
        return router

    def _learners(self):
        """Return the steps that learn, by name; raise if one can take no part."""
        learners = {}
        for name, step in self.steps:
            frozen = isinstance(step, FrozenEstimator)
            if _passes_through(step):
                continue
            if hasattr(step, "partial_fit") and not frozen:
                learners[name] = step
                continue
            last = name == self.steps[-1][0]
            if get_tags(step).requires_fit and not ((frozen or not last) and _is_fitted(step)):
                raise TypeError(
                    f"Step {name!r} of {type(self).__name__} is of type {type(step).__name__}, "
                    "which cannot learn from batches. Allowed are estimators with partial_fit, "
                    "such as StandardScaler or IncrementalPCA; transformers that need no fit, "
                    "such as Normalizer; fitted estimators in a sklearn.frozen.FrozenEstimator "
                    "(transformers also without one, where the pipeline is not cloned); and "
                    "'passthrough'."
                )
        return learners

    def _routed(self, params, learners):
        """Return the arguments of each step's methods."""
        if get_config()["enable_metadata_routing"]:
            if self.transform_input is not None and params:
                raise ValueError(
                    "partial_fit does not transform its parameters by the steps: the "
                    f"'transform_input' parameter must be None. Got {self.transform_input!r} "
                    "instead."
                )
            return process_routing(self, "partial_fit", **params)
        routed = {name: {"partial_fit": {}, "transform": {}} for name, _ in self.steps}
        for key, value in params.items():
            name, _, argument = key.partition("__")
            if name not in learners or not argument:
                raise ValueError(
                    f"{type(self).__name__}.partial_fit does not accept the {key!r} parameter. "
                    "Name the step that it is for, as in stepname__sample_weight; steps that "
                    f"learn are {list(learners)}."
                )
            routed[name]["partial_fit"][argument] = value
        return routed


def make_incremental_pipeline(*steps):
    """Build an `IncrementalPipeline` from steps without names.

    Parameters
    ----------
    *steps : estimators
        Steps, in their order.

    Returns
    -------
    pipeline : IncrementalPipeline
        With the steps named by their types, in lower case.

    See Also
    --------
    sklearn.pipeline.make_pipeline : The same without ``partial_fit``.

    Examples
    --------
    >>> from sklearn.preprocessing import Normalizer
    >>> from sklearn_ddcl import IncrementalDDCL
    >>> from sklearn_ddcl.model_selection import make_incremental_pipeline
    >>> list(make_incremental_pipeline(Normalizer(), IncrementalDDCL()).named_steps)
    ['normalizer', 'incrementalddcl']
    """
    return IncrementalPipeline(make_pipeline(*steps).steps)


def _passes_through(step):
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_fitted(step):
    try:
        check_is_fitted(step)
    except NotFittedError:
        return False
    return True
