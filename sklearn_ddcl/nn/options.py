"""Small parameter objects that scikit-learn can clone and search over."""

import inspect
from typing import Any, Self

__all__ = ["Options"]


class Options:
    """Base of objects that only hold parameters.

    A subclass writes an ``__init__`` whose named parameters are stored under
    their own names, unchanged, and a :meth:`validate` that checks them. It
    then works as a nested parameter of an estimator: ``clone`` copies it and
    ``GridSearchCV`` reaches its members as ``name__member``.

    Examples
    --------
    >>> class Window(Options):
    ...     def __init__(self, width=3, centred=True):
    ...         self.width = width
    ...         self.centred = centred
    >>> Window(width=5).set_params(centred=False)
    Window(width=5, centred=False)
    """

    @classmethod
    def _parameter_names(cls) -> list[str]:
        if cls.__init__ is object.__init__:
            return []
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            raise TypeError(f"{cls.__name__}.__init__ must name each of its parameters.")
        return [p.name for p in parameters]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add the parameters of nested objects, as
            ``name__member``.

        Returns
        -------
        dict
            Names and values.
        """
        params: dict[str, Any] = {}
        for name in self._parameter_names():
            value = params[name] = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                nested = value.get_params(deep=True)
                params.update({f"{name}__{key}": item for key, item in nested.items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """Change parameters.

        Parameters
        ----------
        **params : dict
            New values; ``name__member`` reaches into a nested object. Members
            are set after whole objects.

        Returns
        -------
        Options
            The object itself.

        Raises
        ------
        ValueError
            If a name is unknown; the message lists the valid ones.
        """
        valid = self._parameter_names()
        nested: dict[str, dict[str, Any]] = {}
        for key in params:
            name, _, member = key.partition("__")
            if name not in valid:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}. "
                    f"Valid parameters are: {valid}."
                )
            if member:
                nested.setdefault(name, {})[member] = params[key]
        for key in params.keys() & set(valid):
            setattr(self, key, params[key])
        for name, members in nested.items():
            target = getattr(self, name)
            if not hasattr(target, "set_params"):
                raise ValueError(f"{name} has no parameters to set, got {target!r}.")
            target.set_params(**members)
        return self

    def validate(self) -> None:
        """Check the parameters' values; the base class has none to check.

        Raises
        ------
        ValueError
            In subclasses, if a value is not allowed.
        """

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in self.get_params(deep=False).items())
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Options):
            return NotImplemented
        return self.get_params(deep=False) == other.get_params(deep=False)

    __hash__ = None  # type: ignore[assignment]  # mutable, and compared by value
