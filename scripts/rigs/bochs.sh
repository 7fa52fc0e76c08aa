# SPDX-License-Identifier: MIT
# The Intel rig, and a second AMD rig: Bochs interprets a CPU with VMX and EPT, or SVM.
#
# Bochs needs a while to boot Linux, so a machine is booted once, up to where it waits for a CD with
# orders, and its state is saved; each run restores that state with its own CD in the drive. KVM's
# modules are loaded after that, so one state serves every choice of their parameters.
#
# Everything that Bochs is told about files is relative to its working folder: $run, or the folder
# in which a state is made. So a saved state holds no path, and is only read when it is used.
# shellcheck shell=bash disable=SC2034,SC2154 # one script with the others: see ../rig

# Debian's package of Bochs has the debugger built in, which makes it slow and unable to save its
# state. So take the source of a release that has Bochs 3.0, from this machine's own mirror.
bochs_source_release=trixie
# --disable-show-ips: its once-a-second signal deadlocks with Bochs's own log now and then.
bochs_options="--with-nogui --with-rfb --enable-smp --enable-all-optimizations --enable-x86-64
	--enable-cpu-level=6 --enable-vmx=2 --enable-svm --enable-avx --enable-evex --enable-cet
	--enable-monitor-mwait --enable-perfmon --enable-pci --enable-cdrom --disable-debugger
	--disable-docbook --disable-show-ips"

# Emulated instructions to a second of the guest's time. Few, so that the guest's time passes
# quickly while it sleeps or waits for a serial port; Debian's Bochs, which boots each time, gets
# more, so that its kernel's timers do not take up what it has.
bochs_ips=50000000
bochs_deb_ips=200000000

bochs_prepare() {
	: "${mem:=256}"
	need_program rig-intel xorriso
	bochs_need_file /usr/share/bochs/BIOS-bochs-latest /usr/share/vgabios/vgabios.bin \
		/usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32
	kernel_prepare rig-intel
	bochs=''
	[ "$engine" != bochs ] || bochs_build
	if [ -n "$bochs" ]; then
		bochs_state
	else
		engine='bochs-deb'
		need_program rig-intel-deb bochs
	fi
}

bochs_need_file() {
	local f
	for f in "$@"; do
		[ -e "$f" ] || cannot "there is no $f here; to install it: scripts/setup rig-intel"
	done
}

# Sets bochs to our own build, or says why it cannot be had.
bochs_build() {
	local name
	name=bochs-$(echo "$bochs_source_release $bochs_options" | sha256sum | head -c 12)
	if [ ! -e "$cache/$name" ]; then
		say "building Bochs from Debian's source (once, about two minutes)"
		cache_try "$name" bochs_make
		if [ -n "$cache_error" ]; then
			say "using Debian's Bochs, two minutes a command; our own failed: $cache_error"
			return
		fi
	fi
	bochs=$cache/$name/bochs
}

# bochs_make DIR: DIR/bochs
bochs_make() {
	set -e
	local dir=$1 apt mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	for p in g++ make; do
		type -P $p >/dev/null || { echo "there is no $p: scripts/setup rig-intel" && exit 1; }
	done
	# shellcheck disable=SC2016 # fields of apt-get's, not of the shell's
	mirror=$(apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' |
		awk '$1 == "Debian" { print $2; exit }')
	[ -n "$mirror" ] || { echo "apt has no Debian mirror (or apt-get update has not run)" && exit 1; }

	# apt on its own lists, with its own source; keys, proxies and the like are the system's.
	mkdir -p "$dir"/apt/{lists/partial,cache/archives/partial}
	echo "deb-src [signed-by=$keyring] $mirror $bochs_source_release main" >"$dir/apt/source.list"
	apt=(apt-get -q -o "Dir::Etc::SourceList=$dir/apt/source.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache"
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none)
	"${apt[@]}" update --error-on=any
	cd "$dir"
	"${apt[@]}" source --download-only --tar-only bochs
	tar -xf bochs_*.orig.tar.*
	cd bochs-*/
	# The display through which the state is saved is nobody's business but ours.
	sed -i 's/= INADDR_ANY;/= htonl(INADDR_LOOPBACK);/' gui/rfb.cc
	# shellcheck disable=SC2086 # a list of options
	./configure $bochs_options CXXFLAGS=-O3
	make -j "$(nproc)" bochs
	strip bochs
	mv bochs "$dir/bochs.new"
	cd "$dir"
	rm -rf apt bochs-*/ bochs_*
	mv bochs.new bochs
}

# bochs_config CD DISPLAY
bochs_config() {
	local model=${cpu%%,*} feature features='' added='' excluded=''
	for feature in $(tr , ' ' <<<"${cpu#"$model"}"); do
		case $feature in
		+*) added+=${added:+ }${feature#+} ;;
		-*) excluded+=${excluded:+ }${feature#-} ;;
		esac
	done
	[ -z "$added" ] || features+=", add_features=\"$added\""
	[ -z "$excluded" ] || features+=", exclude_features=\"$excluded\""
	cat <<-END
		megs: $mem
		cpu: model=$model, count=$smp, ips=$ips, reset_on_triple_fault=0$features
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		vga: extension=none, update_freq=5
		ata0-master: type=cdrom, path=$1, status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev=console
		com2: enabled=1, mode=file, dev=out
		com3: enabled=1, mode=file, dev=err
		com4: enabled=1, mode=file, dev=status
		display_library: $2
		log: log
		clock: sync=none
		panic: action=fatal
		error: action=report
		info: action=report
		debug: action=ignore
	END
	if [ "$engine" = bochs-deb ]; then
		# The ALSA plug-in overflows a buffer of its own and dies; the rest is not needed.
		cat <<-END
			sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
			plugin_ctrl: voodoo=0, speaker=0, e1000=0, sb16=0, es1370=0, gameport=0, usb_uhci=0, parallel=0, extfpuirq=0, unmapped=1, biosdev=1
		END
	else
		echo 'plugin_ctrl: unmapped=1, biosdev=1'
	fi
}

# bochs_boot_tree DIR: what a CD needs to boot the rig's kernel
bochs_boot_tree() {
	mkdir -p "$1/isolinux"
	cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$1/isolinux/"
	cat >"$1/isolinux/isolinux.cfg" <<-END
		DEFAULT rig
		PROMPT 0
		LABEL rig
		 KERNEL /vmlinuz
		 INITRD /initrd
		 APPEND $(bochs_append)
	END
	ln -s "$kernel/vmlinuz" "$1/vmlinuz"
	ln -s "$initrd" "$1/initrd"
}

bochs_append() {
	echo "console=ttyS0,115200 panic=-1 oops=panic reboot=t nokaslr mitigations=off quiet" \
		"tsc=reliable tsc_early_khz=$((ips / 1000)) random.trust_cpu=on cryptomgr.notests rig=cd"
}

# bochs_cd FILE [XORRISO-ARG...]
bochs_cd() {
	xorriso -as mkisofs -quiet -R -D -f -V RIG -o "$@" 2>"$run/xorriso" ||
		cannot "cannot make the CD: $(grep -a FAIL "$run/xorriso" | tail -n 1)"
}
bochs_boot_args=(-b isolinux/isolinux.bin -c isolinux/boot.cat
	-no-emul-boot -boot-load-size 4 -boot-info-table)

# Sets state: the folder of the saved state for this CPU, memory, kernel, init and Bochs.
bochs_state() {
	local id ips=$bochs_ips
	id=$({ bochs_config cd.iso nogui && bochs_append && echo "$bochs $initrd"; } | sha256sum)
	state=$cache/state-${cpu%%,*}-$mem-$smp-${id:0:12}
	[ -e "$state" ] || say "booting $cpu once in Bochs, to save its state (about half a minute)"
	cache_make "${state##*/}" bochs_state_make
	if [ ! -e "$state/.tried" ] && [ -z "${RIG_TRIAL-}" ] && ! bochs_state_works; then
		rm -rf "$state"
		cache_make "${state##*/}" bochs_state_make
		bochs_state_works || cannot "the saved state of $cpu does not run: try again"
	fi
	touch "$state"
}

# One state in some dozens is saved at a bad moment and never runs: a new one proves itself first.
bochs_state_works() {
	RIG_TRIAL=1 "$rigs/../rig" "$vendor" --engine bochs --cpu "$cpu" --mem "$mem" --smp "$smp" \
		--timeout 120 -- true >/dev/null 2>&1 && touch "$state/.tried"
}

# bochs_panic FILE...: why Bochs gave up
bochs_panic() {
	cat "$@" 2>/dev/null | sed -n 's/.*>>PANIC<< //p' | head -n 1
}

# bochs_state_make DIR
bochs_state_make() {
	local dir=$1 emulator port i
	mkdir -p "$dir/state"
	cd "$dir" || exit 1
	bochs_boot_tree tree
	bochs_cd cd.iso "${bochs_boot_args[@]}" tree
	bochs_config cd.iso 'rfb, options="timeout=0"' >bochsrc
	touch console
	timeout --foreground -k 2 600 "$bochs" -q -f bochsrc </dev/null >bochs.out 2>&1 &
	emulator=$!
	for ((i = 0; i < 6000; i++)); do
		grep -aqs '^rig: ready' console && break
		kill -0 $emulator 2>/dev/null || break
		sleep 0.1
	done
	port=$(sed -n 's/.*listening for connections on port \([0-9]*\).*/\1/p' log | tail -n 1)
	if grep -aqs '^rig: ready' console; then
		timeout 60 python3 "$rigs/rfbsave.py" "$port" state
	fi
	kill $emulator 2>/dev/null
	wait $emulator
	if [ ! -s state/config ] || [ ! -s state/memory.ram ]; then
		echo "Bochs did not get there: $(bochs_panic bochs.out log)"
		exit 1
	fi
	sed -i 's/^display_library:.*/display_library: nogui/' state/config
	mv state/* .
	rm -rf state tree cd.iso bochs.out console log out err status
}

bochs_reason() { bochs_panic "$run/emulator" "$run/log"; }

bochs_path() { echo /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; }

bochs_prelude() { echo "mkdir -p $(quoted "$PWD")"; }

# The CD's content: path there -> path here
declare -A cd_files

# take SRC DST: SRC, and the libraries or the interpreter without which it would not run
take() {
	local f
	cd_files[/root$2]=$(readlink -f "$1")
	if [ -d "$1" ]; then
		while IFS= read -r -d '' f; do take_needs "$f"; done < <(find "$1/" -type f -perm /111 -print0)
	else
		take_needs "$1"
	fi
}

take_needs() {
	local f magic=''
	IFS= read -r -n 4 -d '' magic <"$1" 2>/dev/null
	case $magic in
	$'\x7fELF')
		for f in $(ldd "$1" 2>/dev/null | grep -o '/[^ )]*'); do
			cd_files[/root$f]=$(readlink -f "$f")
		done
		;;
	'#!'*)
		read -r f _ < <(head -n 1 "$1" | cut -c 3-)
		[ "$f" = /bin/sh ] || [ ! -e "$f" ] || [ -n "${cd_files[/root$f]-}" ] || take "$f" "$f"
		;;
	esac
}

# What the command needs. A name without a slash that busybox knows is left to busybox.
bochs_take_all() {
	local f src dst program=${cmd[0]}
	case $program in
	*/*)
		program=$(realpath -ms "$program")
		[ ! -e "$program" ] || take "$program" "$program"
		;;
	*)
		if ! busybox --list | grep -qxF -e "$program" && f=$(type -P "$program"); then
			take "$f" "$(realpath -ms "$f")"
		fi
		;;
	esac
	for f in "${files[@]}"; do
		src=${f%%:*} dst=${f#*:}
		[ "$dst" != "$f" ] || dst=$src
		take "$src" "$(realpath -ms "$dst")"
	done
}

# One side of a graft point, in which = and \ are escaped
graft() {
	local path=${1//\\/\\\\}
	echo "${path//=/\\=}"
}

bochs_start() {
	local dst list=() ips
	bochs_take_all
	for dst in "${!cd_files[@]}"; do
		list+=("$(graft "$dst")=$(graft "${cd_files[$dst]}")")
	done
	list+=("/orders=$run/orders")
	mkdir -p "$run/empty"
	list+=("/root=$run/empty")

	exec </dev/null
	if [ "$engine" = bochs ]; then
		bochs_cd "$run/cd.iso" -graft-points "${list[@]}"
		emulator_start env -C "$run" "$bochs" -q -r "$state"
	else
		ips=$bochs_deb_ips
		bochs_boot_tree "$run/tree"
		bochs_cd "$run/cd.iso" "${bochs_boot_args[@]}" -graft-points "${list[@]}" "/=$run/tree"
		bochs_config cd.iso term >"$run/bochsrc"
		echo c >"$run/debugger"
		# Of the displays that the package has, only this one needs no screen and opens no port.
		emulator_start env -C "$run" TERM=vt100 bochs -q -f bochsrc -rc debugger
	fi
}
