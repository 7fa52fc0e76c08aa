#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every sample report is valid JSON and fits the schema, and the schema refuses what it should.

Run: tests/unit/report_schema_test.py build/tests/report_dump (TAP 13 on stdout). Needs
python3-jsonschema; without it everything is skipped.
"""
import copy
import json
import pathlib
import subprocess
import sys

SCHEMA = pathlib.Path(__file__).parents[2] / "vmm/report/report.schema.json"
SAMPLES = ["works", "limited", "broken", "unavailable", "timed-out", "failed", "hostile"]

STATUSES = ["works", "fails", "not-offered", "not-applicable", "not-tried", "unfinished"]

# What must be refused: the member of a good report, and the value it is given.
REFUSED = [
    ("schema_version", 2),
    ("verdict", "fine"),
    ("reason", "Not A Name"),
    ("reason_number", 7),
    ("exit_status", 1),
    ("duration_ns", -1),
    ("duration_ns", 1.5),
    ("host", {"Key": 1}),
    ("evidence", {"key": 0.5}),
    ("unknown", {"key": None}),
    ("remedy", [{"kind": "do", "text": ""}]),
    ("steps", [{"name": "kvm-open"}]),
    ("surprise", 1),
]


def load(dump, sample):
    def once(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), "a key twice"
        return dict(pairs)

    out = subprocess.run([dump, sample, "json"], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out.decode("utf-8"), object_pairs_hook=once)


def check(validator, dump):
    for sample in SAMPLES:
        report = load(dump, sample)
        yield f"{sample} fits the schema", [e.message for e in validator.iter_errors(report)]
        nulls = {k for part in ("host", "evidence") for k, v in report[part].items() if v is None}
        yield f"{sample}: each null has a why", sorted(nulls ^ report["unknown"].keys())
    good = load(dump, "works")
    for key, value in REFUSED:
        bad = copy.deepcopy(good) | {key: value}
        yield f"{key} = {value!r} is refused", [] if not validator.is_valid(bad) else ["taken"]
    mapped = load(dump, "limited")
    statuses = [feature["status"] for feature in mapped["features"]]
    yield "a feature of each status", sorted(set(STATUSES) ^ set(statuses))
    for key, value in (("status", "fine"), ("number", 99), ("detail", ""), ("duration_ns", -1)):
        bad = copy.deepcopy(mapped)
        bad["features"][1][key] = value
        yield f"a failing feature's {key} = {value!r} is refused", (
            [] if not validator.is_valid(bad) else ["taken"])
    yield "what may be missing", sorted(good.keys() ^ {*validator.schema["required"], "time"})
    for key in validator.schema["required"]:
        bad = {k: v for k, v in good.items() if k != key}
        yield f"a report without {key} is refused", [] if not validator.is_valid(bad) else ["taken"]


def main():
    print("TAP version 13")
    try:
        import jsonschema
    except ImportError:
        print("1..0 # SKIP python3-jsonschema is not installed")
        return 0
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    number = failures = 0
    for name, errors in check(jsonschema.Draft202012Validator(schema), sys.argv[1]):
        number += 1
        failures += bool(errors)
        print("not ok" if errors else "ok", number, name)
        for error in errors:
            print("#", error)
    print(f"1..{number}")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
