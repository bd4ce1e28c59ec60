"""Lines of progress for ``verbose=1``."""

import sys

__all__ = ["make_reporter"]


def make_reporter(verbose, name):
    """Return a function that writes history records to standard output.

    Parameters
    ----------
    verbose : int or bool
        0 is silent.
    name : str
        Name of the estimator, at the head of each line.

    Returns
    -------
    callable or None
        Takes a record, a dict with ``epoch``, ``phase``, ``temperature``,
        ``loss_quantization`` and ``n_active``; None where silent.

    Examples
    --------
    >>> from sklearn_ddcl.utils import make_reporter
    >>> make_reporter(0, "DDCLClustering") is None
    True
    """
    if not verbose:
        return None

    def _report(record):
        sys.stdout.write(
            f"[{name}] {record['phase']} {record['epoch']:3d}  "
            f"temperature {record['temperature']:.4g}  loss {record['loss_quantization']:.6g}  "
            f"active {record['n_active']}\n"
        )

    return _report
