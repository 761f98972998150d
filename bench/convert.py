#!/usr/bin/env python3
"""JSON lines -> Parquet: headrace beside DuckDB, Polars and pyarrow, whole processes, pinned to one
core in one run; `headrace convert` itself, on all cores, for the memory it takes with helpers.

    cmake --build build/release --target bench_convert headrace
    bench/convert.py [--build build/release] [--bytes 300000000] [--rounds 3] [FILE...]

Without FILE: 300 MB of log-like lines; the San Francisco city lots, nested GeoJSON with its few
MultiPolygons among the Polygons; as many copies of real webhook payloads as half of the bytes hold
(copies pack well, so that only ratios say something there). Rounds alternate between the programs;
the table shows the least CPU time of each, the ratio to DuckDB with the same codec, output and peak
memory. Then DuckDB and `headrace convert` on all cores, by the clock: a quiet machine is needed for
that. DuckDB's automatic schema fails on the whole city lots; the variant that takes them looks at
every row first (sample_size = -1). Polars and pyarrow take part if --python has them.
"""
import argparse
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOOKS = ROOT / "third_party/data/octokit-webhooks-examples"
LOTS = ROOT / "third_party/data/simdjson/jsonexamples/sf_citylots.json.gz"
PYTHON = ROOT / "third_party/python/bin/python"
VARIANTS = [  # program, its codec argument, the DuckDB variant to compare with
    ("duckdb", "zstd", None), ("duckdb", "zstd1", None), ("duckdb", "snappy", None),
    ("headrace", "zstd", "zstd"), ("headrace", "snappy", "snappy"),
    ("convert", "zstd", "zstd"), ("convert", "snappy", "snappy"),
    ("polars", "zstd", "zstd"), ("polars", "snappy", "snappy"),
    ("pyarrow", "zstd", "zstd"), ("pyarrow", "snappy", "snappy"),
]
OTHERS = {
    "polars": """
import sys, polars
source, target, codec = sys.argv[1:]
polars.read_ndjson(source).write_parquet(target, compression=codec)
""",
    "pyarrow": """
import sys, pyarrow.json, pyarrow.parquet
source, target, codec = sys.argv[1:]
pyarrow.set_cpu_count(1)
table = pyarrow.json.read_json(source, pyarrow.json.ReadOptions(use_threads=False))
pyarrow.parquet.write_table(table, target, compression=codec)
"""}


def command_of(program, build, python):
    """The program and what stands before its arguments IN OUT CODEC; None if it is not there."""
    if program in OTHERS:
        if not python.exists():
            return None
        has = subprocess.run([python, "-c", f"import {program}"], stderr=subprocess.DEVNULL)
        return [str(python), "-c", OTHERS[program]] if has.returncode == 0 else None
    if program == "convert":
        verb = build.parent / "src/cli/headrace"
        return [str(verb), "convert", "--force"] if verb.exists() else None
    return [str(build / f"convert_{program}")]


def measure(core, command):
    """CPU seconds (user, system) and peak memory of one whole process on one core, or on all if
    `core` is None. On a core that nobody else uses, that is the time it takes."""
    environment = os.environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    child = subprocess.Popen([*pinned, *command], env=environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        return None
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(source, build, python, core, rounds, scratch):
    size = source.stat().st_size
    best = {}
    commands = {program: command_of(program, build, python) for program, _, _ in VARIANTS}
    variants = [(program, codec) for program, codec, _ in VARIANTS if commands[program]]
    for _ in range(rounds):
        for program, codec in variants:
            if best.get((program, codec), 0) is None:
                continue  # It failed.
            out = scratch / f"{program}-{codec}.parquet"
            verb = program == "convert"
            found = measure(None if verb else core,
                            [*commands[program], str(source), str(out),
                             *(["--codec", codec] if verb else [codec])])
            if found is None and program == "duckdb":
                found = measure(core, [*commands[program], str(source), str(out), codec, "all"])
            if found is None:
                best[(program, codec)] = None
                continue
            known = best.get((program, codec))
            if known is None or found[0] < known[0]:
                best[(program, codec)] = (*found, out.stat().st_size)
            out.unlink()
    print(f"{source.name}: {size / 1e6:.0f} MB, core {core}, best of {rounds}")
    print(f"{'program':<18}{'MB/s':>8}{'x DuckDB':>10}{'output MB':>11}{'x DuckDB':>10}"
          f"{'peak MB':>9}")
    for program, codec, against in VARIANTS:
        if not commands[program]:
            continue
        result = best[(program, codec)]
        if result is None:
            print(f"{program + ' ' + codec:<18}  failed")
            continue
        seconds, memory, output = result
        base = best.get(("duckdb", against)) if against else None
        speed = f"{base[0] / seconds:.2f}" if base else "-"
        ratio = f"{output / base[2]:.2f}" if base else "-"
        print(f"{program + ' ' + codec:<18}{size / 1e6 / seconds:>8.0f}{speed:>10}"
              f"{output / 1e6:>11.2f}{ratio:>10}{memory:>9.0f}")


def race(source, build, rounds, scratch):
    """DuckDB and the verb with all cores for one file: seconds by the clock."""
    cores = len(os.sched_getaffinity(0))
    out = scratch / "race.parquet"
    duckdb = [*command_of("duckdb", build, None), str(source), str(out), "zstd"]
    verb = [*command_of("convert", build, None), str(source), str(out), "--codec", "zstd"]
    environment = os.environ | {"THREADS": str(cores)}

    def time_of(command):
        begun = time.monotonic()
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        return time.monotonic() - begun if done.returncode == 0 else None

    if time_of(duckdb) is None:
        duckdb.append("all")
    theirs, ours = zip(*[(time_of(duckdb), time_of(verb)) for _ in range(rounds)])
    if None in theirs + ours:
        print("on all cores: failed")
        return
    size = source.stat().st_size / 1e6
    print(f"on {cores} cores by the clock, zstd: duckdb {size / min(theirs):.0f} MB/s, "
          f"convert {size / min(ours):.0f} MB/s, {min(theirs) / min(ours):.2f} x DuckDB")


def make_logs(path, build, size):
    with path.open("wb") as out:
        subprocess.run([build / "generate_logs", str(size)], stdout=out, check=True)
    return path


def make_hooks(path, size):
    """Every payload once, again and again."""
    payloads = "".join(json.dumps(example, ensure_ascii=False) + "\n"
                       for file in sorted(HOOKS.glob("*/index.json"))
                       for kind in json.loads(file.read_text()) for example in kind["examples"])
    block = payloads.encode()
    with path.open("wb") as out:
        for _ in range(max(1, size // len(block))):
            out.write(block)
    return path


def make_lots(path):
    """The features of the collection, a line each, as they are spelled there."""
    with gzip.open(LOTS, "rt") as source, path.open("w") as out:
        for line in source:
            if line.startswith('{ "type": "Feature"'):
                out.write(line.rstrip("\n,") + "\n")
    return path


def main():
    arguments = argparse.ArgumentParser(description=__doc__,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    arguments.add_argument("--python", type=pathlib.Path, default=PYTHON,
                           help="one that has pyarrow and polars")
    arguments.add_argument("--bytes", type=int, default=300_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    given = arguments.parse_args()
    build = given.build / "bench"
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        scratch = pathlib.Path(folder)
        files = given.files
        if not files:
            files = [make_logs(scratch / "logs.jsonl", build, given.bytes)]
            if LOTS.is_file():
                files.append(make_lots(scratch / "lots.jsonl"))
            if HOOKS.is_dir():
                files.append(make_hooks(scratch / "hooks.jsonl", given.bytes // 2))
        for file in files:
            subprocess.run(["cat", file], stdout=subprocess.DEVNULL, check=True)  # Page cache.
            compare(file, build, given.python, given.core, given.rounds, scratch)
            race(file, build, given.rounds, scratch)


if __name__ == "__main__":
    sys.exit(main())
