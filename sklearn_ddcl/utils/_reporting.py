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
        ``loss_quantization`` and ``n_active``, or, of a warm-up, ``epoch``,
        ``phase`` and ``loss_pretext``, or, of a classifier of pseudo-labels,
        ``loss_cross_entropy``, ``nmi_previous`` and ``n_active``; None where
        silent.

    Examples
    --------
    >>> from sklearn_ddcl.utils import make_reporter
    >>> make_reporter(0, "DDCLClustering") is None
    True
    """
    if not verbose:
        return None

    def _report(record):
        head = f"[{name}] {record['phase']} {record['epoch']:3d}  "
        if record["phase"] == "pretext":
            sys.stdout.write(f"{head}loss {record['loss_pretext']:.6g}\n")
            return
        if "loss_cross_entropy" in record:
            sys.stdout.write(
                f"{head}loss {record['loss_cross_entropy']:.6g}  "
                f"nmi {record['nmi_previous']:.4f}  active {record['n_active']}\n"
            )
            return
        sys.stdout.write(
            f"{head}temperature {record['temperature']:.4g}  "
            f"loss {record['loss_quantization']:.6g}  active {record['n_active']}\n"
        )

    return _report
