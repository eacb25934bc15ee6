import Testing

@testable import LintelIngest
