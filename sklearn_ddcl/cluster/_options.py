"""Parameters of parameters: reached by name even before there is an object."""

__all__ = ["NestedOptions"]


class NestedOptions:
    """Mixin whose ``set_params`` makes the objects that nested names ask for.

    A subclass has ``_option_makers``: for each parameter that stands for an
    object, a function of the estimator and of None or a name.
    """

    def set_params(self, **params):
        """Set the parameters of this estimator.

        Parameters of option objects are reached as ``name__member``. Where the
        present value is None or a name, its object takes its place first, so that
        a search over ``temperature__minimum`` needs no preparation.

        Parameters
        ----------
        **params : dict
            New values.

        Returns
        -------
        self : estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If a name is unknown, or a value has no such member.
        """
        super().set_params(**{key: value for key, value in params.items() if "__" not in key})
        members = {key: value for key, value in params.items() if "__" in key}
        for name in {key.partition("__")[0] for key in members}:
            value = getattr(self, name, None)
            made = value
            if name in self._option_makers and (value is None or isinstance(value, str)):
                made = self._make_options(name, value)
            if not hasattr(made, "set_params"):
                raise ValueError(
                    f"Invalid parameter in {sorted(members)}: {name!r} of "
                    f"{type(self).__name__} is {value!r}, which has no parameters of its own."
                )
            if made is not value:
                setattr(self, name, made)
        return super().set_params(**members)

    def _make_options(self, name, value):
        try:
            return self._option_makers[name](self, value)
        except KeyError as error:
            raise ValueError(
                f"The {name!r} parameter of {type(self).__name__} is {value!r}, which is no name "
                "of options."
            ) from error
