# SPDX-License-Identifier: MIT
# What the rigs keep between runs: an unpacked Debian kernel, the initial RAM disks made from it.
# shellcheck shell=bash disable=SC2034,SC2154 # one script with the others: see ../rig

cache=${MINIVMM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/minivmm}

# What init loads, by name; what these depend on comes along. A kernel that has one of them built in
# has no file for it.
rig_modules="kvm kvm-amd kvm-intel overlay
	virtio_mmio virtio_console 9p 9pnet_virtio
	ata_piix sr_mod isofs"

say() { echo "rig: $*" >&2; }

# The rig cannot be had on this machine.
cannot() {
	say "$*"
	exit 125
}

# need_program PACKAGE-GROUP PROGRAM...
need_program() {
	local group=$1 p
	shift
	for p in "$@"; do
		type -P "$p" >/dev/null || cannot "there is no $p here; to install it: scripts/setup $group"
	done
}

# cache_try NAME MAKER [ARG...]: makes $cache/NAME by `MAKER TEMPORARY-PATH ARG...` if need be.
# One process makes, others wait; what is there is always whole. MAKER runs in a subshell with its
# output in a log; if it fails, cache_error says why by the log's last line, and is empty otherwise.
# Not to be called in a condition (if, &&, ||), where the shell would ignore MAKER's set -e.
cache_try() {
	local path=$cache/$1 maker=$2 lock status=0
	cache_error=''
	[ ! -e "$path" ] || return 0
	if ! { mkdir -p "$cache/lock" && : >>"$cache/lock/$1"; } 2>/dev/null; then
		cannot "cannot write to the cache, $cache"
	fi
	exec {lock}>>"$cache/lock/$1"
	flock "$lock" &
	run_pids=($!)
	wait $!
	if [ ! -e "$path" ]; then
		cache_tidy
		rm -rf "$path".tmp.*
		set -m # its own process group, so that all of it can be ended
		("$maker" "$path.tmp.$$" "${@:3}") {lock}>&- </dev/null >"$path.log" 2>&1 &
		set +m
		run_pids=($!) run_making=$path.tmp.$$
		wait $! || status=$?
		run_pids=()
		[ $status != 0 ] || mv "$run_making" "$path"
		rm -rf "$run_making"*
		run_making=''
	fi
	exec {lock}>&-
	if [ $status = 0 ]; then
		rm -f "$path.log"
	else
		cache_error="$(grep -a . "$path.log" | tail -n 1) (all of it: $path.log)"
	fi
}

# Drops what was made for another init or machine, and not used for a week.
cache_tidy() {
	find "$cache" -maxdepth 1 \( -name 'initrd-*' -o -name 'state-*' \) -mtime +7 -exec rm -rf {} +
}

# cache_make NAME MAKER [ARG...]: the same; the rig ends if it fails.
cache_make() {
	cache_try "$@"
	[ -z "$cache_error" ] || cannot "could not make $1: $cache_error"
}

# kernel_make DIR: DIR/vmlinuz, DIR/vmlinux (the same, uncompressed: starts seconds sooner under
# emulation), DIR/version, DIR/modules/*.ko
kernel_make() {
	set -e
	local dir=$1 package
	mkdir -p "$dir/deb" "$dir/modules"
	package=$(apt-cache depends linux-image-amd64 2>/dev/null |
		awk '$1 == "Depends:" { print $2; exit }')
	if [ -z "$package" ]; then
		echo "apt knows no linux-image-amd64 (no Debian, or apt-get update has not run)"
		exit 1
	fi
	(cd "$dir/deb" && apt-get -q download "$package")
	dpkg-deb --fsys-tarfile "$dir"/deb/*.deb |
		tar -x -C "$dir/deb" --wildcards './boot/vmlinuz-*' '*/modules/*/kernel/*'
	mv "$dir"/deb/boot/vmlinuz-* "$dir/vmlinuz"
	kernel_unpack "$dir/vmlinuz" >"$dir/vmlinux"
	find "$dir/deb" -path '*/modules/*/kernel' -prune -printf '%h\n' | sed 's,.*/,,' >"$dir/version"
	local m
	for m in $rig_modules; do module_take "$dir" "$m"; done
	rm -rf "$dir/deb"
}

# module_take DIR NAME: moves the module and what it depends on to DIR/modules
module_take() {
	local from to=$1/modules/$2.ko dep deps
	[ ! -e "$to" ] || return 0
	from=$(find "$1/deb" -name "${2//[-_]/[-_]}.ko*" -print -quit)
	case $from in
	'') return 0 ;;
	*.xz) xz -dc "$from" >"$to" ;;
	*.zst) zstd -qdc "$from" >"$to" ;;
	*) cp "$from" "$to" ;;
	esac
	deps=$(grep -az '^depends=' "$to" | tr -d '\0')
	deps=${deps#depends=}
	for dep in ${deps//,/ }; do module_take "$1" "$dep"; done
}

# kernel_unpack VMLINUZ: the ELF file within, found through the boot protocol's header
# (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length)
kernel_unpack() {
	local sects offset length magic tool
	sects=$(od -An -tu1 -j $((0x1f1)) -N1 "$1")
	offset=$(od -An -tu4 -j $((0x248)) -N4 "$1")
	length=$(od -An -tu4 -j $((0x24c)) -N4 "$1")
	offset=$(((sects + 1) * 512 + offset))
	magic=$(od -An -tx1 -j $offset -N4 "$1")
	case $magic in
	*'fd 37 7a 58') tool='xz -dc --single-stream' ;;
	*'28 b5 2f fd') tool='zstd -dcq' ;;
	*'02 21 4c 18') tool='lz4 -dc' ;;
	*'1f 8b'*) tool='gzip -dc' ;;
	*) echo "the kernel is packed in an unknown way:$magic" >&2 && return 1 ;;
	esac
	# The payload ends with its unpacked size, at which tools complain once all is out.
	tail -c "+$((offset + 1))" "$1" | head -c "$length" | $tool || true
}

# initrd_make FILE: busybox, init, the modules
initrd_make() {
	set -e
	local root=$1.root version
	version=$(<"$cache/kernel/version")
	mkdir -p "$root"/{bin,proc,sys,dev,lower,upper,base,orders,new,"lib/modules/$version"}
	cp "$(type -P busybox)" "$root/bin/busybox"
	cp "$cache"/kernel/modules/*.ko "$root/lib/modules/$version/"
	busybox depmod -b "$root" "$version"
	install -m 755 "$rigs/init" "$root/init"
	(cd "$root" && find . | busybox cpio -o -H newc -R 0:0) >"$1"
	# QEMU puts it at the end of memory and aligns its start, with no thought of the ACPI tables that
	# its firmware has there: whole pages leave them one.
	truncate -s %4096 "$1"
	rm -rf "$root"
}

# Sets kernel (folder), initrd (file).
kernel_prepare() {
	local group=$1 id
	need_program "$group" busybox apt-get dpkg-deb xz zstd flock
	[ -e "$cache/kernel" ] || say "fetching Debian's kernel (once, some ten seconds)"
	cache_make kernel kernel_make
	id=$({ cat "$rigs/init" "$(type -P busybox)" "$cache/kernel/version" && declare -f initrd_make; } |
		sha256sum)
	cache_make "initrd-${id:0:12}" initrd_make
	touch "$cache/initrd-${id:0:12}"
	kernel=$cache/kernel initrd=$cache/initrd-${id:0:12}
}
