"""From two evaluations to a comparison."""

from __future__ import annotations

import numpy as np

from .._errors import InvalidArgument
from .comparison import Comparison
from .evaluation import Evaluation


def compare(a: Evaluation, b: Evaluation, *, names: tuple[str, str] = ("a", "b")) -> Comparison:
    """Holds one generator against another, for the same users and what they took.

    The difference of each measure is that of each user's two values, and its interval comes
    from drawing users with both their values (a paired bootstrap, Efron 1979): what users have
    in common cancels out, so it is far narrower than two intervals beside each other suggest.

    Args:
        a: What is held against; draws, confidence and seed are those of this one.
        b: What may be better.
        names: What to call the two.

    Returns:
        Comparison.

    Raises:
        InvalidArgument: Evaluations of other users, other items that were relevant, other depths
            or other groups.

    Example:
        >>> import numpy as np, segue
        >>> rng = np.random.default_rng(0)
        >>> taken = rng.integers(0, 50, (400, 1))
        >>> guess = np.argsort(rng.random((400, 50)), axis=1)[:, :10]
        >>> better = np.argsort(rng.random((400, 50)) + 0.2 * (np.arange(50) != taken), axis=1)[:, :10]
        >>> a, b = (segue.evaluate(lists, list(taken), k=10) for lists in (guess, better))
        >>> of = segue.compare(a, b, names=("guess", "better"))["recall@10"]
        >>> bool(of.low > 0), of.wins > of.losses
        (True, True)
    """
    for what, of in (("a", a), ("b", b)):
        if not isinstance(of, Evaluation):
            raise InvalidArgument(f"{what} is a {type(of).__name__}, expected what segue.evaluate returns")
    if (a.lists, a.k) != (b.lists, b.k):
        raise InvalidArgument(
            f"a is of {a.lists:,} lists and k={a.k}, b of {b.lists:,} and k={b.k}; evaluate both for the same"
        )
    if a._signature != b._signature:
        raise InvalidArgument("other items were relevant for a than for b; evaluate both with the same `relevant`")
    for what, x, y in (("groups", a.labels, b.labels), ("users", a._units, b._units)):
        if (x is None) != (y is None) or (x is not None and y is not None and not np.array_equal(x, y)):
            raise InvalidArgument(f"a and b have other {what}; evaluate both with the same")
    if len(names) != 2 or isinstance(names, str):
        raise InvalidArgument(f"names are {names!r}, expected two: of a and of b")
    return Comparison(a, b, (str(names[0]), str(names[1])))
