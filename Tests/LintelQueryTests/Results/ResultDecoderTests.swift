import LintelColumns
import Testing

@testable import LintelQuery

/// The json format read back.
@Suite struct ResultDecoderTests {
  /// Whatever the format can say survives: what is written from the decoded result is the same text again.
  @Test(arguments: ResultFormat.allCases) func everyTypeSurvives(_ format: ResultFormat) throws {
    let sample = SampleResult.everyType
    let decoded = try ResultDecoder.decode(ResultFormatter(.json).bytes(sample))
    #expect(decoded.rowCount == 3)
    #expect(decoded.columns.map(\.type.name) == sample.columns.map(\.type.name))
    #expect(ResultFormatter(format).string(decoded) == ResultFormatter(format).string(sample))
  }

  /// NULL, the empty value, and empty values inside of others stay apart.
  @Test(arguments: ResultFormat.allCases) func emptyValuesAreNoNulls(_ format: ResultFormat) throws {
    let values = TestTable.variants([nil, .empty, .array([.empty]), nil, .empty, .string("")])
    let result = QueryResult(
      columns: [
        .init(name: "n", type: .int64, values: .make((0..<6).map { Optional(Int64($0)) })),
        .init(name: "v", type: .variant, values: values),
      ], rowCount: 6)
    let decoded = try ResultDecoder.decode(ResultFormatter(.json).bytes(result))
    #expect(ResultFormatter(.json).string(result).contains(#""empty_values":[[1,1],[4,1]]"#))
    #expect(ResultFormatter(format).string(decoded) == ResultFormatter(format).string(result))
    #expect((0..<6).map(decoded.columns[1].values.isValid) == [false, true, true, false, true, true])
  }

  @Test func statisticsAndWarningsSurvive() throws {
    var result = SampleResult.integers([1], .int64)
    result.statistics = QueryResult.Statistics(elapsedMilliseconds: 1.25, rowsRead: 7, bytesRead: 9)
    result.warnings = ["a \"part\" is missing"]
    let decoded = try ResultDecoder.decode(ResultFormatter(.json).bytes(result))
    #expect(decoded.statistics == result.statistics)
    #expect(decoded.warnings == result.warnings)
  }

  @Test func escapesAndUnknownMembersAreRead() throws {
    let text = #"""
      { "later" : [1, {"x": null}], "columns": [ {"name":"\u00e4\ud83d\ude00\/","type":"string","unit":"s"} ],
        "rows": [ ["\b\f\n\r\t\"\\"] , [ null ] ], "statistics": {} }
      """#
    let decoded = try ResultDecoder.decode(Array(text.utf8))
    #expect(decoded.columns.first?.name == "ä😀/")
    #expect(ResultFormatter(.jsonlines).string(decoded).hasPrefix(#"{"ä😀/":"\b\f\n\r\t\"\\"}"#))
  }

  @Test(arguments: [
    "", "[]", "{", #"{"columns":[{"name":"a","type":"int64"}],"rows":[[1,2]]}"#,
    #"{"columns":[{"name":"a","type":"int64"}],"rows":[[]]}"#,
    #"{"columns":[{"name":"a","type":"int64"}],"rows":[["x"]]}"#,
    #"{"columns":[{"name":"a","type":"int64"}],"rows":[[99999999999999999999]]}"#,
    #"{"columns":[{"name":"a","type":"id8"}],"rows":[["0"]]}"#,
    #"{"columns":[{"name":"a","type":"id16"}],"rows":[["zz"]]}"#,
    #"{"columns":[{"name":"a","type":"bytes"}],"rows":[["?"]]}"#,
    #"{"columns":[{"name":"a","type":"string"}],"rows":[["\u12"]]}"#,
    #"{"columns":[{"name":"a","type":"string"}],"rows":[["\ud800\u0041"]]}"#,
    #"{"columns":[]} trailing"#, #"{"columns":[],"rows":[],"empty_values":[[0,0]]}"#,
    #"{"columns":[{"name":"a","type":"any"}],"rows":[[null]],"empty_values":[[0,-1]]}"#,
    #"{"columns":[{"name":"a","type":"any"}],"rows":[[null]],"empty_values":[[0]]}"#,
  ])
  func whatIsNoResultIsRefused(_ text: String) {
    #expect(throws: ResultDecodingError.self) { try ResultDecoder.decode(Array(text.utf8)) }
  }

  @Test func deepNestingIsRefused() {
    let nested = String(repeating: "[", count: 100_000)
    #expect(throws: ResultDecodingError.self) {
      try ResultDecoder.decode(Array(#"{"columns":[{"name":"a","type":"any"}],"rows":[[\#(nested)"#.utf8))
    }
  }

  /// Every prefix of a good answer, as a broken connection leaves it.
  @Test func everyPrefixIsRefused() {
    let whole = ResultFormatter(.json).bytes(SampleResult.everyType)
    for length in 0..<whole.count - 2 {
      #expect(throws: ResultDecodingError.self, "\(length) bytes") { try ResultDecoder.decode(Array(whole[..<length])) }
    }
  }
}
