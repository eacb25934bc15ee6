import Testing

@testable import LintelStorage
