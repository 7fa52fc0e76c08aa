# SPDX-License-Identifier: MIT
# One run of a rig: its orders to the emulated host, its output on the way, its end.
#
# Every emulator writes to plain files in $run, which are followed from here: out and err (the
# command's), status (its exit status), console (the kernel's). A file takes whatever comes at once,
# so the emulated host may end as soon as it has written, however slow the reader is.
# shellcheck shell=bash disable=SC2034,SC2154 # one script with the others: see ../rig

# The run's folder, the processes to end, what is half made in the cache
run='' run_pids=() run_making=''

# The run's folder, and a way out that leaves nothing behind.
run_begin() {
	run=$(mktemp -d "${TMPDIR:-/tmp}/minivmm-rig.XXXXXX") || exit 125
	trap run_clean EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$run/orders"
	touch "$run"/{out,err,status,console,emulator}
}

run_clean() {
	local p
	for p in "${run_pids[@]}"; do kill -- "-$p" 2>/dev/null || kill "$p" 2>/dev/null; done
	for p in "${run_pids[@]}"; do wait "$p" 2>/dev/null; done
	rm -rf "$run"
	[ -n "$run_making" ] || return
	# What the maker had started is ending, too, and may still write.
	rm -rf "$run_making"* 2>/dev/null || { sleep 1 && rm -rf "$run_making"*; }
}

# A shell word that reads as $1.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# module_params MODULE DEFAULT...: the module's parameters, the caller's last so that they prevail
module_params() {
	local p all="${*:2}"
	for p in "${params[@]}"; do [ "${p%%.*}" != "$1" ] || all+=" ${p#*.}"; done
	echo "$all"
}

# orders_write DIR: what init reads. DIR/params: module parameters; DIR/command: a shell script.
orders_write() {
	local intel_default=''
	# Bochs lacks an execution control that kvm_intel takes for granted: with enable_apicv, its
	# default, a VM with an in-kernel LAPIC dies at its first entry (hardware error 7).
	[ "$rig" != bochs ] || intel_default=enable_apicv=0
	{
		echo "kvm='$(module_params kvm)'"
		echo "kvm_amd='$(module_params kvm_amd "nested=$nested" "npt=$tdp")'"
		echo "kvm_intel='$(module_params kvm_intel "nested=$nested" "ept=$tdp" $intel_default)'"
	} >"$1/params"
	{
		echo "export RIG=$vendor HOME=/root PATH=$(quoted "$("${rig}_path")")"
		local name # what is printed there is read here
		for name in LANG LC_ALL LC_CTYPE; do
			[ -z "${!name-}" ] || echo "export $name=$(quoted "${!name}")"
		done
		"${rig}_prelude"
		echo "cd $(quoted "$PWD") 2>/dev/null"
		printf 'exec'
		local word
		for word in "${cmd[@]}"; do printf ' %s' "$(quoted "$word")"; done
		echo
	} >"$1/command"
}

# emulator_start COMMAND [ARG...]: starts the emulator, its own messages to $run/emulator. It dies
# with this shell, even should that be killed outright.
emulator_start() {
	setpriv --pdeathsig TERM timeout --foreground -k 2 "$limit" "$@" <&0 >>"$run/emulator" 2>&1 &
	run_pids=($!)
}

# follow FILE: copies a growing file to standard output until the emulator has ended
follow() {
	exec tail -q -c +1 -f -s 0.02 --pid="${run_pids[0]}" "$1" 2>/dev/null
}

# Passes everything on until the emulator ends, then ends with the command's exit status, or says
# why there is none.
run_end() {
	local ended code status line
	follow "$run/out" &
	run_pids+=($!)
	follow "$run/err" >&2 &
	run_pids+=($!)
	if [ "$verbose" = 1 ]; then
		follow "$run/console" >&2 &
		run_pids+=($!)
	fi
	wait -n -p ended "${run_pids[@]}"
	code=$?
	# A reader that went away (rig ... | head) ends the run as it would end any command.
	[ "${ended-}" = "${run_pids[0]}" ] || exit 141
	wait "${run_pids[@]}"
	run_pids=()

	status=$(tr -dc '0-9\n' <"$run/status" | head -n 1)
	[ -z "$status" ] || exit "$status"
	if line=$(grep -a -m 1 'Kernel panic' "$run/console"); then
		say "the emulated host's kernel panicked: $(tr -d '\r' <<<"${line#*] }")"
		exit 124
	fi
	if [ $code = 124 ] || [ $code = 137 ]; then
		say "no end after $limit s (--timeout): $(run_stage)"
		exit 124
	fi
	if line=$(grep -a -m 1 '^rig: failed: ' "$run/console"); then
		cannot "the emulated host could not be set up: $(tr -d '\r' <<<"${line#rig: failed: }")"
	fi
	[ -s "$run/console" ] || cannot "the emulator failed (status $code): $("${rig}_reason")"
	say "the emulated host went down by itself: $(run_stage)"
	exit 124
}

# How far the emulated host came
run_stage() {
	if grep -aq '^rig: command' "$run/console"; then
		echo "the command was still running"
	elif grep -aq '^rig: ' "$run/console"; then
		echo "the emulated host had booted, and was still setting up"
	else
		echo "the emulated host was still booting"
	fi
}
