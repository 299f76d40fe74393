"""Writes test/fixtures/golden/quoting.json: rows of CSV files as the csv module of Python 3.11 reads them.

    python scripts/golden/quoting.py test/fixtures/golden
"""
import csv
import io
import json
import pathlib
import sys

CASES = [
    # content, delimiter, quote (None: nothing quotes)
    ("a,'it''s late'\nb,'ok'\n", ",", "'"),
    ("a,'say \"\"hi\"\"'\nb,\"x\"\n", ",", "'"),
    ("a;|one; two||three|\n", ";", "|"),
    ("a,§one, §§two§§§\n", ",", "§"),
    ('a,5" disk\nb,the 3.5" one\n', ",", '"'),
    ('a,say "hi" now\nb," padded"\n', ",", '"'),
    ('a, "one"\nb,"two\nlines"\n', ",", '"'),
    ("it's,'quoted, too'\n", ",", "'"),
    ('ham\tsay "hi\nspam\t"free" 5\' long\n', "\t", None),
    ("a,it's\n", ",", None),
    ('a,""\nb,"""x"""\n', ",", '"'),
]


def rows(content, delimiter, quote):
    quoting = {"quoting": csv.QUOTE_NONE} if quote is None else {"quotechar": quote}
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, **quoting))


cases = [
    {"content": content, "delimiter": delimiter, "quote": quote, "rows": rows(content, delimiter, quote)}
    for content, delimiter, quote in CASES
]
(pathlib.Path(sys.argv[1]) / "quoting.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
