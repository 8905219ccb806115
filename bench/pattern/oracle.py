#!/usr/bin/env python3
"""Make random patterns and observations, ask the OASIS programs for verdicts.

Usage: oracle.py SEED COUNT DIRECTORY

Needs the PyPI packages stix2-matcher and stix2-patterns. Writes a suite
(cases.jsonl, validity.jsonl, observations/) that the tests of stix/pattern read
when STIX_PATTERN_SUITE names its directory. Cases that take the reference
longer than two seconds are left out.
"""

import json
import os
import random
import signal
import sys

from stix2matcher.matcher import match
from stix2patterns.validator import validate

BASE = 1_000_000_000  # 2001-09-09T01:46:40Z


class TooSlow(Exception):
    """The reference did not answer in time."""


def stamp(seconds):
    import datetime
    moment = datetime.datetime.fromtimestamp(BASE + seconds, datetime.timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if moment.microsecond:
        text += ("." + "%06d" % moment.microsecond).rstrip("0")
    return text + "Z"


VALUES = [
    5, 0, 1, -3, 10**20, 12.5, 5.0, 0.1, True, False, None, "", "hello", "HELLO", "he\nllo", "hello\n",
    "a%b_c", "\u1e0d\u0307", "\u1e0b\u0323", "d\u0323\u0307", "\u0103lice", "caf\u00e9", "5", "true",
    "10.1.2.3", "10.1.0.0/16", "10.0.0.0/8", "300.1.1.1", "1.2.3", "0x0a.1", "10.1.0.0/0",
    stamp(0), stamp(10.25), "2001-9-9T1:46:40Z", "2001-09-09 01:46:40Z", "2001-02-30T00:00:00Z",
    [], [1, 2, 3], ["a", "b"], {}, {"x": 1}, {"x": {"y": [5, "hello"]}}, "foo.bar", "x\\y", "it's",
    "9999999999", 1e300, 2**53, 2**53 + 1, float(2**53), "\u00df", "K", "k", "ab12", "AB_12", "\t",
]
HEX = ["616c696365", "", "00ff", "616C", "6", "zz", 5, None, "c3a9", "ff"]
BASE64 = ["YWxpY2U=", "", "AP8=", "YWxpY2U", "Y", "Y!W!xp Y2U=", "YQ==extra", "=YQ=", "YQ=a=", 7, "w6k="]
NAMES = ["int", "str", "list", "d", "has-hyphen", "x_hex", "y_bin", "a_ref", "b_refs", "flag"]
REGEXES = [
    "l+", "^he", "lo$", "^hello$", "^$", "", ".", "^.*$", "h.llo", "(?i)HELLO", "(?s)he.llo", "(?m)^llo$", "[a-e]+",
    "[^a-z]", r"\d+", r"^\w+$", r"\W", r"\s", r"\bhe", r"\Bl", "a|b|", "(hello)", "(?:he){1,2}llo", "x{0}", "l{2}", "l{3,}",
    "l{,2}o", "l{a}", "[", "(", "*", "a**", "a{2}{3}", "(?=he)h", "(?!he)", "(?<=l)o", "(?<!l)o$", "(?<=l*)o", r"\x61",
    r"\u0068", r"\141", r"\101", r"\q", "[a-\\d]", "[]a]", "[^]a]", r"\Z", r"\Ahello\Z", "lo\n$", "$\n", "hello$\n?", r"^\u1e0d",
    "\u1e0d", "\u0103", "\u00e9", "(?a)\\w", "(?i)\u00c9", "(?i)k", "(?i)[k-l]", "(?i)ss", "(?i:H)ello", "(?-i:h)", "(?P<n>h)",
    "(?x) h e # c", "h(?#comment)e", "he(?i)", r"[\b]", r"[\w.]+", "^(?:a|he)(l|x)+o", r"\.", r"\-", "{", "}", "]", "a]", "{}",
    "^[\\x00-\\xff]*$", "[\\x80-\\xff]", "(?=.*o)(?=.*h).", "^(?!.*z).*$", "l(?=o)", "(?<=he)(?<!x)l", "^|x$", "\\\\",
    r"^\S+$", r"\D", "[[:alpha:]]", "(a*)*b", "(a|aa)+$", "+", "?", "a|*", "(|a)", "()", "(?:)*", "^*", "$?", r"\b*", "(?=a)*",
]
LIKES = ["he%", "%lo", "%l%", "h_llo", "hello", "%", "", "_", "_____", "%\n%", "he\nllo", "%%", "\u1e0d\u0307", "d%", "a\\%b", "HE%",
         "%e%l%o", "h%z", "a%b_c", "caf_", "\u0103%", "10.%", "hello\n", "h_\nllo"]
NETS = ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "10.1.2.3/33", "10.0.0.0/0", "x", "10.1/16", "", "10.1.0.0/16", "10.1.2.0/+8", "0x0a.1/8"]
ORDER = ["=", "!=", "<", "<=", ">", ">=", "==", "<>"]


def quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def value(self):
        return self.r.choice(VALUES)

    def object(self, ids, kind):
        r = self.r
        out = {"type": kind, "name": r.choice(["alice", "bob", "carol"]), "age": r.randint(0, 5)}
        for name in r.sample(NAMES, r.randint(0, 4)):
            if name.endswith("_hex"):
                out[name] = r.choice(HEX[:4] if r.random() < .8 else HEX)
            elif name.endswith("_bin"):
                out[name] = r.choice(BASE64[:3] if r.random() < .6 else BASE64)
            elif name.endswith("_ref"):
                out[name] = r.choice(ids + ["nowhere"]) if r.random() < .95 else 5
            elif name.endswith("_refs"):
                out[name] = [r.choice(ids + ["nowhere"]) for _ in range(r.randint(0, 3))]
            elif name == "list":
                out[name] = [self.value() for _ in range(r.randint(0, 3))]
            elif name == "d":
                out[name] = {n: self.value() for n in r.sample(["x", "has.dot", "MD5", "y"], 2)}
            elif name == "flag":
                out[name] = r.random() < .5
            else:
                out[name] = self.value()
        return out

    def times(self, spread, intervals):
        r = self.r
        first = r.randint(0, spread) if r.random() < .8 else r.randint(0, spread * 4) / 4
        last = first + (r.choice([0, 0, 1, 2, 5, .5]) if intervals else 0)
        return first, last

    def observations(self, version, count, rich):
        r = self.r
        out = []
        intervals = r.random() < .5
        spread = r.choice([2, 6, 20])
        many = r.random() < .3
        for i in range(count):
            first, last = self.times(spread, intervals)
            data = {
                "type": "observed-data",
                "first_observed": stamp(first),
                "last_observed": stamp(last),
                "number_observed": r.randint(1, 3) if many else 1,
            }
            kinds = ["t"] * r.randint(1, 2) + r.choice([[], ["u-v"]])
            if version == "2.1":
                ids = ["%s--%d-%d" % (k, i, j) for j, k in enumerate(kinds)]
            else:
                ids = [str(j) for j in range(len(kinds))]
            objects = [self.object(ids, k) if rich else
                       {"type": k, "name": r.choice(["alice", "bob", "carol"]), "age": r.randint(0, 5)} for k in kinds]
            if version == "2.0":
                data["objects"] = dict(zip(ids, objects))
                data["id"] = "observed-data--%d" % i
                out.append(data)
                continue
            for id_, o in zip(ids, objects):
                o["id"] = id_
            data.update(id="observed-data--%d" % i, spec_version="2.1",
                        object_refs=[x for x in ids if r.random() < .95])
            out.append({"type": "bundle", "id": "bundle--%d" % i, "objects": [data] + objects})
        return out

    def constant(self, order=False):
        r = self.r
        kind = r.choice("iifsssthb" + ("" if order else "o"))
        if kind == "i":
            return r.choice(["5", "0", "1", "-3", "+5", "100000000000000000000", "9007199254740993", "2"])
        if kind == "f":
            return r.choice(["12.5", "5.0", ".1", "-.5", "+1.0", "9007199254740992.0"])
        if kind == "s":
            strings = [v for v in VALUES if isinstance(v, str)]
            return quote(r.choice(strings))
        if kind == "t":
            return "t'" + r.choice([stamp(0), stamp(10.25), stamp(5), "2001-02-30T00:00:00Z", "2001-09-09T01:46:40.0000009Z",
                                    "0000-01-01T00:00:00Z", "2001-01-01T00:00:60Z"] if r.random() < .3 else [stamp(0), stamp(3)]) + "'"
        if kind == "h":
            return "h'" + r.choice(["616c696365", "", "00ff", "616C"]) + "'"
        if kind == "b":
            return "b'" + r.choice(["YWxpY2U=", "AP8=", "YWxp"]) + "'"
        return r.choice(["true", "false"])

    def path(self):
        r = self.r
        kind = r.choice(["t"] * 6 + ["u-v"])
        steps = r.choice(["int", "str", "str", "list[*]", "list[0]", "list[1]", "list", "d.x", "d.'has.dot'", "d", "'has-hyphen'",
                          "x_hex", "y_bin", "a_ref.name", "a_ref.str", "a_ref", "b_refs[*].name", "b_refs[0].str", "b_refs",
                          "b_refs[*].b_refs[*].name", "flag", "list[*].x.y[*]", "d.x.x.y[1]", "list[-1]", "a_ref.a_ref.x_hex", "name",
                          "list[*][*]", "name.x", "id", "type"])
        return kind + ":" + steps

    def rich_comparison(self):
        r = self.r
        path = self.path()
        negation = r.choice(["", "", " NOT"])
        kind = r.random()
        if kind < .3:
            return "%s%s %s %s" % (path, negation, r.choice(["=", "!=", "==", "<>"]), self.constant())
        if kind < .5:
            return "%s%s %s %s" % (path, negation, r.choice(["<", "<=", ">", ">="]), self.constant(True))
        if kind < .62:
            first = self.constant()
            members = [first]
            for _ in range(r.randint(0, 3)):
                for _ in range(20):
                    c = self.constant()
                    if r.random() < .03 or self.kind(c) == self.kind(first):
                        members.append(c)
                        break
            return "%s%s IN (%s)" % (path, negation, ", ".join(members))
        if kind < .72:
            return "%s%s LIKE %s" % (path, negation, quote(r.choice(LIKES)))
        if kind < .9:
            return "%s%s MATCHES %s" % (path, negation, quote(r.choice(REGEXES)))
        if kind < .98:
            return "%s%s %s %s" % (path, negation, r.choice(["ISSUBSET", "ISSUPERSET"]), quote(r.choice(NETS)))
        return "EXISTS " + path

    @staticmethod
    def kind(c):
        if c in ("true", "false"):
            return "o"
        if c[0] in "thb":
            return c[0] if c[0] == "t" else "b"
        return "s" if c[0] == "'" else "n"

    def simple_comparison(self):
        r = self.r
        return r.choice([
            "t:age %s %d" % (r.choice(ORDER), r.randint(0, 5)),
            "t:name = '%s'" % r.choice(["alice", "bob", "carol"]),
            "t:name != '%s'" % r.choice(["alice", "bob", "carol"]),
            "t:age IN (%d, %d)" % (r.randint(0, 5), r.randint(0, 5)),
            "t:name LIKE '%'",
        ])

    def comparisons(self, make, depth=2):
        r = self.r
        if depth == 0 or r.random() < .6:
            return make()
        parts = [self.comparisons(make, depth - 1) for _ in range(r.randint(2, 3))]
        out = "".join(p if i == 0 else r.choice([" AND ", " OR "]) + p for i, p in enumerate(parts))
        return "(" + out + ")" if r.random() < .5 else out

    def qualifier(self):
        r = self.r
        kind = r.random()
        if kind < .4:
            return " WITHIN %s SECONDS" % r.choice(["1", "2", "3", "5", "0.5", ".25", "10", "1.0000004"])
        if kind < .75:
            return " REPEATS %d TIMES" % r.choice([1, 2, 2, 2, 3, 3, 4])
        start = r.randint(-2, 10)
        return " START t'%s' STOP t'%s'" % (stamp(start), stamp(start + r.choice([0, 1, 3, 5, 10, -1])))

    def expression(self, make, depth):
        r = self.r
        if depth == 0 or r.random() < .3:
            out = "[" + self.comparisons(make, 1) + "]"
        else:
            parts = [self.expression(make, depth - 1) for _ in range(r.randint(2, 3))]
            operators = [" AND ", " OR ", " FOLLOWEDBY "]
            out = "".join(p if i == 0 else r.choice(operators) + p for i, p in enumerate(parts))
            out = "(" + out + ")"
        while r.random() < .35:
            out += self.qualifier()
        return out

    def mutated(self, text):
        r = self.r
        text = list(text)
        for _ in range(r.randint(1, 2)):
            at = r.randrange(len(text) + 1)
            action = r.random()
            if action < .4 and at < len(text):
                del text[at]
            elif action < .7:
                text.insert(at, r.choice("'\"[]()=<>!.,:-+*/\\ \n0123tbhT\u00a0\u200b_%"))
            elif at < len(text):
                at2 = r.randrange(len(text))
                text[at], text[at2] = text[at2], text[at]
        return "".join(text)


WORDS = ["[", "]", "(", ")", "a:b", "a-b:c", "x:'q r'", "=", "!=", "<", ">=", "IN", "NOT", "LIKE", "MATCHES", "EXISTS", "AND", "OR",
         "FOLLOWEDBY", "WITHIN", "REPEATS", "TIMES", "SECONDS", "START", "STOP", "5", "-5", "1.5", "'s'", "t'2020-01-01T00:00:00Z'",
         "h'00'", "b'AAAA'", "b''", "h''", "b'A'", "h'0'", "true", ".", "[*]", "[0]", "/*c*/", "//c\n", "/*", "+1", "00", "1.", "''",
         "and", "b'AA=='", "b'AAA='", "b'A==='", "[+1]", "[-1]", "LAST", "true:x", "t:true"]


def reference(pattern, observations, version):
    def slow(*_):
        raise TooSlow
    signal.signal(signal.SIGALRM, slow)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        return bool(match(pattern, observations, stix_version=version)), None
    except TooSlow:
        return None, None
    except Exception as problem:  # the reference raises many kinds
        return "error", "parse" if type(problem).__name__ == "ParseException" else "match"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    seed, count, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.makedirs(directory + "/observations", exist_ok=True)
    maker = Maker(seed)
    r = maker.r
    cases = open(directory + "/cases.jsonl", "w")
    validity = open(directory + "/validity.jsonl", "w")
    slow = 0
    for i in range(count):
        if i % 20 == 0:
            rich = r.random() < .5
            version = "2.1" if r.random() < .8 else "2.0"
            observed = maker.observations(version, 1 if rich and r.random() < .7 else r.randint(1, 7), rich)
            name = "observations/%d.json" % i
            with open(os.path.join(directory, name), "w") as out:
                json.dump(observed, out)
        if rich:
            pattern = "[" + maker.comparisons(maker.rich_comparison, r.choice([0, 0, 0, 1])) + "]"
        else:
            pattern = maker.expression(maker.simple_comparison, r.choice([1, 2, 2]))
        if version == "2.0" and ("START" in pattern or "EXISTS" in pattern):
            continue  # the reference fails on the one, and 2.0 has not the other
        if "EXISTS" in pattern and (" AND " in pattern or " OR " in pattern):
            continue  # the reference fails on EXISTS beside another comparison
        verdict, error = reference(pattern, json.loads(json.dumps(observed)), version)
        if verdict is None:
            slow += 1
        else:
            case = {"id": "%d/%d" % (seed, i), "pattern": pattern, "stix_version": version, "matches": verdict, "observations": name}
            if error:
                case["error"] = error
            cases.write(json.dumps(case) + "\n")
        for text in (maker.mutated(pattern), "[a:b = 1" + "".join(r.choice(["", " "]) + r.choice(WORDS) for _ in range(r.randint(1, 5))) + r.choice(["]", ""])):
            try:
                valid = validate(text, "2.1")
            except Exception:
                continue
            validity.write(json.dumps({"id": "%d/%d/v" % (seed, i), "pattern": text, "valid": valid}) + "\n")
    print("left out because the reference was too slow:", slow)


if __name__ == "__main__":
    main()
