#!/usr/bin/env python3
"""Mutates STIX objects and compares this project's verdicts with the OASIS validator's.

Usage: mutate.py STIXDIFF_BINARY SEEDS.jsonl COUNT [RANDOM_SEED]

SEEDS.jsonl has one {"object": …, "options": […]} a line. Needs stix2-validator with its schemas. Prints the mutants on
which the two disagree, grouped by what was said, and how many were compared.
"""
import collections
import copy
import json
import logging
import random
import subprocess
import sys

from stix2validator import ValidationOptions, validate_parsed_json
from stix2validator.errors import ValidationError

logging.disable(logging.CRITICAL)

VALUES = [None, True, False, 0, 1, -1, 1.5, 5.0, 70000, 10**17, "", "foo", "Foo Bar", "foo_bar", "x_foo", [], {}, [""], ["foo"],
          [1], {"a": 1}, {"foo": "bar"}, {"foo": []}, [{}], ["foo", "bar"],
          "2016-01-01T00:00:00Z", "2016-01-01T00:00:00.000Z", "2016-13-01T00:00:00.000Z", "2016-02-30T00:00:00.000Z",
          "2099-01-01T00:00:00.123456789Z", "1999-12-31T23:59:60Z", "2016-01-01 00:00:00", "2016-01-01T00:00:00+00:00",
          "identity--b67d30ff-02ac-498a-92f9-32f845f448cf", "file--b67d30ff-02ac-598a-92f9-32f845f448cf",
          "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "malware--b67d30ff-02ac-498a-92f9-32f845f448c",
          "relationship--b67d30ff-02ac-498a-92f9-32f845f448cf", "identity--B67D30FF-02AC-498A-92F9-32F845F448CF",
          "identity--b67d30ff-02ac-698a-92f9-32f845f448cf", "http://example.com/a?b=c#d", "http://exa mple.com", "example.com",
          "xn--bcher-kva.example", "bücher.example", "a_b.example", "-a.example", "1.2.3.4", "1.2.3.4/33", "01.2.3.4", "::1",
          "fe80::1%eth0", "2001:db8::/129", "00:11:22:33:44:55", "AA:11:22:33:44:55", "a@b.example", "a@b", "abcd", "abc", "TWFu",
          "en", "eng", "english", "ar-SA", "application/pdf", "foo/bar", "utf-8", "UTF-8", "AF_INET", "SO_DEBUG", "exe", "unix",
          "CVE-2020-1234", "CAPEC-12", "cve", "capec", "d41d8cd98f00b204e9800998ecf8427e", "HKLM\\Foo",
          "HKEY_LOCAL_MACHINE\\Foo", "cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*", "cpe:2.3:a:b", "[file:name = 'a']", "stix", "low"]
NAMES = ["foo", "x_foo", "x_foo_bar", "Foo", "fo", "id2", "foo_bin", "foo_hex", "severity", "action", "username", "defanged",
         "labels", "lang", "confidence", "revoked", "created", "modified", "name", "hashes", "extensions", "object_marking_refs",
         "external_references", "granular_markings", "spec_version", "description", "aliases", "url", "MD5", "SHA-256", "x_y", "a-b",
         "foo.bar", "foo!bar"]


# Where the specification is stricter than the reference, and this project follows the specification.
STRICTER = ["the identifier of this object begins with", "must refer to", "is no identifier: type--UUID", "is an object, not",
            "a bundle holds objects, not bundles", "objects is a list", "of at most 54 bits", "defanged is for observables only",
            "an environment variable's value", "created_by_ref is required", "must not be empty"]


def options(names, strict):
    kw = dict(n.split("=", 1) if "=" in n else (n, True) for n in names)
    if not strict:
        kw.pop("strict", None)
    return ValidationOptions(silent=True, **kw)


def reference(obj, names, strict):
    try:
        r = validate_parsed_json(copy.deepcopy(obj), options(names, strict))
        return r.is_valid, [str(e) for e in r.errors]
    except ValidationError as e:
        return False, [str(e)]
    except Exception as e:  # the reference itself fails on some broken objects
        return None, [repr(e)]


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for k in value:
            yield from places(value[k], path + (k,))
    elif isinstance(value, list):
        for i in range(len(value)):
            yield from places(value[i], path + (i,))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def mutate(rng, seed):
    obj = copy.deepcopy(seed)
    path = rng.choice([p for p in places(obj)])
    here = at(obj, path)
    if isinstance(here, dict) and rng.random() < 0.6:
        here[rng.choice(NAMES)] = copy.deepcopy(rng.choice(VALUES))
        return obj
    if not path:
        return obj
    parent, last = at(obj, path[:-1]), path[-1]
    kind = rng.random()
    if kind < 0.25:
        del parent[last]
    elif kind < 0.35 and isinstance(parent, dict):
        parent[rng.choice(NAMES)] = parent.pop(last)
    elif kind < 0.45 and isinstance(here, str) and here:
        i = rng.randrange(len(here))
        parent[last] = here[:i] + rng.choice("aZ0-_. /:é\\") + here[i + rng.randrange(2):]
    elif kind < 0.55 and isinstance(here, list):
        here.append(copy.deepcopy(rng.choice(VALUES)))
    else:
        parent[last] = copy.deepcopy(rng.choice(VALUES))
    return obj


def main():
    binary, seeds, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    seeds = [json.loads(line) for line in open(seeds)]
    mutants = []
    for _ in range(count):
        seed = rng.choice(seeds)
        mutants.append({"object": mutate(rng, seed["object"]), "options": seed["options"]})
    lines = "".join(json.dumps(m) + "\n" for m in mutants)
    out = subprocess.run([binary], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    groups, compared, crashed, stricter = collections.defaultdict(list), 0, 0, 0
    for m, line in zip(mutants, out):
        if not isinstance(m["object"], dict) or m["object"].get("type") != m["object"].get("type"):
            continue
        ours = json.loads(line)
        for level, strict in (("must", False), ("strict", True)):
            verdict, errors = reference(m["object"], m["options"], strict)
            if verdict is None:
                crashed += 1
                if ours[level]:
                    groups["reference fails: " + errors[0][:60]].append((m, ours, errors))
                continue
            compared += 1
            if verdict != ours[level]:
                if verdict and all(any(s in f for s in STRICTER) for f in ours.get("findings", []) if "MUST" in f):
                    stricter += 1
                    break
                said = errors[0] if errors else "; ".join(ours.get("findings", []))
                key = f"{level}: reference {verdict}: " + " ".join(said.split()[1:14] if not errors else said.split()[:16])[:110]
                groups[key].append((m, ours, errors))
                break
    for key, examples in sorted(groups.items(), key=lambda g: -len(g[1])):
        m, ours, errors = min(examples, key=lambda e: len(json.dumps(e[0])))
        print(f"{len(examples):5d} {key}\n      {json.dumps(m, ensure_ascii=False)[:1500]}\n      ours {ours.get('findings')}\n      ref  {errors[:3]}")
    print(f"{compared} verdicts compared, {sum(map(len, groups.values()))} differ, {stricter} by known rules of the specification, the reference failed on {crashed}")


if __name__ == "__main__":
    main()
