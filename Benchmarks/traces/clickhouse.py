"""The same spans in ClickHouse (chdb), with a table made to measure: a typed column for each attribute that occurs, the
codecs of a tuned table, no indexes, and the sort order that takes the fewest bytes."""
import json, os, shutil

ORDERS = ("service, start_time", "trace_id, start_time")


def quoted(text): return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Column:
    """An attribute: what it is called, its type and codec, and how its values are written into JSON."""

    def __init__(self, number, key, values, rows):
        self.name, self.key = f"a{number}", key
        present = [v for v in values if v is not None]
        isolated = len(present) == rows
        kinds = {type(v) for v in present}
        numbers = kinds <= {int, float} and kinds
        if kinds == {bool}: base, codec, empty = "Bool", "ZSTD(1)", False
        elif kinds == {int}:
            top = max(present)
            base = "UInt32" if min(present) >= 0 and top < 2**32 else "Int64"
            codec, empty = "T64, ZSTD(1)", 0
        elif numbers: base, codec, empty = "Float64", "ZSTD(1)", 0.0
        elif kinds == {list} and all(type(x) is int for v in present for x in v): base, codec, empty = "Array(UInt32)", "Delta, ZSTD(1)", []
        else:
            few = len({str(v) for v in present}) <= max(1, min(10_000, rows // 3))
            base, codec, empty = "LowCardinality(String)" if few else "String", "ZSTD(1)", ""
        # Null masks only where nothing else tells a missing value.
        if not isolated and base not in ("Array(UInt32)",) and any(v == empty and type(v) is type(empty) for v in present):
            base = base.replace("LowCardinality(String)", "LowCardinality(Nullable(String))") if "Low" in base else f"Nullable({base})"
            self.empty = None
        else: self.empty = empty
        self.is_text = "String" in base
        self.declaration = f"{self.name} {base} CODEC({codec})"

    def cell(self, value):
        if value is None: return self.empty
        return json.dumps(value) if self.is_text and not isinstance(value, str) else value


def columns(spans):
    keys = dict.fromkeys(("r", k) for s in spans for k in s.resource if k != "service.name")
    keys.update(dict.fromkeys(("s", k) for s in spans for k in s.attributes))
    return [Column(i, (owner, key), [(s.resource if owner == "r" else s.attributes).get(key) for s in spans], len(spans))
            for i, (owner, key) in enumerate(keys)]


def load(spans, directory):
    """Bytes of the active parts after OPTIMIZE FINAL, with the better of the sort orders, and of the whole directory."""
    from chdb import session
    attributes = columns(spans)
    declared = ["trace_id FixedString(16) CODEC(ZSTD(1))", "span_id FixedString(8) CODEC(NONE)", "start_time Int64 CODEC(Delta, ZSTD(1))",
                "duration Int64 CODEC(T64, ZSTD(1))", "name LowCardinality(String) CODEC(ZSTD(1))",
                "service LowCardinality(String) CODEC(ZSTD(1))"]
    # What no span of the trace has costs nothing.
    optional = {"parent_span_id FixedString(8) CODEC(ZSTD(1))": any(s.parent_id for s in spans), "kind UInt8 CODEC(ZSTD(1))": any(s.kind for s in spans),
                "status UInt8 CODEC(ZSTD(1))": any(s.status for s in spans), "status_message LowCardinality(String) CODEC(ZSTD(1))": any(s.status_message for s in spans),
                "scope LowCardinality(String) CODEC(ZSTD(1))": any(s.scope for s in spans), "events String CODEC(ZSTD(1))": any(s.events for s in spans)}
    declared += [d for d, used in optional.items() if used] + [c.declaration for c in attributes]
    shutil.rmtree(directory, ignore_errors=True)
    file = directory + ".jsonl"
    with open(file, "w") as out:
        for s in spans:
            row = dict(trace=s.trace_id, span=s.span_id, parent=s.parent_id, start_time=s.start, duration=s.end - s.start, name=s.name,
                       service=s.resource.get("service.name", ""), kind=s.kind, status=s.status, status_message=s.status_message,
                       scope=s.scope, events=json.dumps(s.events) if s.events else "")
            row |= {c.name: c.cell((s.resource if c.key[0] == "r" else s.attributes).get(c.key[1])) for c in attributes}
            out.write(json.dumps(row) + "\n")
    names = [d.split()[0] for d in declared]
    source = {"trace_id": "unhex(trace)", "span_id": "unhex(span)", "parent_span_id": "unhex(parent)"}
    structure = "trace String, span String, parent String, " + ", ".join(
        d.split(" CODEC")[0] for d in declared if d.split()[0] not in source)
    ch = session.Session(directory)
    ch.query("CREATE DATABASE IF NOT EXISTS peer ENGINE = Atomic")
    sizes = {}
    for number, order in enumerate(ORDERS):
        table = f"peer.spans{number}"
        ch.query("SET allow_suspicious_low_cardinality_types = 1")
        ch.query(f"CREATE TABLE {table} ({', '.join(declared)}) ENGINE = MergeTree ORDER BY ({order}) PARTITION BY intDiv(start_time, 86400000000000)")
        ch.query(f"INSERT INTO {table} SELECT {', '.join(source.get(n, n) for n in names)} FROM file({quoted(file)}, JSONEachRow, {quoted(structure)})")
        ch.query(f"OPTIMIZE TABLE {table} FINAL")
        count, size = str(ch.query(f"SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'peer' AND table = 'spans{number}'", "TSV")).split()
        assert int(count) == len(spans), f"ClickHouse holds {count} of {len(spans)} spans"
        sizes[order] = int(size)
    ch.close()
    os.remove(file)
    order = min(sizes, key=sizes.get)
    return sizes[order], order
