# scripts/test --no-rigs -k unit
# SPDX-License-Identifier: MIT
"""The unit tests in C, row by row, and the schema of the report, under every build."""
import functools

import pytest

from harness import BUILDS, ROOT, built, run


@functools.cache
def tap(*command):
    """The results of a program that speaks TAP: what each row was called, and its failure's text."""
    ran = run(*command)
    rows, remarks = {}, []
    for line in ran.out.splitlines():
        if line.startswith("#"):
            remarks.append(line)
        elif line.startswith(("ok ", "not ok ")):
            verdict, name = line.split("ok ", 1)[0], line.split("ok ", 1)[1].split(" ", 1)[1]
            rows[name] = "\n".join(remarks) or "not ok" if verdict else ""
            remarks = []
    return ran, rows


def rows_of(*command):
    try:
        return list(tap(*command)[1])
    except (pytest.fail.Exception, OSError):
        return []


def unit(build):
    return ROOT / "build-test" / build / "unit"



UNIT = [(build, row) for build in BUILDS for row in rows_of(unit(build))]
SCHEMA = ["/usr/bin/python3", ROOT / "tests/unit/report_schema_test.py"]
REPORT = [(build, row) for build in ("gcc", "sanitizers")
          for row in rows_of(*SCHEMA, ROOT / "build-test" / build / "report_dump")]


@pytest.mark.parametrize("build, row", UNIT)
def test_unit(build, row):
    assert tap(unit(build))[1][row] == ""


@pytest.mark.parametrize("build, row", REPORT)
def test_report_schema(build, row):
    assert tap(*SCHEMA, built(build, "report_dump"))[1][row] == ""


@pytest.mark.parametrize("build", BUILDS)
def test_unit_ends_well(build):
    """All the rows that were announced came, and the program has nothing else to say."""
    ran, rows = tap(built(build, "unit"))
    ran.expect(0)
    assert f"1..{len(rows)}" in ran.out and len(rows) >= 30, ran


@pytest.mark.parametrize("build", BUILDS)
def test_report_schema_ends_well(build):
    ran, rows = tap(*SCHEMA, built(build, "report_dump"))
    ran.expect(0)
    assert f"1..{len(rows)}" in ran.out and len(rows) >= 40, ran
