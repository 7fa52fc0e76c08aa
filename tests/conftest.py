# SPDX-License-Identifier: MIT
# The last line of every run: how many tests passed, failed, and were skipped.
import pytest

pytest.register_assert_rewrite("harness", "readers")


def count(reporter, *outcomes):
    return sum(len(reporter.stats.get(outcome, [])) for outcome in outcomes)


def pytest_sessionfinish(session, exitstatus):
    """Where nothing passed, nothing was shown."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and exitstatus == pytest.ExitCode.OK and not count(reporter, "passed"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not hasattr(config, "workerinput"):
        print(f"{count(reporter, 'passed')} passed, {count(reporter, 'failed', 'error')} failed, "
              f"{count(reporter, 'skipped')} skipped", flush=True)
