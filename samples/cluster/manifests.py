#!/usr/bin/env python3
"""The manifests of a run in shards.

manifests.py fold OUT              merges OUT/manifests/K.jsonl into OUT/manifest.jsonl: the last line of each input and output
manifests.py deal OUT LIST SHARDS  folds, then writes to OUT/manifests/K.jsonl the lines of the inputs in the K-th slice of LIST
"""
import json
import os
import pathlib
import sys


def read(manifest):
    """The last line of each input and output. A line that a crash cut off is ignored."""
    lines = {}
    if manifest.exists():
        for line in manifest.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
                lines[entry["input"], entry["output"]] = line + b"\n"
            except (ValueError, KeyError, TypeError):
                pass
    return lines


def fold(out):
    merged = read(out / "manifest.jsonl")
    news = {}
    for shard in sorted((out / "manifests").glob("*.jsonl"), key=lambda path: int(path.stem)):
        # A line that was dealt is not new: another shard may have filtered its input since.
        news.update((key, line) for key, line in read(shard).items() if merged.get(key) != line)
    merged.update(news)
    partial = out / "manifest.jsonl.partial"
    with open(partial, "wb") as file:
        file.writelines(merged.values())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, out / "manifest.jsonl")
    return merged


def deal(out, names, shards):
    known = {}
    for (name, _), line in fold(out).items():
        known.setdefault(name, []).append(line)
    for shard in (out / "manifests").glob("*.jsonl"):
        if int(shard.stem) > shards:
            shard.unlink()
    for k in range(1, shards + 1):
        part = names[len(names) * (k - 1) // shards : len(names) * k // shards]  # as convtool --shard slices
        with open(out / "manifests" / f"{k}.jsonl", "wb") as file:
            file.writelines(line for name in part for line in known.get(name, []))


if __name__ == "__main__":
    command, out = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "fold":
        fold(out)
    else:
        listed = pathlib.Path(sys.argv[3]).read_bytes().split(b"\0")
        deal(out, [name.decode(errors="replace") for name in listed if name], int(sys.argv[4]))
