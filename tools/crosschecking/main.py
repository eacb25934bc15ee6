"""Holds Lintel's answers to random queries against DuckDB's. Run by tools/crosscheck."""

import argparse, random, sys, time

import duckdb

from comparison import difference
from statements import Statement
from store import Store


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--linteld", required=True)
    options.add_argument("--queries", type=int, default=1000, help="of each store")
    options.add_argument("--seed", type=int, default=1, help="of the first store; the next has the next")
    options.add_argument("--stores", type=int, default=1)
    options.add_argument("--spans", type=int, default=3000)
    options.add_argument("--only", type=int, help="number of the one query to run")
    options = options.parse_args()
    began, asked, differences = time.monotonic(), 0, 0
    for seed in range(options.seed, options.seed + options.stores):
        numbers = range(options.queries) if options.only is None else [options.only]
        differences += run(options, seed, numbers)
        asked += len(numbers)
    print(f"{asked} queries, {differences} differences, {time.monotonic() - began:.0f} s")
    sys.exit(1 if differences else 0)


def run(options, seed, numbers):
    store = Store(options.linteld, options.spans, random.Random(f"{seed}"))
    try:
        duck = duckdb.connect()
        # A few thousand rows: threads would cost more than they bring.
        duck.execute("SET threads = 1")
        rows = store.copy_to(duck)
        users = [f"u-{n}" for n in range(23)]
        duck.execute("CREATE TABLE users (name VARCHAR, hash VARCHAR)")
        duck.executemany("INSERT INTO users VALUES (?, ?)", [(name, store.query(f"SELECT hash_user('{name}')")[0][0]) for name in users])
        print(f"{rows} spans, seed {seed}", flush=True)
        return sum(differs(store, duck, seed, number, options.spans) for number in numbers)
    finally:
        store.stop()


def differs(store, duck, seed, number, spans):
    statement = Statement(random.Random(f"{seed}/{number}"))
    try:
        found = difference(statement, store.query(statement.mine), duck.execute(statement.theirs).fetchall())
    except (RuntimeError, duckdb.Error, TypeError, ValueError) as error:
        found = f"failed: {str(error)[:300]}"
    if found:
        print(f"\nquery {number}: {found}\n  {statement.mine}\n  {statement.theirs}\n"
              f"  repeat: tools/crosscheck --seed {seed} --only {number} --spans {spans}", flush=True)
    return bool(found)


if __name__ == "__main__":
    main()
