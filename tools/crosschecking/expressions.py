"""Random expressions in both dialects: each is a pair (Lintel, DuckDB)."""

from spans import START
from store import ATTRIBUTES

TEXTS = ["name", "status_message", "service_name", "org_id", "operation", "request_model", "session_id"]
TEXT_ATTRIBUTES = ["route", "region", "library"]
INTEGERS = ["input_tokens", "output_tokens"]
IDS = ["trace_id", "span_id", "parent_span_id", "user_hash"]
COMPARE = ["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]


def pair(template, *operands):
    """`{0}` stands for the first operand, and so on; the template is one for both dialects, or a pair."""
    templates = template if isinstance(template, tuple) else (template, template)
    return tuple(t.format(*(operand[side] for operand in operands)) for side, t in enumerate(templates))


# Functions whose domain DuckDB enforces with an error get it from a CASE.
LOGARITHM = "(CASE WHEN {{0}} > 0 THEN {0}({{0}}) WHEN {{0}} = 0 THEN '-inf'::DOUBLE WHEN {{0}} IS NOT NULL THEN 'nan'::DOUBLE END)"
ROOT = "(CASE WHEN {0} >= 0 THEN sqrt({0}) WHEN {0} IS NOT NULL THEN 'nan'::DOUBLE END)"
LEAST = "(CASE WHEN {{0}} IS NOT NULL AND {{1}} IS NOT NULL THEN {0}({{0}}, {{1}}) END)"

ROUND = "(sign({{0}}) * ((abs({{0}}) + {0} // 2) // {0}) * {0})"


class Expressions:
    def __init__(self, rng):
        self.rng, self.sides = rng, [""]

    def pick(self, *choices):
        return self.rng.choice(choices)

    def chance(self, share):
        return self.rng.random() < share

    def column(self, *names):
        side, name = self.rng.choice(self.sides), self.rng.choice(names)
        return (side + (ATTRIBUTES[name][0] if name in ATTRIBUTES else name), side + name)

    def mixed(self, kind):
        side = self.rng.choice(self.sides)
        return f"{side}attributes['mixed']", f"{side}mixed_{kind}"

    def mixed_integer(self):
        """Integers that a double doesn't tell apart."""
        side, operator = self.rng.choice(self.sides), self.pick("=", "<>", ">", "<=")
        number = self.pick(2**53, 2**53 + 1, 2**63 - 2, 2**63 - 1)
        return (f"{side}attributes['mixed'] {operator} {number}",
                f"coalesce({side}mixed_integer {operator} {number}, {side}mixed_number {operator} {number})")

    # By type. Each takes how deep it may nest.

    def integer(self, depth=1):
        if depth == 0 or self.chance(0.4):
            return self.column(*INTEGERS, "retries")
        template = self.pick(
            "coalesce({0}, 7)", "ifnull({0}, 7)", "CASE WHEN {0} > 5 THEN {1} END", "({0} + {1})", "({0} - {1})", "({0} % 1000)",
            "mod({0}, 7)", "abs({0})", "-{0}", "({0} * 3)", "nullif({0}, 0)", "CASE {0} WHEN 0 THEN 1 WHEN 5 THEN {1} ELSE 2 END",
            "floor({0})", "round({0})", "ceil({0})", ("round({0}, -2)", ROUND.format(100)), ("{0}::int64", "{0}"), ("CAST({2} AS int64)", "CAST({2} AS BIGINT)"), "length({3})",
            ("least({0}, {1})", LEAST.format("least")), ("greatest({0}, {1})", LEAST.format("greatest")),
            ("CAST({4} AS int64)", "CAST(trunc({4}) AS BIGINT)"))
        return pair(template, self.integer(depth - 1), self.integer(depth - 1), self.flag(0), self.text(0), self.column("score"))

    def span_of_time(self, depth=1):
        """A duration, or money: integers in DuckDB."""
        if depth == 0 or self.chance(0.4):
            return self.column("duration", "time_to_first_token")
        template = self.pick(
            "({0} + {1})", "({0} - {1})", "({0} * 2)", "abs({0} - {1})", ("coalesce({0}, 5ms)", "coalesce({0}, 5000000)"), "({2} - {3})",
            ("least({0}, 1s)", "CASE WHEN {0} IS NOT NULL THEN least({0}, 1000000000) END"), ("{0}::duration", "{0}"))
        return pair(template, self.span_of_time(depth - 1), self.span_of_time(0), self.column("end_time"), self.column("start_time"))

    def money(self, depth=1):
        if depth == 0 or self.chance(0.5):
            return self.column("reported_cost")
        template = self.pick(("({0} + 0.5usd)", "({0} + 500000000)"), "({0} * 2)", "-{0}", ("coalesce({0}, 0usd)", "coalesce({0}, 0)"),
                             ("round({0}, 2)", ROUND.format(10**7)))
        return pair(template, self.money(depth - 1))

    def time(self, depth=1):
        plain = self.column("start_time", "end_time")
        if depth == 0 or self.chance(0.4):
            return plain
        template = self.pick(("time_bucket(10m, {0})", "({0} - {0} % 600000000000)"), ("time_bucket(1s, {0})", "({0} - {0} % 1000000000)"),
                             ("({0} + 5m)", "({0} + 300000000000)"), "({0} - {1})", ("{0}::timestamp", "{0}"))
        return pair(template, plain, self.column("duration"))

    def real(self, depth=1):
        if depth == 0 or self.chance(0.4):
            return self.column("score")
        x, y = self.real(depth - 1), self.integer(0)
        template = self.pick(
            "({0} + {1})", "({0} * 0.5)", ("({1} / {2})", "({1}::DOUBLE / nullif({2}, 0))"), ("sqrt({0})", ROOT), "abs({0})",
            *((f"{name}({{0}})", LOGARITHM.format(name)) for name in ("ln", "log2", "log10")), "exp({0} / 100)", "pow({1} % 10, 2)",
            ("power({0}, 2)", "pow({0}, 2)"), "floor({0})", "ceiling({0})", "round({0}, 2)", "round({0}, -1)", "round({0} * 1e300, 12)", ("CAST({1} AS float64)", "CAST({1} AS DOUBLE)"),
            "coalesce({0}, 1.5)", ("({3} / 1s)", "({3}::DOUBLE / 1000000000)"))
        return pair(template, x, y, self.integer(0), self.column("duration"))

    def text(self, depth=1):
        if depth == 0 or self.chance(0.5):
            return self.column(*TEXTS, *TEXT_ATTRIBUTES)
        template = self.pick(
            "coalesce({0}, 'none')", "({0} || '/' || {1})", ("concat({0}, '-', {1})", "({0} || '-' || {1})"), "substring({0}, 2, 3)",
            "substr({0}, 2)", "lower({0})", "upper({0})", "nullif({0}, 'chat')", "CASE WHEN {2} THEN {0} ELSE 'other' END",
            ("CAST({3} AS string)", "CAST({3} AS VARCHAR)"), ("{4}::string", "CAST({4} AS VARCHAR)"))
        return pair(template, self.text(depth - 1), self.text(0), self.condition(0), self.integer(0), self.column("status", "kind"))

    def flag(self, depth=1):
        plain = self.column("cached")
        return plain if depth == 0 or self.chance(0.5) else pair("({0})", self.condition(0))

    def any_exact(self):
        """A value of any type that both print alike."""
        return self.pick(self.integer, self.span_of_time, self.money, self.time, self.text, self.flag, self.label)()

    def label(self):
        return self.column(*IDS, "status", "kind")

    # Conditions.

    def condition(self, depth=2):
        if depth and self.chance(0.5):
            template = self.pick("({0} AND {1})", "({0} OR {1})", "({0} AND NOT {1})", "(NOT {0} OR {1})")
            return pair(template, self.condition(depth - 1), self.condition(depth - 1))
        return self.pick(
            self.integers, self.texts, self.patterns, self.nulls, self.members, self.times, self.labels, self.of_trace, self.reals,
            self.of_type, self.users, self.durations)()

    def integers(self):
        compare, value = self.pick(*COMPARE), self.pick("0", "5", "300", "1000000", "2000000000", "-7", "2.5")
        return pair("{0} %s {1}" % compare, self.integer(), self.pick((value, value), self.integer(0)))

    def reals(self):
        compare, value = self.pick("<", "<=", ">", ">="), self.pick("0.01", "-1.25", "30", "1e3")
        return self.pick(
            pair(f"{{0}} {compare} {value}", self.column("score")),
            pair("{0} BETWEEN -1.5 AND 0.25", self.column("score")))

    def durations(self):
        compare, (mine, theirs) = self.pick(*COMPARE), self.pick(("2s", "2000000000"), ("500us", "500000"), ("0ms", "0"))
        cents = self.pick(("0.5usd", "500000000"), ("2usd", "2000000000"))
        return self.pick(
            pair((f"{{0}} {compare} {mine}", f"{{0}} {compare} {theirs}"), self.span_of_time()),
            pair((f"{{0}} {compare} {cents[0]}", f"{{0}} {compare} {cents[1]}"), self.money()))

    def texts(self):
        compare, value = self.pick(*COMPARE), self.pick("'chat'", "'gpt-4o'", "'org-1'", "''", "'svc-3'", "'100%'")
        return pair("{0} %s {1}" % compare, self.text(), self.pick((value, value), self.text(0)))

    def patterns(self):
        like = self.pick("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE") + " '" + self.pick("%a%", "svc-_", "%t", "gpt%", "", "Ü%", "%/%") + "'"
        regex, part = self.pick("^g.*o$", "[0-5]$", "a|b", "^$", "^[^a-z]"), self.pick("a", "", "chat", "/v1", "Ü")
        return pair(
            self.pick(
                f"{{0}} {like}", (f"{{0}} ~ '{regex}'", f"regexp_matches({{0}}, '{regex}')"),
                (f"{{0}} !~ '{regex}'", f"NOT regexp_matches({{0}}, '{regex}')"), f"contains({{0}}, '{part}')",
                f"starts_with({{0}}, '{part}')", f"ends_with({{0}}, '{part}')"), self.text(0))

    def nulls(self):
        word = self.pick("IS NULL", "IS NOT NULL")
        return pair(f"{{0}} {word}", self.column(*TEXTS, *INTEGERS, "parent_span_id", "score", "cached", "reported_cost", "route"))

    def members(self):
        word = self.pick("IN", "NOT IN")
        texts, numbers = self.pick("('chat', 'org-2')", "('gpt-4o', NULL)", "('x')"), self.pick("(0, 1, 2)", "(5, NULL)", "(-7)")
        return self.pick(pair(f"{{0}} {word} {texts}", self.column(*TEXTS, *TEXT_ATTRIBUTES)), pair(f"{{0}} {word} {numbers}", self.integer(0)))

    def times(self):
        low, word = START + self.rng.randint(0, 3600) * 10**9, self.pick("BETWEEN", "NOT BETWEEN")
        return self.pick(
            pair(f"{{0}} {word} {low} AND {low + 10**12}", self.time()), pair(f"{{0}} >= {low}", self.column("start_time")),
            pair(("{0} < now()", f"{{0}} < {time_far()}"), self.column("start_time")))

    def labels(self):
        status, kind = self.pick("'error'", "'ok'", "'unset'"), self.pick("'server'", "'internal'")
        compare = self.pick("=", "<>", "<", ">=")
        # DuckDB compares an ENUM with text as text.
        return self.pick(
            pair((f"{{0}} {compare} {status}", f"{{0}} {compare} {status}::status"), self.column("status")),
            pair((f"{{0}} {compare} {kind}", f"{{0}} {compare} {kind}::kind"), self.column("kind")))

    def users(self):
        name = f"u-{self.rng.randint(0, 22)}"
        return pair((f"{{0}} = hash_user('{name}')", f"{{0}} = (SELECT hash FROM users WHERE name = '{name}')"), self.column("user_hash"))

    def of_type(self):
        """An attribute of several types counts as what it is compared with."""
        return self.pick(
            pair("{0} = 'text'", self.mixed("text")), pair("{0} > 2", self.mixed("number")), pair("{0} <= 2.5", self.mixed("number")),
            pair("{0}", self.flag(0)), pair("NOT {0}", self.flag(0)), pair("{0} LIKE '%5'", self.mixed("text")),
            self.mixed_integer())

    def of_trace(self):
        outer, self.sides = self.sides, [""]
        inner = self.pick(self.integers, self.texts, self.nulls, self.labels)()
        template = "SELECT trace_id FROM spans WHERE {0}"
        if self.chance(0.3):
            self.sides = ["x.", "y."]
            inner = self.pick(self.integers, self.texts, self.labels)()
            template = ("SELECT x.trace_id FROM spans AS x JOIN CHILD spans AS y WHERE {0}",
                        "SELECT x.trace_id FROM spans x JOIN spans y ON y.trace_id = x.trace_id AND y.parent_span_id = x.span_id WHERE {0}")
        self.sides = outer
        subquery = pair(template, inner)
        return pair("{0} %s ({1})" % self.pick("IN", "IN", "NOT IN"), self.column("trace_id"), subquery)


def time_far():
    return START * 2
