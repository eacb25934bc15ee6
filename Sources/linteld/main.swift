print("linteld")
