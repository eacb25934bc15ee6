public import LintelQuery
