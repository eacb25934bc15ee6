import Testing

@testable import LintelColumns
