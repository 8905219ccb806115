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
    totals = {"Match": 0.0, "ParseAndMatch": 0.0, "FromText": 0.0}
    count = 0
    for line in open(os.path.join(directory, "cases.jsonl")):
        case = json.loads(line)
        if case["matches"] == "error":
            continue
        count += 1
        text, version = case["pattern"], case["stix_version"]
        with open(os.path.join(directory, case["observations"])) as source:
            observed = source.read()
        observations = json.loads(observed)
        compiled = Pattern(text, version)
        # The reference changes the lists it is given, so each run needs its own.
        copies = iter(lambda: json.loads(observed), None)
        totals["Match"] += best(lambda given=copies: compiled.match(next(given)))
        loading = best(lambda: json.loads(observed))
        totals["Match"] -= loading
        totals["ParseAndMatch"] += best(lambda: Pattern(text, version).match(json.loads(observed))) - loading
        totals["FromText"] += best(lambda: Pattern(text, version).match(json.loads(observed)))
        del observations
    for name, seconds in totals.items():
        print(name, round(seconds * 1e9 / count), count)


if __name__ == "__main__":
    main()
