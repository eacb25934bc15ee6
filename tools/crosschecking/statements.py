"""Random SELECT statements in both dialects, and how their columns are to be compared."""

from expressions import Expressions, pair

RELATIONS = {
    "CHILD": "b.trace_id = a.trace_id AND b.parent_span_id = a.span_id",
    "PARENT": "b.trace_id = a.trace_id AND a.parent_span_id = b.span_id",
    "SIBLING": "b.trace_id = a.trace_id AND a.parent_span_id = b.parent_span_id AND a.span_id <> b.span_id",
    "DESCENDANT": "(a.trace_id, a.span_id, b.span_id) IN (SELECT trace_id, top, bottom FROM above)",
    "ANCESTOR": "(a.trace_id, b.span_id, a.span_id) IN (SELECT trace_id, top, bottom FROM above)",
}


class Statement:
    """`mine` and `theirs` are the two texts, `rules` says how each column is compared; rows in order where `is_ordered`."""

    def __init__(self, rng):
        self.write = Expressions(rng)
        relation = rng.choice([None, None, *RELATIONS]) if rng.random() < 0.5 else None
        self.source = ("spans", "spans")
        if relation:
            self.write.sides = ["a.", "b."]
            self.source = (f"spans AS a JOIN {relation} spans AS b", f"spans AS a JOIN spans AS b ON {RELATIONS[relation]}")
        self.is_ordered = False
        if rng.random() < 0.6:
            self.grouped(rng, relation)
        else:
            self.plain(rng)

    def plain(self, rng):
        items = [self.item() for _ in range(rng.randint(1, 3))]
        self.finish(rng, items, "DISTINCT " if rng.random() < 0.4 else "", "")

    def item(self):
        if self.write.chance(0.15):
            return self.write.real(), "real"
        return self.write.any_exact(), "exact"

    def grouped(self, rng, relation):
        keys = [(self.write.any_exact(), "exact") for _ in range(rng.randint(0, 2))]
        calls = [self.aggregate(rng, relation) for _ in range(rng.randint(1, 3))]
        having = None
        if rng.random() < 0.25:
            having = self.write.pick(("count(*) > 2",) * 2, pair("max({0}) > 100", self.write.integer(0)), pair("sum({0}) IS NOT NULL", self.write.integer(0)))
        # Ordinals and aliases both name keys.
        names = [rng.choice([f"c{n}", str(n + 1)]) for n in range(len(keys))]
        tail = f" GROUP BY {', '.join(names)}" if keys else ""
        self.finish(rng, keys + calls, "", tail, having)

    def aggregate(self, rng, relation):
        write = self.write
        x, t = write.pick(write.integer, write.span_of_time, write.money)(), write.text()
        value, real, rank = write.any_exact(), write.real(0), write.pick("0.1", "0.5", "0.95", "1")
        named = write.pick(("p50", "0.5"), ("median", "0.5"), ("p75", "0.75"), ("p90", "0.9"), ("p95", "0.95"), ("p99", "0.99"), ("p999", "0.999"))
        calls = [
            (("count(*)",) * 2, "exact"), (pair("count({0})", value), "exact"), (pair("count(DISTINCT {0})", value), "exact"),
            (pair("sum({0})", x), "exact"), (pair("avg({0})", x), "real"), (pair("min({0})", value), "exact"),
            (pair("max({0})", value), "exact"), (pair("sum({0})", real), "real"), (pair("avg({0})", real), "real"),
            (pair("max({0})", real), "real"), (pair("stddev({0})", x), "stddev"),
            (pair((f"quantile({{0}}, {rank})", f"quantile_disc({{0}}, {rank})"), x), "sketch"),
            (pair((f"quantile_exact({{0}}, {rank})", f"quantile_disc({{0}}, {rank})"), x), "exact"),
            (pair((f"{named[0]}({{0}})", f"quantile_disc({{0}}, {named[1]})"), x), "sketch"),
            (pair((f"{named[0]}({{0}})", f"quantile_disc({{0}}, {named[1]})"), write.column("start_time")), "exact"),
            (pair(("approx_count_distinct({0})", "count(DISTINCT {0})"), t), "distinct"),
            (pair(("top_k({0}, 3)", "list({0}) FILTER (WHERE {0} IS NOT NULL)"), t), "top_k"),
            (pair(("histogram({0}, 4)", "list({0}) FILTER (WHERE {0} IS NOT NULL)"), write.pick(x, real)), "histogram"),
        ]
        if relation is None:
            # Spans have unique ids, pairs don't: which row is the first would depend on the order of rows.
            word = write.pick("min", "max")
            calls.append((pair((f"arg_{word}({{0}}, span_id)", f"arg_{word}_null({{0}}, span_id)"), value), "exact"))
            calls.append((pair((write.pick("any", "any_value") + "({0})", "min({0})"), ("'one'", "'one'")), "exact"))
        call, rule = rng.choice(calls)
        # DuckDB's list has a FILTER already.
        if rule not in ("top_k", "histogram") and rng.random() < 0.25:
            call = pair("{0} FILTER (WHERE {1})", call, write.condition(0))
        return call, rule

    def finish(self, rng, items, distinct, grouping, having=None):
        where = self.write.condition() if rng.random() < 0.7 else None
        self.rules = [rule for _, rule in items]
        columns = list(range(len(items)))
        order = ""
        if all(rule == "exact" for rule in self.rules) and rng.random() < 0.5:
            self.is_ordered = True
            rng.shuffle(columns)
            keys = [f"c{n} " + rng.choice(["ASC NULLS LAST", "DESC NULLS LAST", "ASC NULLS FIRST", "DESC NULLS FIRST"]) for n in columns]
            order = " ORDER BY " + ", ".join(keys)
            if rng.random() < 0.5:
                order += f" LIMIT {rng.choice([0, 1, 10, 100])}" + rng.choice(["", f" OFFSET {rng.randint(0, 20)}"])
        texts = []
        for side in (0, 1):
            select = ", ".join(f"{item[side]} AS c{n}" for n, (item, _) in enumerate(items))
            texts.append(
                f"SELECT {distinct}{select} FROM {self.source[side]}" + (f" WHERE {where[side]}" if where else "") + grouping
                + (f" HAVING {having[side]}" if having else "") + order)
        self.mine, self.theirs = texts[0], texts[1]
