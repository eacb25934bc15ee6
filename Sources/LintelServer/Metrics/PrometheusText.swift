#if Server
  /// Writes Prometheus' text format, version 0.0.4. Label values here come from this program, so none needs escaping.
  struct PrometheusText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""
    private var lastGauge = ""

    mutating func counter(_ name: String, _ help: String, _ value: Int) {
      header(name, help, "counter")
      text += "\(name) \(value)\n"
    }

    mutating func counters(_ name: String, _ help: String, _ samples: [(labels: String, value: Int)]) {
      header(name, help, "counter")
      for sample in samples { text += "\(name){\(sample.labels)} \(sample.value)\n" }
    }

    mutating func gauge(_ gauge: Gauge) {
      if gauge.name != lastGauge { header(gauge.name, gauge.help, gauge.isCounter ? "counter" : "gauge") }
      lastGauge = gauge.name
      text += gauge.labels.isEmpty ? gauge.name : "\(gauge.name){\(gauge.labels)}"
      text += " \(gauge.value)\n"
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
      header(name, help, "histogram")
      let state = histogram.current
      var total = 0
      for (bound, count) in zip(Histogram.bounds, state.counts) {
        total &+= count
        text += "\(name)_bucket{le=\"\(bound)\"} \(total)\n"
      }
      total = state.counts.reduce(0, &+)
      text += "\(name)_bucket{le=\"+Inf\"} \(total)\n\(name)_sum \(state.sum)\n\(name)_count \(total)\n"
    }

    private mutating func header(_ name: String, _ help: String, _ type: String) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }
  }
#endif
