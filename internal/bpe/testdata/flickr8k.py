"""Writes flickr8k.json: hashes of what OpenAI's tokenizer (with ftfy) makes of
every caption of Flickr8k, 1,000 captions a hash. Each caption is 77 ids (start
and end included, cut as CLIP cuts, padded with 0), little-endian int32.

    pip install ftfy==6.3.1 regex
    pip download clip-anytorch==2.6.0 --no-deps && unzip clip_anytorch-*.whl
    python3 flickr8k.py clip/simple_tokenizer.py DATA > flickr8k.json

DATA holds train/flickr8k-*.tar and val/flickr8k-*.tar (webdataset shards with
"captions" in each .json). Order: train before val, shards by name, members and
captions as stored.
"""

import glob
import hashlib
import importlib.util
import json
import struct
import sys
import tarfile

spec = importlib.util.spec_from_file_location("simple_tokenizer", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
tokenizer = module.SimpleTokenizer()


def captions():
    for pattern in ("train/flickr8k-*.tar", "val/flickr8k-*.tar"):
        for path in sorted(glob.glob(f"{sys.argv[2]}/{pattern}")):
            with tarfile.open(path) as shard:
                for member in shard:
                    if member.name.endswith(".json"):
                        yield from json.load(shard.extractfile(member))["captions"]


count, chunks, digest = 0, [], hashlib.sha256()
for caption in captions():
    ids = [49406] + tokenizer.encode(caption) + [49407]
    if len(ids) > 77:
        ids = ids[:76] + [49407]
    digest.update(struct.pack("<77i", *ids, *[0] * (77 - len(ids))))
    count += 1
    if count % 1000 == 0:
        chunks.append(digest.hexdigest())
        digest = hashlib.sha256()
if count % 1000:
    chunks.append(digest.hexdigest())

source = "Flickr8k captions (train, then dev), clip-anytorch 2.6.0 with ftfy 6.3.1"
print(json.dumps({"source": source, "captions": count, "chunks": chunks}, indent=1))
