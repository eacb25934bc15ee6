"""What the files of cases share: the list that run.py goes through, and a check."""
CASES = []


def case(function):
    CASES.append(function)
    return function


def check(condition, message):
    if not condition:
        raise AssertionError(message)
