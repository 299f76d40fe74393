"""Pipes rows through `recurra predict --filter` in Spark's local mode: python pipe.py NODE COMMAND MODEL."""

import json
import sys

from pyspark.sql import SparkSession

node, command, model = sys.argv[1:]
spark = SparkSession.builder.master("local[2]").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
pipe = f"{node} {command} predict {model} --filter --top-k 1"
rows = [json.dumps({"id": i, "text": ["a cat", "a steel hammer"][i % 2]}) for i in range(4000)]
found = spark.sparkContext.parallelize(rows, 4).pipe(pipe, checkCode=True).map(json.loads).collect()
print("ids", [row["id"] for row in found] == list(range(4000)))
print("labels", sorted({(row["id"] % 2, row["prediction"]["label"]) for row in found}))
try:
    spark.sparkContext.parallelize(['{"text": "a"}', "x"], 1).pipe(pipe, checkCode=True).collect()
except Exception as error:
    print("failed", "exited with error code 1" in str(error))
