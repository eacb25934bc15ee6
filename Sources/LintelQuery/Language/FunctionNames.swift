/// The functions of the language.
enum FunctionNames {
  static let aggregates: Set<String> = [
    "count", "approx_count_distinct", "sum", "avg", "min", "max", "any", "any_value", "arg_min", "arg_max", "quantile",
    "quantile_exact", "median", "p50", "p75", "p90", "p95", "p99", "p999", "histogram", "top_k", "stddev",
  ]

  static let scalars: Set<String> = [
    "abs", "ceil", "ceiling", "coalesce", "concat", "contains", "content", "digests", "ends_with", "exp", "floor",
    "greatest", "hash_user", "ifnull", "least", "length", "ln", "log10", "log2", "lower", "mod", "now", "nullif", "pow",
    "power", "round", "sqrt", "starts_with", "substring", "substr", "time_bucket", "unflatten", "upper",
  ]

  /// What other dialects call something else.
  static let elsewhere = [
    "date_trunc": "time_bucket(1h, x) is the start of x's hour", "date_bin": "it is called time_bucket(5m, x)",
    "extract": "CAST(x AS string) shows a time's parts, time_bucket(1d, x) the start of its day",
    "date_part": "CAST(x AS string) shows a time's parts, time_bucket(1d, x) the start of its day",
    "to_timestamp": "'2026-01-02T03:04:05Z'::timestamp is a time",
    "approx_quantile": "it is called quantile(x, 0.95)", "percentile_cont": "it is called quantile_exact(x, 0.95)",
    "avgif": "it is written avg(x) FILTER (WHERE ..)", "countif": "it is written count(*) FILTER (WHERE ..)",
    "sumif": "it is written sum(x) FILTER (WHERE ..)", "if": "it is written CASE WHEN .. THEN .. ELSE .. END",
    "regexp_matches": "it is written x ~ 'pattern'", "char_length": "it is called length",
    "uniq": "it is called count(DISTINCT x), or approx_count_distinct(x)",
  ]

  static let all = aggregates.union(scalars)
}
