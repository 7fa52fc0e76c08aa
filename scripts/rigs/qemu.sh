# SPDX-License-Identifier: MIT
# The AMD rig: QEMU's TCG emulates an AMD CPU with SVM and nested paging.
#
# The emulated host's root is this machine's, through 9p (part of QEMU: no daemon, no privilege) and
# under an overlay in its memory, so every program here can run there and nothing here can change.
# shellcheck shell=bash disable=SC2034,SC2154 # one script with the others: see ../rig

qemu_prepare() {
	need_program rig-amd qemu-system-x86_64
	kernel_prepare rig-amd
}

# Why QEMU gave up
qemu_reason() { grep -a . "$run/emulator" | tail -n 1; }

qemu_path() { echo "$PATH"; }

# --file SRC:DST; without a DST the file is in its place already.
qemu_prelude() {
	local f src dst
	for f in "${files[@]}"; do
		src=$(readlink -f "${f%%:*}") dst=${f#*:}
		[ "$dst" != "$f" ] || continue
		echo "mkdir -p $(quoted "$(dirname "$dst")") && cp -a $(quoted "$src") $(quoted "$dst")"
	done
}

qemu_start() {
	local append khz
	# QEMU's TSC is this machine's; a kernel that is told its rate need not measure it.
	khz=$(awk '/^bogomips/ { printf "%d", $3 * 500; exit }' /proc/cpuinfo)
	append="console=ttyS0 panic=-1 oops=panic reboot=t nokaslr mitigations=off"
	append+=" tsc=reliable tsc_early_khz=$khz random.trust_cpu=on cryptomgr.notests rig=9p"
	[ "$verbose" = 1 ] || append+=" quiet"

	[ "$use_stdin" = 1 ] || exec </dev/null
	# No PIC: microvm's MADT has none, so newer kernels leave it as it is, with vectors from 0 on, and
	# the PIT's first tick is a divide error.
	# shellcheck disable=SC2054 # the commas are QEMU's
	local args=(
		-nodefaults -no-user-config -no-reboot -display none
		-machine microvm,pit=on,pic=off,rtc=on,isa-serial=on,acpi=on
		-accel tcg,thread=multi
		-cpu "${cpu:-EPYC,+svm,+npt}" -smp "$smp" -m "${mem:-2048}"
		-global virtio-mmio.force-legacy=false
		-kernel "$kernel/vmlinux" -initrd "$initrd" -append "$append"
		-serial "file:$run/console"
		-fsdev "local,id=root,path=/,security_model=none,multidevs=remap,readonly=on"
		-device virtio-9p-device,fsdev=root,mount_tag=root
		-fsdev "local,id=orders,path=$run/orders,security_model=none,readonly=on"
		-device virtio-9p-device,fsdev=orders,mount_tag=orders
		-device virtio-serial-device
	)
	local port
	for port in out err status; do
		args+=(-chardev "file,id=$port,path=$run/$port"
			-device "virtserialport,chardev=$port,name=rig.$port")
	done
	[ "$use_stdin" = 0 ] || args+=(-chardev "stdio,id=in,signal=off"
		-device "virtserialport,chardev=in,name=rig.in")
	emulator_start qemu-system-x86_64 "${args[@]}"
}
