#!/usr/bin/env python3
"""Time stix2-matcher on a suite of pattern cases. Usage: reference.py DIRECTORY

Prints one line "NAME NANOSECONDS CASES" for each way of measuring, the same
ways as the Go benchmarks of stix/pattern. Each case is run for at least 50 ms or three
times, the best time counts.
"""

import json
import os
import sys
import time

from stix2matcher.matcher import Pattern


def best(work):
    fastest, spent, runs = float("inf"), 0.0, 0
    while runs < 3 or spent < 0.05:
        start = time.perf_counter()
        work()
        took = time.perf_counter() - start
        fastest, spent, runs = min(fastest, took), spent + took, runs + 1
        if spent > 5:
            break
    return fastest


def main():
    directory = sys.argv[1]
    totals, counts = {}, {}
    for line in open(os.path.join(directory, "cases.jsonl")):
        case = json.loads(line)
        if case["matches"] == "error":
            continue
        text, version = case["pattern"], case["stix_version"]
        with open(os.path.join(directory, case["observations"])) as source:
            observed = source.read()
        compiled = Pattern(text, version)
        # The reference changes the lists it is given, so each run reads its own;
        # reading is then taken off where it is not measured.
        loading = best(lambda: json.loads(observed))
        whole = best(lambda: Pattern(text, version).match(json.loads(observed)))
        took = {
            "Match": best(lambda: compiled.match(json.loads(observed))) - loading,
            "ParseAndMatch": whole - loading,
            "FromText": whole,
        }
        groups = ["all"] if "combinatorial" in case["id"] else ["all", "plain"]
        for group in groups:
            for name, seconds in took.items():
                key = name + "/" + group
                totals[key] = totals.get(key, 0.0) + seconds
                counts[key] = counts.get(key, 0) + 1
    for key, seconds in totals.items():
        print(key, round(seconds * 1e9 / counts[key]), counts[key])


if __name__ == "__main__":
    main()
