print("spanql")
