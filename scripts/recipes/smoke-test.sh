#!/bin/sh
# SPDX-License-Identifier: MIT
# A test of nesting for any harness: smoke-test.sh [--tap] [MINIVMM-OPTION...]
#
# Exit status, as Automake and Meson want it: 0 passed, 77 skipped (it cannot be tried here), 99 the
# test itself could not run, anything else failed. With --tap, TAP 13 on standard output says which
# checks passed, and also that all was skipped: its status is then 0, or harnesses would call it failed.
# MINIVMM names the program, if it is not in PATH. In a meson.build:
#
#     test('nested virtualization', files('smoke-test.sh'), suite: 'kvm')
#     test('nested virtualization', files('smoke-test.sh'), args: '--tap', protocol: 'tap')
set -u
minivmm=${MINIVMM:-minivmm}
format=text
[ "${1-}" != --tap ] || { format=tap && shift; }

if ! command -v "$minivmm" >/dev/null; then
	echo "smoke-test: cannot run '$minivmm': there is no such program; build it (scripts/quickstart)" \
		"and name it in MINIVMM" >&2
	exit 99
fi
status=0
"$minivmm" --nested-probe --format "$format" "$@" || status=$?
[ "$format-$status" != tap-77 ] || status=0
exit $status
