"""Writes the fixtures of test/data: the same rows as Parquet files of other writers, and as zstd of its own command.

Run with a Python that has pyarrow, polars and duckdb, where the commands zstd and gzip are:

    python scripts/golden/files.py test/fixtures/data

test/support/fixtureRows.ts makes the same rows.
"""
import json
import pathlib
import subprocess
import sys

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
TOPICS = ["animal", "food", "tool"]


def row(i):
    return {
        "id": i,
        "title": None if i % 10 == 3 else f"Title {i}",
        "body": f"body {i} é🙂 " + f"word{i % 7} " * (i % 5),
        "topic": TOPICS[i % 3],
        "number": i % 3,
        "tags": [f"tag{(i + k) % 6}" for k in range(i % 4)],
    }


def parquet(rows):
    schema = pa.schema([
        ("id", pa.int64()), ("title", pa.string()), ("body", pa.string()), ("topic", pa.string()),
        ("number", pa.int64()), ("tags", pa.list_(pa.string())),
    ])
    table = pa.Table.from_pylist(rows, schema=schema)
    # Small pages, so that lists continue from one to the next; a dictionary in some.
    for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
        version = "2.0" if codec in ("gzip", "zstd", "lz4") else "1.0"
        pq.write_table(
            table, out / f"pyarrow-{codec}.parquet", compression=codec, row_group_size=120, data_page_size=400,
            write_batch_size=7, data_page_version=version, use_dictionary=codec in ("snappy", "zstd"), write_statistics=False,
        )
    features = {
        "body": {"dtype": "string", "_type": "Value"},
        "number": {"names": TOPICS, "_type": "ClassLabel"},
    }
    noted = table.select(["body", "number"]).slice(0, 12).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    pq.write_table(noted, out / "class-label.parquet")
    frame = polars.from_arrow(table)
    frame.write_parquet(out / "polars.parquet", row_group_size=100)
    duckdb.sql(f"COPY (SELECT * FROM frame) TO '{out / 'duckdb.parquet'}' (FORMAT parquet)")
    wrong = pa.table({"body": pa.array([b"good", b"\xff\xfe bad"], pa.binary()), "topic": ["a", "b"]})
    pq.write_table(wrong, out / "not-utf8.parquet")
    struct = pa.table({"body": ["x"], "topic": [{"a": 1, "b": 2}]})
    pq.write_table(struct, out / "struct.parquet")


def odd():
    """A list of ClassLabels as newer versions of `datasets` note it, two columns of one name, checksums."""
    classes = pa.schema([("text", pa.string()), ("label", pa.list_(pa.int64()))])
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": [{"names": ["ham", "spam"], "_type": "ClassLabel"}],
    }
    noted = pa.table({"text": ["my invoice", "win now"], "label": [[0], [0, 1]]}, schema=classes)
    noted = noted.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(noted, out / "hf-list.parquet")
    names = ["text", "label", "text"]
    twice = pa.Table.from_arrays([pa.array(["a", "b"]), pa.array(["x", "y"]), pa.array(["c", "d"])], names=names)
    pq.write_table(twice, out / "two-names.parquet")
    checked = pa.table({"text": ["my invoice", "a crash", "a parcel"], "label": ["x", "y", "z"]})
    pq.write_table(
        checked, out / "checksum.parquet", compression="none", use_dictionary=False, write_page_checksum=True,
        write_statistics=False,
    )


def zstd(rows):
    lines = ["".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows[a:b]).encode() for a, b in
             [(0, 2000), (2000, 2001), (2001, len(rows))]]
    def frame(text, *flags):
        return subprocess.run(["zstd", "-q", "-c", *flags], input=text, check=True, capture_output=True).stdout
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    (out / "one.jsonl.zst").write_bytes(frame(b"".join(lines)))
    (out / "frames.jsonl.zst").write_bytes(
        skippable + frame(lines[0], "-19") + frame(lines[1], "--no-check") + skippable + frame(lines[2], "--long=24", "-1")
    )


parquet([row(i) for i in range(300)])
odd()
zstd([row(i) for i in range(4000)])
