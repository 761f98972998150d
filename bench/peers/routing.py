#!/usr/bin/env python3
"""Routing beside AWS event-ruler: same rules, same events, same answers, in one run.

    bench/peers/routing.py [--seconds 6] [--pairs 300000] [--seed 1] [--quick]

Builds both, writes the rules and events that both read, and prints a table: events per second of
one core (CPU time of the matching thread, best of several rounds after warming up; the collector of
Java's garbage is not counted), whether all matches of the first events are the same, and what rules
cost to take in. Then both answer about random events and rule sets; a difference that
docs/patterns.md does not list is a failure, and all of them go into build/peers/differences.tsv
for reading. Exit code 0 only if the answers agree and every ratio is 6 or more; 77 if event-ruler
cannot be had here.
"""
import argparse
import collections
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import divergences

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "bench/peers"
WORK = ROOT / "build/peers"
LOTS = ROOT / "third_party/data/simdjson/jsonexamples/sf_citylots.json.gz"
OURS = ROOT / "build/release/bench/bench_routing"
LEAST = 6.0
JAVA = ("java", "-XX:+UseSerialGC", "-Xmx6g", "-cp", f"{WORK}/classes:{WORK}/jars/*", "RoutingPeer")
OTHER_RULES = "rules that change each other's answers"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

CASES = [  # name, rules, events, how many events are compared
    ("S3 events, 5 rules", "s3-5", "s3", 5000),
    ("1,000 mixed", "s3-1000", "s3", 5000),
    ("10,000 mixed", "s3-10000", "s3", 3000),
    ("100,000 mixed", "s3-100000", "s3", 1000),
    ("city lots, 5 exact", "lots-exact", "lots", 5000),
    ("5 prefix", "lots-prefix", "lots", 5000),
    ("5 suffix", "lots-suffix", "lots", 5000),
    ("5 ignore-case", "lots-ignore-case", "lots", 5000),
    ("5 anything-but", "lots-anything-but", "lots", 5000),
    ("5 wildcard", "lots-wildcard", "lots", 5000),
    ("5 numeric", "lots-numeric", "lots", 2000),
    ("1,000 mixed lots", "lots-1000", "lots", 5000),
    ("10,000 mixed lots", "lots-10000", "lots", 3000),
    ("100,000 mixed lots", "lots-100000", "lots", 500),
]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], text=True, **options)
    if done.returncode != 0:
        sys.exit(f"bench-peers: {' '.join(map(str, command))}: exit {done.returncode}")
    return done


def check_hash(path):
    pins = dict(line.split() for line in (HERE / "peers.lock").read_text().splitlines()
                if not line.startswith("#"))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if pins.get(path.name) != found:
        sys.exit(f"bench-peers: {path.name} is not the file that bench/peers/peers.lock names "
                 f"(sha256 {found})")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def build():
    for tool in ("java", "javac", "mvn"):
        if not shutil.which(tool):
            skip(f"there is no {tool} here")
    run("cmake", "--build", "--preset", "release", "--target", "bench_routing", cwd=ROOT,
        stdout=subprocess.DEVNULL)
    jars = WORK / "jars"
    if not (jars / "event-ruler-2.1.0.jar").exists():
        WORK.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mvn", "-q", "-B", COPY, f"-DoutputDirectory={jars}"],
                              cwd=HERE / "event_ruler", capture_output=True, text=True)
        if done.returncode != 0:
            said = done.stdout.strip().splitlines() or ["?"]
            skip("Maven cannot fetch event-ruler: " + said[0])
    for jar in sorted(jars.glob("*.jar")):
        check_hash(jar)
    run("javac", "-nowarn", "-Xlint:none", "-cp", f"{jars}/*", "-d", WORK / "classes",
        HERE / "event_ruler/RoutingPeer.java", stderr=subprocess.DEVNULL)


def inputs():
    """The files both sides read; made once."""
    data = WORK / "data"
    lots = WORK / "lots.json"
    if not lots.exists():
        lots.write_bytes(gzip.decompress(LOTS.read_bytes()))
    data.mkdir(exist_ok=True)
    run(OURS, "inputs", data, lots)
    return data


def ours(data, rules, events, source, checked, seconds):
    done = run("taskset", "-c", "0", OURS, "run", data / f"{rules}.rules",
               data / f"{events}.events", source, checked, seconds, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def theirs(data, rules, events, checked, seconds):
    done = run(*JAVA, "run", data / f"{rules}.rules", data / f"{events}.events", checked, seconds,
                stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def speed(data, seconds):
    print("| rules (matches per event) | event-ruler 2.1.0 | from JSON | ratio | decoded "
          "| rules in, s: theirs / ours | MiB: theirs / ours |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    failures = []
    for name, rules, events, checked in CASES:
        text = ours(data, rules, events, "json", checked, seconds / 2)
        peer = theirs(data, rules, events, checked, seconds)
        again = ours(data, rules, events, "json", checked, seconds / 2)
        rate = max(text["rate"], again["rate"])
        decoded = "-"
        if events == "s3":
            found = ours(data, rules, events, "decoded", checked, seconds / 2)
            decoded = f"{found['rate'] / 1e6:.2f}M"
            if found["hash"] != text["hash"]:
                failures.append(f"{name}: decoded events match otherwise than JSON")
        ratio = rate / peer["rate"]
        if text["hash"] != peer["hash"]:
            failures.append(f"{name}: matches differ")
        if ratio < LEAST:
            failures.append(f"{name}: {ratio:.1f} times event-ruler, not {LEAST:.0f}")
        print(f"| {name} ({text['matches'] / checked:.2f}) | {peer['rate'] / 1e3:.1f}k "
              f"| {rate / 1e6:.2f}M | x{ratio:.1f} | {decoded} | {peer['compile_s']:.2f} / "
              f"{text['parse_s'] + text['compile_s']:.3f} | {max(0, peer['mib']):.0f} / "
              f"{text['mib']:.1f} |", flush=True)
    return failures


def ask(pairs, *program):
    """The answers of one side about pairs of a rule, alone, and an event."""
    asked = "".join(f"{rule}\t{event}\n" for rule, event in pairs)
    told = run(*program, "ask", input=asked, stdout=subprocess.PIPE).stdout.split()
    if len(told) != len(pairs):
        sys.exit(f"bench-peers: {len(pairs)} asked, {len(told)} answers of {program[-1]}")
    return told


def ask_ours(pairs):
    return ask(pairs, OURS)


def ask_theirs(pairs):
    return ask(pairs, *JAVA)


def differences(pairs, seed):
    """Tells the differences, and returns those that no divergence explains."""
    given = subprocess.Popen([OURS, "pairs", str(seed), str(pairs)], stdout=subprocess.PIPE)
    done = run(*JAVA, "pairs", stdin=given.stdout, stdout=subprocess.PIPE)
    if given.wait() != 0:
        sys.exit("bench-peers: bench_routing pairs failed")
    found, unknown = [], []
    for line in done.stdout.splitlines():
        kind, *rest = line.split("\t")
        if kind == "N":
            compared, matched = map(int, rest)
        elif kind == "X":
            unknown.append(f"refused by event-ruler alone: {rest[0]}: {rest[1]}")
        else:
            found.append(tuple(rest))
    asked = [(rule, event) for rule, event, _ in found]
    alone = []
    names = collections.Counter()
    listed = []
    for difference, ours, theirs in zip(found, ask_ours(asked), ask_theirs(asked), strict=True):
        if ours != difference[2]:
            unknown.append(f"our answer hangs on other rules: {difference}")
        elif theirs == ours:
            names[OTHER_RULES] += 1
            listed.append((OTHER_RULES, ours, *difference[:2]))
        else:
            alone.append(difference)
    for difference, why in zip(alone, divergences.explain(alone, ask_ours, ask_theirs),
                               strict=True):
        rule, event, ours = difference
        name = " and ".join(why) if why else "unknown"
        if not why:
            unknown.append(f"we say {ours} and event-ruler does not: {rule} on {event}")
        names[name] += 1
        listed.append((name, ours, rule, event))
    (WORK / "differences.tsv").write_text("".join("\t".join(one) + "\n" for one in sorted(listed)))
    print(f"\n{compared:,} pairs of an event and a rule set (seed {seed}), {matched:,} matches, "
          f"{len(found):,} answers of single rules differ")
    for name, count in names.most_common():
        print(f"  {count:6} {name}")
    return unknown


def main():
    arguments = argparse.ArgumentParser(description=__doc__,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=6)
    arguments.add_argument("--pairs", type=int, default=300_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--quick", action="store_true", help="one second and 20,000 pairs")
    options = arguments.parse_args()
    if options.quick:
        options.seconds, options.pairs = 1, 20_000
    os.chdir(ROOT)
    build()
    failures = speed(inputs(), options.seconds) if options.seconds > 0 else []
    unknown = differences(options.pairs, options.seed)
    for line in failures + unknown[:20]:
        print(f"FAILED {line}")
    if len(unknown) > 20:
        print(f"FAILED and {len(unknown) - 20} more differences")
    if failures or unknown:
        sys.exit(1)


if __name__ == "__main__":
    main()
