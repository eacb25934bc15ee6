import Testing

@testable import LintelQuery
