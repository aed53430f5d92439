#pragma once
// Docstrings of Expression, parse_filter and Index.catalog.

namespace segue::python::docs {

inline constexpr char kExpression[] = R"(Expression()
--

Which rows of a catalog match: comparisons of `segue.field`, joined by `&`, `|`, `~`.

It never changes and knows no catalog: names and types are checked where it is used, by
`catalog.select` or as `filter` of a search. `str()` gives text that `parse_filter` understands.

A missing value matches no comparison, `!=` included; `~` is the complement, missing values
included.

Example:
    >>> import segue
    >>> short = (segue.field("minutes") <= 30) & ~segue.field("market").contains("US")
    >>> short
    Expression(minutes <= 30 and not market has 'US')
)";

inline constexpr char kParseFilter[] = R"(parse_filter(text)
--

The expression that a text says, for services that are sent their filters.

    name = literal    also != < <= > >= == <>    name between 1 and 5    both ends included
    name in (1, 2)    equal to one of them;      name has 'SE'           of a set
                      of a set: it holds one of them
    name is missing   name is not missing        a and b, a or b, not a, (a), also & | ~

A literal is a number, 'text', true or false; dates are text, '2024-05-01' or
'2024-05-01T18:30:00'. A name that is no plain word stands in back quotes.

Args:
    text: str. The time to read it is in proportion to its length.

Returns:
    Expression.

Raises:
    InvalidArgument: What is no expression, with the place, what was found and what was expected.

Example:
    >>> import segue
    >>> segue.parse_filter("minutes <= 30 and market has 'SE'")
    Expression(minutes <= 30 and market has 'SE')
    >>> segue.parse_filter("minutes <= 30 or 3 < bpm")
    Traceback (most recent call last):
    segue.InvalidArgument: filter, character 18: found 3, expected a column's name, 'not' or '('
      minutes <= 30 or 3 < bpm
                       ^
)";

inline constexpr char kIndexCatalog[] = R"(The segue.Catalog that goes with the items, or None.

Set it, and expressions over its columns, or their text, work as `filter`; it is saved in the
index's file and comes back with it. It may be shared with other indexes. Adding and removing
vectors leaves its rows alone.

Example:
    >>> import numpy as np, segue
    >>> index = segue.FlatIndex(2)
    >>> index.add(np.eye(2, dtype=np.float32))
    >>> index.catalog = segue.Catalog({"minutes": [20, 45]})
    >>> index.search([1.0, 0.0], k=1, filter=segue.field("minutes") > 30).ids
    array([1])
)";

}  // namespace segue::python::docs
