/// The functions of the language.
enum FunctionNames {
  static let aggregates: Set<String> = [
    "count", "approx_count_distinct", "sum", "avg", "min", "max", "any", "any_value", "arg_min", "arg_max", "quantile",
    "quantile_exact", "median", "p50", "p75", "p90", "p95", "p99", "p999", "histogram", "top_k", "stddev",
  ]

  static let scalars: Set<String> = [
    "abs", "ceil", "ceiling", "coalesce", "concat", "contains", "content", "digests", "ends_with", "exp", "floor",
    "greatest", "hash_user",
    "ifnull", "least", "length", "ln", "log10", "log2", "lower", "mod", "now", "nullif", "pow", "power", "round",
    "sqrt",
    "starts_with", "substring", "substr", "time_bucket", "upper",
  ]

  static let all = aggregates.union(scalars)
}
