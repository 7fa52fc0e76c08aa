# SPDX-License-Identifier: MIT
# What release and package share: what this checkout is, and a copy of it to build in. They source it
# with `me` set to their name.
# shellcheck shell=bash disable=SC2034,SC2154 # one script with the sourcing one
set -u -o pipefail
from=$PWD
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

# What compilers and makes would read from the environment; how what is made looks.
unset CFLAGS CPPFLAGS LDFLAGS CC CC_LD CPATH C_INCLUDE_PATH LIBRARY_PATH COMPILER_PATH \
	GCC_EXEC_PREFIX REALGCC STRIP DESTDIR MAKEFLAGS DEB_BUILD_OPTIONS
export LC_ALL=C TZ=UTC
umask 022

say() { echo "$me: $*"; }

fail() {
	echo "$me: $*" >&2
	exit 1
}

# This folder's repository alone, not one around it, and whoever owns it (in a CI's container, another).
tree_git() { git --no-optional-locks --git-dir=.git --work-tree=. "$@"; }

# checkout_arguments ARG...: sets out (a path) and allow_dirty.
checkout_arguments() {
	out=$PWD/build-$me allow_dirty=''
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--allow-dirty) allow_dirty=1 ;;
		-*) echo "$me: no option '$1': see scripts/$me --help" >&2 && exit 2 ;;
		/*) out=$1 ;;
		*) out=$from/$1 ;;
		esac
		shift
	done
}

# workplace: sets work, a temporary folder that goes when the script ends, and log, a file in it.
workplace() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/minivmm-$me.XXXXXX") ||
		fail "no temporary folder in ${TMPDIR:-/tmp}: set TMPDIR to one that has room"
	trap 'rm -rf "$work"' EXIT
	log=$work/log
}

# step WHAT COMMAND...: runs it with its output in the log; if it fails, says why and ends the script.
step() {
	local what=$1 why kept
	shift
	: >"$log"
	"$@" >>"$log" 2>&1 </dev/null && return
	why=$(grep -m 1 -iE 'error:|^E: ' "$log" || tail -n 1 "$log")
	kept=$(mktemp "${TMPDIR:-/tmp}/minivmm-$me-log.XXXXXX") && cp "$log" "$kept"
	fail "$what failed: ${why:-it does not say why} (all it said: ${kept:-lost})"
}

# checkout_read: sets version, commit and dirty ('' or '-dirty'), and exports SOURCE_DATE_EPOCH: the
# commit's date where the environment has none. Refuses what no commit describes.
checkout_read() {
	local changed
	[ -e .git ] || fail "$PWD is no git checkout, so nobody could tell what was built: use a clone"
	version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)
	[ -n "$version" ] || fail "meson.build has no line \"  version: 'X',\": give it one"
	commit=$(tree_git rev-parse --short=12 HEAD 2>/dev/null) ||
		fail "git finds no commit in $PWD: does git log show one?"
	changed=$(tree_git status --porcelain) ||
		fail "git cannot compare $PWD with its commit: see git status"
	dirty=${changed:+-dirty}
	[ -z "$dirty" ] || [ -n "$allow_dirty" ] ||
		fail "no commit describes this tree (${changed%%$'\n'*}): commit, or use --allow-dirty"
	: "${SOURCE_DATE_EPOCH:=$(tree_git log -1 --format=%ct)}"
	[[ $SOURCE_DATE_EPOCH =~ ^[0-9]+$ ]] ||
		fail "SOURCE_DATE_EPOCH is '$SOURCE_DATE_EPOCH': set it to seconds since 1970, or unset it"
	export SOURCE_DATE_EPOCH
}

# checkout_copy DIR: the files that git knows, or would, in DIR, as old as now: what is from the
# future would be built again and again.
checkout_copy() {
	local file
	mkdir -p "$1" || fail "cannot make $1: see above"
	tree_git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do
			[ ! -e "$file" ] || printf '%s\0' "$file" # deleted, but git was not told
		done | tar -c --null -T - | tar -x -m -C "$1" ||
		fail "cannot copy the tree to $1: is there room? (TMPDIR names another place)"
}
