"""Whether two answers agree, column by column."""

import collections, json, math

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def agree(rule, mine, theirs):
    if rule == "top_k":
        return mine == top_values(theirs, 3)
    if rule == "histogram":
        return same_histogram(mine, histogram(theirs, 4))
    if mine is None or theirs is None:
        return mine is theirs
    if rule == "exact" and not isinstance(theirs, float):
        # Whole numbers may come as decimals: floor of an integer is one here and a double there.
        return mine == theirs if isinstance(theirs, (str, bool)) else int(mine) == int(theirs)
    mine, theirs = number(mine), number(theirs)
    if math.isnan(mine) or math.isnan(theirs) or math.isinf(mine) or math.isinf(theirs):
        return mine == theirs or (math.isnan(mine) and math.isnan(theirs))
    if rule == "sketch":
        return abs(mine - theirs) <= abs(theirs) / 128 + 1e-9
    if rule == "distinct":
        return abs(mine - theirs) <= max(1, 0.05 * theirs)
    # DuckDB adds up squares of differences in doubles.
    return math.isclose(mine, theirs, rel_tol=1e-5 if rule == "stddev" else 1e-9, abs_tol=1e-9)


def number(value):
    return SPECIAL.get(value, value) if isinstance(value, str) else float(value)


def top_values(values, count):
    if not values:
        return None
    ranked = sorted(collections.Counter(values).items(), key=lambda entry: (-entry[1], entry[0].encode()))
    return [list(entry) for entry in ranked[:count]]


def histogram(values, buckets):
    values = [float(value) for value in values or [] if math.isfinite(value)]
    if not values:
        return None
    low, high = min(values), max(values)
    width = high / buckets - low / buckets
    buckets = 1 if low == high or width <= 0 else buckets
    counts = [0] * buckets
    for value in values:
        place = 0 if buckets == 1 else (value - low) / width
        counts[buckets - 1 if place >= buckets - 1 else int(place)] += 1
    return [[low + width * bucket if bucket else low, count] for bucket, count in enumerate(counts)]


def same_histogram(mine, theirs):
    if mine is None or theirs is None:
        return mine is theirs
    return len(mine) == len(theirs) and all(
        x[1] == y[1] and math.isclose(x[0], y[0], rel_tol=1e-9, abs_tol=1e-9) for x, y in zip(mine, theirs))


def order_of(rules):
    """Rows without order are put side by side by the columns that must be equal, then by those that nearly are."""
    columns = [n for wanted in ("exact", "real") for n, rule in enumerate(rules) if rule == wanted]

    def plain(value):
        if value is None:
            return (0, 0)
        value = number(value) if isinstance(value, str) else value
        if isinstance(value, str):
            return (3, value)
        return (2, 0) if math.isnan(value) else (1, value)

    return lambda row: [plain(row[n]) for n in columns]


def difference(statement, mine, theirs):
    """The first difference between two answers, or None."""
    if len(mine) != len(theirs):
        return f"{len(mine)} rows, DuckDB has {len(theirs)}"
    if not statement.is_ordered:
        key = order_of(statement.rules)
        mine, theirs = sorted(mine, key=key), sorted(theirs, key=key)
    for left, right in zip(mine, theirs):
        for rule, x, y in zip(statement.rules, left, right):
            if not agree(rule, x, y):
                return f"{rule}: {json.dumps(left)[:300]}, DuckDB has {str(right)[:300]}"
    return None
