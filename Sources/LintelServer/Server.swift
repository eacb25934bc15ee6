public import LintelIngest
