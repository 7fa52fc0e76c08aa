# SPDX-License-Identifier: MIT
# Initial RAM disks for the Linux that minivmm boots: busybox, an init, modules, other files.
# shellcheck shell=bash

# initramfs_make FILE [SOURCE:DESTINATION]...: reads the body of /init from standard input. It starts
# with /proc, /sys and /dev mounted and every name of busybox in /bin.
initramfs_make() {
	local root=$1.root file
	mkdir -p "$root"/{bin,dev,proc,sys,tmp} || return
	cp "$(type -P busybox)" "$root/bin/busybox" || return
	for file in "${@:2}"; do
		mkdir -p "$root/$(dirname "${file#*:}")" && cp "${file%%:*}" "$root/${file#*:}" || return
	done
	{
		cat <<-'END'
			#!/bin/busybox sh
			/bin/busybox --install -s /bin
			export PATH=/bin
			mount -t proc proc /proc
			mount -t sysfs sys /sys
			mount -t devtmpfs dev /dev
		END
		cat
	} >"$root/init" || return
	chmod 755 "$root/init"
	(cd "$root" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null) >"$1" && rm -rf "$root"
}
