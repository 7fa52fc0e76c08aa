# SPDX-License-Identifier: MIT
"""How those for whom a report is meant read it: each reader returns what it was told, or says what is
wrong. Where the reader is a program it is run, once for many files."""
import datetime
import html.parser
import json
import re
import xml.etree.ElementTree as xml

from harness import ROOT, need_program, run, schema, unique

# ---- what all have in common ----

def ascii_of(text):
    """What must come through whatever the format: line ends as spaces, and no more than ASCII."""
    return re.sub(r"[^ -~]", "", re.sub(r"[\n\r\t]", " ", text))


def same(one, other):
    """The same words, for readers to whom a space more or less is nothing."""
    assert ascii_of(one).split() == ascii_of(other).split()


def lines_of(text):
    """Those of a file that ends its last one; only \\n ends a line, and nothing else that could."""
    assert text.endswith("\n") and not re.search(r"[\r\v\f\x1c-\x1e\x85\u2028\u2029]", text)
    return text[:-1].split("\n")


# ---- JSON ----

def read_json(text):
    report = json.loads(text, object_pairs_hook=unique)
    assert [error.message for error in schema().iter_errors(report)] == []
    return report


def outcome_fails(report):
    """Whether the run as a whole fails: by its verdict, or for what is required."""
    told = report["verdict"] in ("works", "limited", "unavailable")
    missing_row = any(not row["met"] for row in report.get("required", []))
    return report["verdict"] in ("broken", "timed-out", "failed") or (told and missing_row)


def run_jq(paths):
    """jq's words for each file: verdict, reason."""
    need_program("jq")
    ran = run("jq", "-er", "[.verdict, .reason] | join(\" \")", *paths).expect(0)
    return [tuple(line.split(" ")) for line in ran.out.splitlines()]


# ---- TAP ----

# TAP::Parser is what prove reads with.
TAP_PARSER = r"""
use strict; use warnings; use TAP::Parser; use JSON::PP;
for my $path (@ARGV) {
    open my $file, '<:raw', $path or die "$path: $!";
    my $tap = do { local $/; <$file> };
    # version 14 adds to 13, and this parser knows none of what it adds
    $tap =~ s/^TAP version 14$/TAP version 13/m;
    my (@tests, @stray);
    my $parser = TAP::Parser->new({ tap => $tap });
    while (my $one = $parser->next) {
        push @tests, { ok => $one->is_ok ? 1 : 0, name => $one->description,
            directive => $one->directive, why => $one->explanation } if $one->is_test;
        push @stray, $one->raw if $one->is_unknown || $one->is_bailout || $one->is_yaml || $one->is_pragma;
    }
    print JSON::PP->new->ascii->encode({ tests => \@tests, stray => \@stray,
        plan => $parser->plan, skip_all => $parser->skip_all, version => $parser->version,
        errors => [$parser->parse_errors], failed => scalar($parser->failed) }), "\n";
}
"""


def run_tap_parser(paths):
    need_program("prove")
    ran = run("perl", "-e", TAP_PARSER, *paths).expect(0)
    return [json.loads(line) for line in ran.out.splitlines()]


def read_tap(text, version):
    """By the specifications' letter, which TAP::Parser takes lightly. (verdict, reason)"""
    lines = lines_of(text)
    assert lines[0] == f"TAP version {version}"
    tail = r"[^#]*" if version == 13 else r"(?:[^\\#]|\\[\\#])*"
    plan = re.fullmatch(rf"1\.\.(\d+)( # SKIP {tail})?", lines[1])
    number = 0
    told = {}
    for line in lines[2:]:
        remark = re.fullmatch(r"# ([a-z0-9-]+): (.*)", line)
        if remark:
            told.setdefault(remark[1], remark[2])
            continue
        number += 1
        assert re.fullmatch(rf"(not )?ok {number} - [a-z]+ [a-z0-9-]+( # (SKIP|TODO) {tail})?", line), line
    assert number == int(plan[1]) and bool(plan[2]) == (number == 0)
    return told["verdict"], told["reason"]


# ---- JUnit ----

def run_xmllint(paths):
    need_program("xmllint")
    ran = run("xmllint", "--noout", "--schema", ROOT / "tests/junit.xsd", *paths)
    faults = [line for line in ran.err.splitlines() if not line.endswith(" validates")]
    assert (ran.status, faults) == (0, [])


def read_junit(text, report=None):
    """(verdict, reason). GitLab reads the elements' text alone."""
    assert len(text) < 30 << 20
    suites = xml.fromstring(text)
    suite = suites.find("testsuite")
    cases = suite.findall("testcase")

    def count(*elements):
        return str(sum(case.find(element) is not None for case in cases for element in elements))
    for counted in (suites, suite):
        assert counted.get("tests") == str(len(cases))
        assert counted.get("failures") == count("failure") and counted.get("errors") == count("error")
    assert suite.get("skipped") == count("skipped")
    for case in cases:
        for word in ("failure", "error", "skipped"):
            said = case.find(word)
            assert said is None or said.get("message") == (said.text or "")
    out = cases[-1].find("system-out").text
    assert cases[-1].get("name") == "nested-virtualization" and "reason " in out
    if report:
        junit_agrees(cases, report)
    return text_told(out)


def junit_agrees(cases, report):
    """Each step, feature and requirement of the JSON report is a case, and its words are in it."""
    named = {(case.get("classname"), case.get("name")): case for case in cases}
    rows = [("step", row, row["detail"]) for row in report["steps"]]
    rows += [("feature", row, row["detail"]) for row in report.get("features", [])]
    rows += [("required", row, row["why_not"]) for row in report.get("required", [])]
    assert len(named) == len(cases) == len(rows) + 1
    word = "error" if report["verdict"] == "failed" else "failure" if outcome_fails(report) else \
        "skipped" if report["verdict"] == "unavailable" else "system-out"
    assert cases[-1][0].tag == word
    for group, row, words in rows:
        case = named[f"minivmm.{group}", row["name"]]
        if len(case) and "message" in case[0].keys():
            assert ascii_of(case[0].text or "").endswith(ascii_of(words))


# ---- GitHub ----

def unescape(text, *more):
    for code, char in [("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")]:
        text = text.replace(code, char)
    return text


def runner_reads(text):
    """As actions/runner does: lines, each perhaps a command, and none where they are stopped.
    [(command, properties, message)]"""
    commands, stopped = [], None
    for line in re.split(r"\r\n|\r|\n", text):
        v2 = re.match(r"\s*::([^ ]*?)( .*?)?::(.*)", line, re.S)
        v1 = re.search(r"##\[([^ \]]+)(?: ([^\]]*))?\](.*)", line)
        if stopped:
            if v2 and v2[1] == stopped:
                stopped = None
            continue
        if v2:
            pairs = [pair.split("=", 1) for pair in (v2[2] or "").strip().split(",") if pair]
            # more than the runner asks for, and what actions/toolkit writes
            assert not any(":" in value for _, value in pairs)
            properties = {key: unescape(value, ("%3A", ":"), ("%2C", ",")) for key, value in pairs}
            commands.append((v2[1], properties, unescape(v2[3])))
            if v2[1] == "stop-commands":
                stopped = v2[3]
        elif v1:
            commands.append((v1[1], {}, v1[3]))
        else:
            assert not line, f"outside of the fold: {line}"
    assert not stopped
    return commands


def read_github(text, report=None):
    """(verdict, reason), and the token."""
    lines_of(text)
    commands = runner_reads(text)
    assert [name for name, _, _ in commands[:3]] == ["group", "stop-commands", "endgroup"]
    token = commands[1][2]
    assert re.fullmatch("[0-9a-f]{32}", token)
    marks = commands[3:]
    assert 1 <= len(marks) <= 10 and all(name in ("notice", "warning", "error") for name, _, _ in marks)
    assert all(set(properties) == {"title"} for _, properties, _ in marks)
    name, properties, message = marks[0]
    verdict, reason = re.fullmatch(r"nested virtualization: (\S+) \((\S+)\)", properties["title"]).groups()
    if report:
        missing = [row for row in report.get("required", []) if not row["met"]]
        words = [report["summary"], *[line["text"] for line in report["remedy"]]]
        assert ascii_of(message.replace("\n    ", "").replace("\n", "")) == "".join(map(ascii_of, words)) or \
            [ascii_of(line).strip() for line in message.split("\n")] == [ascii_of(w).strip() for w in words]
        assert [ascii_of(words) for _, _, words in marks[1:]] == [ascii_of(row["why_not"]) for row in missing]
        assert [properties["title"] for _, properties, _ in marks[1:]] == [
            f"required, and missing: {row['name']}" for row in missing]
        assert name == {"works": "notice", "limited": "warning", "unavailable": "warning"}.get(
            verdict, "error") or missing
    return (verdict, reason), token


OUTPUT_KEYS = ["verdict", "reason", "reason-number", "nested", "exit-status", "summary"]


def read_github_output(text):
    """As the runner reads such a file: key=value, or key<<WORD and lines up to that word."""
    lines = lines_of(text)
    values = {}
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        assert equals > 0 and (heredoc < 0 or equals < heredoc), f"a value of many lines: {line}"
        key, value = line.split("=", 1)
        assert key not in values
        values[key] = value
    assert list(values) == OUTPUT_KEYS
    return values


class Page(html.parser.HTMLParser):
    """The elements of a rendered page, balanced, and the text of each table's cells."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.attributes, self.comments = [], [], [], []
        self.tables, self.paragraphs, self.heading = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)
        self.attributes += attrs
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("p", "pre"):
            self.paragraphs.append("")

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> ends another element"

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data
        elif "p" in self.open or "pre" in self.open:
            self.paragraphs[-1] += data
        elif "h3" in self.open:
            self.heading += data
        elif "summary" not in self.open:
            assert not data.strip(), f"outside of every element: {data}"

    def handle_comment(self, data):
        self.comments.append(data)

    unknown_decl = handle_decl = handle_pi = handle_comment


SUMMARY_ELEMENTS = {"h3", "p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}


def render(texts):
    """Each as GitHub's own library makes it HTML. In one go: what does not end by itself would take the
    mark behind it along."""
    need_program("cmark-gfm")
    marked = "".join(f"{text}\n\n#### mark {number}\n\n" for number, text in enumerate(texts))
    ran = run("cmark-gfm", "-e", "table", "-e", "strikethrough", "-e", "autolink", "-e", "tasklist",
              "--unsafe", input=marked.encode()).expect(0)
    pages = re.split(r"<h4>mark \d+</h4>\n", ran.out)
    assert len(pages) == len(texts) + 1 and not pages[-1]
    return pages[:-1]


def read_github_summary(text, page, report):
    """With the page that render() made of it. (verdict, reason)"""
    assert len(text.encode()) < 1 << 20
    lines_of(text)
    page = Page(page)
    assert set(page.seen) <= SUMMARY_ELEMENTS and not page.attributes and not page.comments
    required, features = report.get("required", []), report.get("features", [])
    shown = [row for row in features if row["status"] != "not-applicable"]
    tables = list(page.tables)
    rows = [["", "required", "why not"], *[[row["name"], row["why_not"]] for row in required]]
    if required:
        table_is(tables.pop(0), rows)
    table_is(tables.pop(0), [["", "step", "what", "detail"],
                             *[[row["name"], row["title"], row["detail"]] for row in report["steps"]]])
    if features:
        table_is(tables.pop(0), [["", "feature", "what", "detail"],
                                 *[[row["name"], row["title"], row["detail"]] for row in shown]])
    facts = tables.pop(0)
    assert not tables and facts and all(len(row) == 2 for row in facts)
    words = [f"{report['summary']} Reason: {report['reason']}.", *[line["text"] for line in report["remedy"]]]
    assert len(page.paragraphs) == len(words)
    for one, other in zip(page.paragraphs, words):
        same(one, other)
    return page.heading.removeprefix("Nested virtualization: "), report["reason"]


def table_is(table, rows):
    """The head is as it stands; before what each row says there is a mark."""
    assert table[0] == rows[0] and len(table) == len(rows)
    for one, other in zip(table[1:], rows[1:]):
        assert len(one) == len(rows[0]) and one[0]
        for cell, words in zip(one[1:], other):
            same(cell, words)


# ---- Prometheus ----

NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
LABEL = rf'{NAME}="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+)")


def read_prometheus(text):
    """{name: {labels: value}}; no timestamps, which node_exporter would refuse."""
    kinds, samples = {}, {}
    for line in lines_of(text):
        if line.startswith("#"):
            word, name, rest = re.fullmatch(r"# (HELP|TYPE) (\S+) (.+)", line).groups()
            assert (word, name) not in kinds
            kinds[word, name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name.startswith("minivmm_") and kinds["TYPE", name] == "gauge" and ("HELP", name) in kinds
        labels = tuple(re.findall(rf'({NAME})="((?:[^"\\]|\\.)*)"', labels or ""))
        assert labels not in samples.setdefault(name, {}), f"twice: {line}"
        samples[name][labels] = float(value)
    return samples


def prometheus_told(text):
    (labels, one), = read_prometheus(text)["minivmm_nested_info"].items()
    assert one == 1
    labels = dict(labels)
    return labels["verdict"], labels["reason"]


def prometheus_merged(texts):
    """All of them as one scrape, which may name each metric's kind once: each sample has one label more."""
    families = {}
    for number, text in enumerate(texts):
        for line in lines_of(text):
            name = line.split(" ")[2] if line.startswith("#") else re.match(NAME, line)[0]
            if line.startswith("#"):
                families.setdefault(name, []).append(line) if line not in families.get(name, []) else None
            elif line.startswith(name + "{"):
                families[name].append(f'{name}{{sample="{number}",' + line[len(name) + 1:])
            else:
                families[name].append(f'{name}{{sample="{number}"}}' + line[len(name):])
    return "".join(line + "\n" for lines in families.values() for line in lines)


# ---- node-feature-discovery ----

LABEL_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
PREFIX = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


def read_nfd(text, expires):
    """As its source "local" reads a feature file, and nfd-master and Kubernetes take the labels.
    {name: (value, whether it becomes a label)}"""
    assert len(text.encode()) < 65536, "ignored"
    features, label, expiry = {}, True, None
    for line in lines_of(text):
        assert line == line.strip() and line
        if line.startswith("# +"):
            word = line[3:].split("=", 1)
            assert word[0] in ("expiry-time", "no-label", "no-feature"), "an unknown directive"
            if word[0] == "expiry-time":
                assert expiry is None
                expiry = datetime.datetime.strptime(word[1], "%Y-%m-%dT%H:%M:%SZ")
            else:
                assert label and len(word) == 1
                label = False
            continue
        if line.startswith("#"):
            continue
        name, value = line.split("=", 1)
        prefix, name = name.split("/")
        # nfd-master refuses kubernetes.io and all below it but two
        assert PREFIX.fullmatch(prefix) and (prefix == "feature.node.kubernetes.io")
        assert LABEL_NAME.fullmatch(name) and LABEL_NAME.fullmatch(value), line
        assert name not in features
        features[name] = value, label
        label = True
    assert label, "a directive for nothing"
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    left = (expiry - now).total_seconds()
    assert expires - 120 < left <= expires
    assert sum(shown for _, shown in features.values()) <= 4, "a node's labels are read by people"
    return features


def nfd_told(text, expires=86400):
    features = read_nfd(text, expires)
    verdict, reason = features["minivmm.nested.verdict"][0], features["minivmm.nested.reason"][0]
    assert features["minivmm.nested"] == (("true" if verdict in ("works", "limited") else "false"), True)
    return verdict, reason


# ---- node-problem-detector, Nagios ----

def read_npd(text):
    """(verdict, reason or what is required)."""
    line, = lines_of(text)
    assert len(text) < 80 and re.fullmatch("[ -~]+", line) and "|" not in line
    return re.match(r"nested ([a-z-]+), (?:but )?([a-z0-9-]+)(?: is required)?: ", line).groups()


# ---- text ----

HEADLINES = {"WORKS": "works", "LIMITED": "limited", "BROKEN": "broken", "UNAVAILABLE": "unavailable",
             "TIMED OUT": "timed-out", "MINIVMM FAILED": "failed"}
SGR = re.compile(r"\x1b\[[0-9;]*m")


def text_told(text):
    """(verdict, reason)"""
    headline, = re.findall(r"^(?:──|--) ([A-Z ]+) (?:─|-)+$", text, re.M)
    reason, = re.findall(r"^   reason ([a-z0-9-]+)\b", text, re.M)
    return HEADLINES[headline], reason


def read_text(text, columns, color=False, ascii_only=True):
    """No line is wider, but commands, which are there to be pasted. (verdict, reason)"""
    lines_of(text)
    plain = SGR.sub("", text) if color else text
    assert plain.isascii() or not ascii_only
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", plain) is None
    for line in plain.splitlines():
        assert len(line) <= columns or line.startswith(("    ", "More: minivmm --explain ")), line
    return text_told(plain)
