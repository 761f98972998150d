#!/usr/bin/env python3
"""JSON lines -> Parquet: headrace beside DuckDB, whole processes, pinned to one core in one run.

    cmake --build build/release --target bench_convert
    bench/convert.py [--build build/release] [--bytes 300000000] [--rounds 3] [FILE...]

Without FILE it makes 300 MB of log-like lines, and as many copies of real webhook payloads as half
of that holds: copies pack well, so that only the ratio to DuckDB says something there. Rounds
alternate between the programs; the table shows the least CPU time of each, the ratio to DuckDB
with the same codec, output and peak memory.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HOOKS = (pathlib.Path(__file__).resolve().parent.parent
         / "third_party/data/octokit-webhooks-examples")
VARIANTS = [  # program, its codec argument, the DuckDB variant to compare with
    ("duckdb", "zstd", None), ("duckdb", "zstd1", None), ("duckdb", "snappy", None),
    ("headrace", "zstd", ("duckdb", "zstd")), ("headrace", "snappy", ("duckdb", "snappy")),
]


def measure(core, program, *arguments):
    """CPU seconds (user, system) and peak memory of one whole process on one core. On a core that
    nobody else uses, that is the time it takes."""
    child = subprocess.Popen(["taskset", "-c", str(core), program, *arguments],
                             stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        return None
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(source, build, core, rounds, scratch):
    size = source.stat().st_size
    best = {}
    for _ in range(rounds):
        for program, codec, _ in VARIANTS:
            out = scratch / f"{program}-{codec}.parquet"
            found = measure(core, build / f"convert_{program}", str(source), str(out), codec)
            key = (program, codec)
            if found is None:
                best.setdefault(key, None)
                continue
            known = best.get(key)
            if known is None or found[0] < known[0]:
                best[key] = (*found, out.stat().st_size)
    print(f"{source.name}: {size / 1e6:.0f} MB, core {core}, best of {rounds}")
    print(f"{'program':<18}{'MB/s':>8}{'x DuckDB':>10}{'output MB':>11}{'x DuckDB':>10}"
          f"{'peak MB':>9}")
    for program, codec, against in VARIANTS:
        result = best[(program, codec)]
        if result is None:
            print(f"{program + ' ' + codec:<18}  failed")
            continue
        seconds, memory, output = result
        base = best.get(against) if against else None
        speed = f"{base[0] / seconds:.2f}" if base else "-"
        ratio = f"{output / base[2]:.2f}" if base else "-"
        print(f"{program + ' ' + codec:<18}{size / 1e6 / seconds:>8.0f}{speed:>10}"
              f"{output / 1e6:>11.2f}{ratio:>10}{memory:>9.0f}")


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


def main():
    arguments = argparse.ArgumentParser(description=__doc__,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
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
            if HOOKS.is_dir():
                files.append(make_hooks(scratch / "hooks.jsonl", given.bytes // 2))
        for file in files:
            subprocess.run(["cat", file], stdout=subprocess.DEVNULL, check=True)  # Page cache.
            compare(file, build, given.core, given.rounds, scratch)


if __name__ == "__main__":
    sys.exit(main())
