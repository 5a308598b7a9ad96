"""Writes the Parquet files of this folder, the same five photos with several writers.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install pyarrow==26.0.1 polars duckdb fastparquet pandas pillow
    /tmp/venv/bin/python make.py

Each photo is 40×32 pixels of one colour. The fifth has no picture, as where a download
failed.
"""

import io
import os
import shutil

import duckdb
import fastparquet
import pandas
import polars
import pyarrow
import pyarrow.parquet
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]
NAMES = ["red", "green", "blue", "yellow"]


def picture(colour):
    """A PNG of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (40, 32), colour).save(out, "PNG")
    return out.getvalue()


PICTURES = [picture(c) for c in COLOURS] + [None]
CAPTIONS = [["a %s wall" % n, "all is %s" % n] for n in NAMES] + [["nothing"]]
ONE = [c[0] for c in CAPTIONS]
TAGS = [["wall", n] for n in NAMES] + [[]]
PATHS = [n + ".png" for n in NAMES] + ["none.png"]
IMAGE = [{"bytes": b, "path": p} for b, p in zip(PICTURES, PATHS)]

image = pyarrow.array(IMAGE, pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]))
texts = pyarrow.list_(pyarrow.string())

# Hugging Face's datasets: the feature Image, lists, small row groups.
huggingface = pyarrow.table({"image": image, "captions": pyarrow.array(CAPTIONS, texts), "tags": pyarrow.array(TAGS, texts)})
pyarrow.parquet.write_table(huggingface, "huggingface.parquet", row_group_size=2, compression="zstd")

# The same in other encodings: version 2 pages, dictionaries, deltas, checksums, many pages.
pyarrow.parquet.write_table(
    huggingface, "v2.parquet", data_page_version="2.0", version="2.6", data_page_size=64, write_batch_size=1,
    write_page_checksum=True, write_page_index=True, compression="gzip")
pyarrow.parquet.write_table(
    huggingface, "delta.parquet", use_dictionary=False, compression="lz4", use_compliant_nested_type=False,
    column_encoding={"image.bytes": "DELTA_LENGTH_BYTE_ARRAY", "image.path": "DELTA_BYTE_ARRAY"})

# What img2dataset writes as parquet: a failed download has no picture.
failed = [None] * 4 + ["HTTP Error 404: Not Found"]
img2dataset = pyarrow.table({
    "url": ["https://example.org/" + p for p in PATHS], "caption": ONE, "key": ["%09d" % i for i in range(5)],
    "status": ["success"] * 4 + ["failed_to_download"], "error_message": pyarrow.array(failed, pyarrow.string()),
    "width": pyarrow.array([40] * 4 + [None], pyarrow.int32()), "height": pyarrow.array([32] * 4 + [None], pyarrow.int32()),
    "exif": pyarrow.array(["{}"] * 4 + [None]), "sha256": ["0"] * 5, "jpg": pyarrow.array(PICTURES, pyarrow.binary())})
pyarrow.parquet.write_table(img2dataset, "img2dataset.parquet")

# Others: bytes in a column of their own, or in a structure.
polars.DataFrame({"image": PICTURES, "caption": ONE, "a": range(5), "b": range(5), "c": range(5), "d": range(5)}).write_parquet("polars.parquet")
polars.DataFrame({"photo": IMAGE, "text": ONE}).write_parquet("polars_struct.parquet", row_group_size=3)
frame = pandas.DataFrame({"image": PICTURES, "caption": ONE, "number": range(5)})
duckdb.sql("copy (select * from frame) to 'duckdb.parquet' (format parquet)")
fastparquet.write("fastparquet.parquet", frame[:4], object_encoding={"image": "bytes", "caption": "utf8"}, compression="GZIP")

# Tables of paths with six columns and more, the last with a text column that is not said to be one.
paths = pandas.DataFrame({"filepath": PATHS, "title": ONE, "a": range(5), "b": range(5), "c": range(5), "d": range(5), "e": range(5)})
pyarrow.parquet.write_table(pyarrow.Table.from_pandas(paths), "paths_pyarrow.parquet")
polars.from_pandas(paths).write_parquet("paths_polars.parquet")
duckdb.sql("copy (select * from paths) to 'paths_duckdb.parquet' (format parquet)")
fastparquet.write("paths_fastparquet.parquet", paths)
untyped = pyarrow.table({"image": pyarrow.array([p.encode() for p in PATHS], pyarrow.binary()), "caption": ONE})
pyarrow.parquet.write_table(untyped, "paths_untyped.parquet")

# Spark's layout: a folder with parts, checksums and a mark that it is whole.
shutil.rmtree("spark", ignore_errors=True)
os.makedirs("spark")
open("spark/_SUCCESS", "w").close()
for number, rows in enumerate([(0, 2), (2, 3)]):
    name = "part-0000%d-5a2c0f7e-1b1f-4f5e-9c58-0f6d3c1d9a11-c000.snappy.parquet" % number
    pyarrow.parquet.write_table(huggingface.slice(*rows), "spark/" + name, flavor="spark", compression="snappy")
    with open("spark/.%s.crc" % name, "wb") as f:
        f.write(b"crc\0\0\0\2\0")
