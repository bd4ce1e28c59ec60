"""A sample of a stream, of stated size, for what must be seen more than once."""

from collections.abc import Callable

import numpy as np

__all__ = ["Replay"]


class Replay:
    """Reservoir of samples: every one so far is in it with the same probability.

    Parameters
    ----------
    size : int
        Most samples.
    decay : float
        By what share of itself the weight of the past falls a sample; with a
        decay, old samples are replaced sooner.
    seed : int
        Seed of the reservoir's own generator.

    References
    ----------
    Vitter, "Random sampling with a reservoir", ACM TOMS 1985 (algorithm R).

    Examples
    --------
    >>> import numpy as np
    >>> replay = Replay(2, 0.0, seed=0)
    >>> undo = replay.add(np.arange(5.0)[:, None])
    >>> replay.samples.shape, replay.n_seen
    ((2, 1), 5)
    """

    def __init__(self, size: int, decay: float, seed: int) -> None:
        self.size, self.decay = size, decay
        self.random = np.random.default_rng(seed)
        self.n_seen = 0
        self.n_held = 0
        self._held: np.ndarray | None = None

    @property
    def samples(self) -> np.ndarray:
        """The samples held, of shape (n_held, ...)."""
        if self._held is None:
            raise RuntimeError("The replay buffer has seen no sample.")
        return self._held[: self.n_held]

    def add(self, X: np.ndarray) -> Callable[[], None]:
        """Let samples in, one after the other.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
            Samples; those that are held are copied.

        Returns
        -------
        callable
            Called before anything else is done here, it puts all back.
        """
        counts, state = (self.n_seen, self.n_held), self.random.bit_generator.state
        places, lost = np.empty(0, dtype=np.int64), X[:0]
        if self._held is None:
            self._held = np.empty((self.size, *X.shape[1:]), dtype=X.dtype)
        held = self._held
        free = min(self.size - self.n_held, len(X))
        held[self.n_held : self.n_held + free] = X[:free]
        self.n_held += free
        rest = X[free:]
        if len(rest):
            count = np.arange(1, len(rest) + 1) + self.n_seen + free
            if self.decay > 0.0:
                count = np.minimum(count, max(self.size, round(1.0 / self.decay)))
            place = (self.random.random(len(rest)) * count).astype(np.int64)
            taken = place < self.size
            places = np.unique(place[taken])
            lost = held[places]
            held[place[taken]] = rest[taken]  # of equal places the last one stays
        self.n_seen += len(X)

        def undo() -> None:
            (self.n_seen, self.n_held), self.random.bit_generator.state = counts, state
            held[places] = lost

        return undo
