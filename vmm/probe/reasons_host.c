// SPDX-License-Identifier: MIT
// Why there is no KVM device, or none to be opened: rules, then rows in testing order.
#include "reason_words.h"

#include "bits.h"
#include "l0.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define KVM_API		12	/* KVM_GET_API_VERSION, since Linux 2.6.22 */
#define KVM_MAJOR	10	/* misc devices; minor: KVM_MINOR of linux/miscdevice.h */
#define KVM_MINOR	232
#define OVERFLOW_ID	65534	/* an id without a mapping into this user namespace */

/* ---- 1xx: the device ---- */

/* The node leads to no driver. A node that this user may not open counts too when KVM is known
 * not to be registered: its permissions are then not what is wrong. */
static bool dev_is_absent(const struct facts *facts)
{
	int err = facts->kvm.open_errno;

	return err == ENOENT || err == ENODEV || err == ENXIO ||
	       (err == EACCES && facts->host.misc_has_kvm == NO);
}

static const char *absence(const struct facts *facts)
{
	return facts->kvm.open_errno == ENOENT ? "does not exist" : "has no driver";
}

static bool dev_not_in_container(const struct facts *facts)
{
	return facts->kvm.open_errno == ENOENT && facts->host.misc_has_kvm == YES;
}

static void dev_not_in_container_summary(struct result *result, const struct facts *facts)
{
	const char *container = facts->host.container;

	if (container[0])
		summarise(result, "%s does not exist: the kernel has KVM, but this container (%s) "
			  "was not given the device.", dev_path(facts), container);
	else
		summarise(result, "%s does not exist: the kernel has KVM, but the device node is "
			  "missing here (a container, a chroot, or /dev without devtmpfs).",
			  dev_path(facts));
}

/* How each container engine is told to pass the device. The last row serves the others. */
static const struct {
	const char *container;
	const char *say;
	const char *command;
} engines[] = {
	{ "docker", "Pass the device (in a GitHub workflow: container.options: --device=/dev/kvm):",
	  "docker run --device=/dev/kvm IMAGE ..." },
	{ "podman", "Pass the device; rootless, keep the groups that may open it:",
	  "podman run --device=/dev/kvm --group-add keep-groups IMAGE ..." },
	{ "kubernetes", "Ask a device plugin for it (KubeVirt's: the pod's resource limit "
	  "devices.kubevirt.io/kvm: 1), or run the pod privileged with a hostPath volume for "
	  "/dev/kvm.", NULL },
	{ "lxc", "Pass the device to the container:",
	  "lxc config device add NAME kvm unix-char source=/dev/kvm path=/dev/kvm" },
	{ "systemd-nspawn", "Pass the device to the container:",
	  "sudo systemd-nspawn --bind=/dev/kvm --property='DeviceAllow=/dev/kvm rw' ..." },
	{ NULL, "Start the container with the device; with docker:",
	  "docker run --device=/dev/kvm IMAGE ..." },
};

static void remedy_container(struct result *result, const struct facts *facts)
{
	size_t i = 0;

	while (engines[i].container && strcmp(engines[i].container, facts->host.container) != 0)
		i++;
	result_say(result, "%s", engines[i].say);
	if (engines[i].command)
		result_command(result, "%s", engines[i].command);
}

static void dev_not_in_container_remedy(struct result *result, const struct facts *facts)
{
	remedy_container(result, facts);
	if (facts->host.container[0])
		return;
	result_say(result, "In a systemd unit: PrivateDevices=no, DeviceAllow=/dev/kvm rw. "
		   "Elsewhere, make the node:");
	result_command(result, "sudo mknod -m 660 %s c %d %d",
		       dev_path(facts), KVM_MAJOR, KVM_MINOR);
}

static bool dev_missing(const struct facts *facts)
{
	return dev_is_absent(facts);
}

static void dev_missing_summary(struct result *result, const struct facts *facts)
{
	if (facts->host.vendor_module[0])
		summarise(result, "%s %s, although module %s is there: most likely it did not "
			  "start.",
			  dev_path(facts), absence(facts), facts->host.vendor_module);
	else
		summarise(result, "%s %s: KVM is not available here, and what can be read of this "
			  "host does not tell why.", dev_path(facts), absence(facts));
}

static void dev_missing_remedy(struct result *result, const struct facts *facts)
{
	result_say(result, "The kernel's log tells more:");
	result_command(result, "sudo dmesg | grep -iE 'kvm|vmx|svm'");
	if (facts->host.container[0])
		remedy_container(result, facts);
	if (facts->host.vendor_builtin == YES)
		return;
	say_on_the_host(result, facts);
	result_command(result, "sudo modprobe %s", module_name(facts));
}

static bool dev_cgroup_denied(const struct facts *facts)
{
	return facts->kvm.open_errno == EPERM;
}

static void dev_cgroup_denied_summary(struct result *result, const struct facts *facts)
{
	const char *container = facts->host.container;

	summarise(result, "Opening %s was refused (Operation not permitted): most likely the "
		  "device cgroup of this %s does not allow %d:%d.", dev_path(facts),
		  container[0] ? container : "service or container", KVM_MAJOR, KVM_MINOR);
}

static void dev_cgroup_denied_remedy(struct result *result, const struct facts *facts)
{
	remedy_container(result, facts);
	result_say(result, "In a systemd unit: DeviceAllow=/dev/kvm rw. In an LXC configuration: "
		   "lxc.cgroup2.devices.allow = c %d:%d rwm.", KVM_MAJOR, KVM_MINOR);
}

/* Which of the node's three permission classes this process falls into, as a shift of its mode. */
static unsigned int mode_shift(const struct host_facts *host)
{
	if (host->euid == host->dev_uid)
		return 6;
	return host->in_group == YES ? 3 : 0;
}

static bool mode_allows(const struct host_facts *host)
{
	return (host->dev_mode >> mode_shift(host) & 6) == 6;
}

static bool owner_is_unmapped(const struct host_facts *host)
{
	return host->user_namespace != NO &&
	       (host->dev_uid == OVERFLOW_ID || host->dev_gid == OVERFLOW_ID);
}

static bool dev_nodev(const struct facts *facts)
{
	return facts->kvm.open_errno == EACCES && !facts->host.dev_stat_errno &&
	       S_ISCHR(facts->host.dev_mode) && facts->host.dev_nodev;
}

static void dev_nodev_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "No permission for %s: the file system that it stands on is mounted nodev, "
		  "so that no device there can be opened.", dev_path(facts));
}

static void dev_nodev_remedy(struct result *result, const struct facts *facts)
{
	result_say(result, "Mount it with devices (a user namespace cannot), or bind the host's node "
		   "in its place, as root:");
	result_command(result, "sudo mount -o remount,dev $(stat -c %%m %s)", dev_path(facts));
	if (facts->host.container[0])
		remedy_container(result, facts);
}

static bool dev_userns_or_lsm(const struct facts *facts)
{
	const struct host_facts *host = &facts->host;

	return facts->kvm.open_errno == EACCES && host->dev_stat_errno == 0 &&
	       (owner_is_unmapped(host) || mode_allows(host));
}

static void dev_userns_or_lsm_summary(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;
	const char *lsm = strcmp(host->lsm, "unconfined") == 0 ? "" : host->lsm;

	if (owner_is_unmapped(host))
		summarise(result, "No permission for %s: its owner or group is not mapped into "
			  "this user namespace (it shows as %u:%u).",
			  dev_path(facts), host->dev_uid, host->dev_gid);
	else
		summarise(result, "No permission for %s, although its mode (%04o) allows it: most "
			  "likely a security module denies it%s%.60s.", dev_path(facts),
			  host->dev_mode & 07777, lsm[0] ? "; this process is " : "", lsm);
}

static void dev_userns_or_lsm_remedy(struct result *result, const struct facts *facts)
{
	if (owner_is_unmapped(&facts->host)) {
		result_say(result, "Let the container keep the groups of the user who starts it, "
			   "or use an engine that runs as root:");
		result_command(result, "podman run --device=/dev/kvm --group-add keep-groups IMAGE "
			       "...");
		result_say(result, "Or open it to everyone, on the host:");
		result_command(result, "sudo chmod 666 /dev/kvm");
		return;
	}
	result_say(result, "Look for the denial (SELinux, AppArmor), on the host:");
	result_command(result, "sudo dmesg | grep -iE 'denied|avc'");
	result_say(result, "A container can be started without the confinement: --security-opt "
		   "label=disable (SELinux), --security-opt apparmor=unconfined (AppArmor).");
}

static bool dev_permission(const struct facts *facts)
{
	return facts->kvm.open_errno == EACCES;
}

static void dev_permission_summary(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;
	unsigned int missing = ~(host->dev_mode >> mode_shift(host)) & 6;
	const char *what = missing == 6 ? "read and write" : missing == 4 ? "read" : "write";
	const char *dev = dev_path(facts), *group = host->dev_group;
	const char *user = host->user[0] ? host->user : "this user";

	if (host->dev_stat_errno)
		summarise(result, "No permission for %s, not even to look at it (%s).", dev,
			  strerror(host->dev_stat_errno));
	else if (host->group_pending == YES)
		summarise(result, "No permission for %s yet: %s was added to group %s, but this "
			  "session began before that.", dev, user, group);
	else if (mode_shift(host) == 6)
		summarise(result, "No permission for %s: %s owns it, but its mode (%04o) does not "
			  "let the owner %s.", dev, user, host->dev_mode & 07777, what);
	else if (mode_shift(host) == 3)
		summarise(result, "No permission for %s: its mode (%04o) does not let group %s, "
			  "which %s is in, %s.", dev, host->dev_mode & 07777, group, user, what);
	else
		summarise(result, "No permission for %s: its mode (%04o) does not let others %s, "
			  "and %s is not in its group, %s.",
			  dev, host->dev_mode & 07777, what, user, group);
}

static void remedy_udev(struct result *result)
{
	result_say(result, "For every user (a CI runner, say), by a udev rule:");
	result_command(result, "echo 'KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0666\", "
		       "OPTIONS+=\"static_node=kvm\"' | sudo tee "
		       "/etc/udev/rules.d/99-kvm4all.rules");
	result_command(result, "sudo udevadm control --reload-rules && "
		       "sudo udevadm trigger --name-match=kvm");
}

static void dev_permission_remedy(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;
	bool group_helps = (host->dev_mode >> 3 & 6) == 6 && host->dev_gid != 0;
	const char *user = host->user[0] ? host->user : "$USER";

	if (host->group_pending == YES && group_helps) {
		result_say(result, "Log out and in, or for one command:");
		result_command(result, "sg %s -c 'minivmm --nested-probe'", host->dev_group);
		return;
	}
	if (host->container[0] && group_helps) {
		result_say(result, "Start the container with the device's group:");
		result_command(result, "docker run --device=/dev/kvm --group-add %u IMAGE ...",
			       host->dev_gid);
		return;
	}
	say_on_the_host(result, facts);
	if (group_helps && host->in_group != YES) {
		result_say(result, "For good (then log out and in):");
		result_command(result, "sudo usermod -aG %s %s", host->dev_group, user);
	}
	result_say(result, "At once, until the next boot:");
	result_command(result, "sudo setfacl -m u:%s:rw %s", user, dev_path(facts));
	remedy_udev(result);
}

static bool api_is_wrong(const struct facts *facts)
{
	int err = facts->kvm.api_errno;

	if (facts->kvm.open_errno)
		return false;
	return err == ENOTTY || err == EINVAL || (facts->kvm.asked_api && facts->kvm.api_version != KVM_API);
}

static bool node_is_wrong(const struct facts *facts)
{
	const struct host_facts *host = &facts->host;

	if (!facts->kvm.open_errno || host->dev_stat_errno)
		return false;
	return !S_ISCHR(host->dev_mode) || major(host->dev_rdev) != KVM_MAJOR ||
	       minor(host->dev_rdev) != KVM_MINOR;
}

static bool dev_not_kvm(const struct facts *facts)
{
	return api_is_wrong(facts) || node_is_wrong(facts);
}

static void dev_not_kvm_summary(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;
	const char *dev = dev_path(facts);

	if (!host->dev_stat_errno && !S_ISCHR(host->dev_mode))
		summarise(result, "%s is not KVM's device: it is a %s.", dev,
			  S_ISDIR(host->dev_mode) ? "directory" : "file, not a character device");
	else if (node_is_wrong(facts))
		summarise(result, "%s is not KVM's device: it is number %u:%u, and KVM's is %d:%d.",
			  dev, major(host->dev_rdev), minor(host->dev_rdev), KVM_MAJOR, KVM_MINOR);
	else if (facts->kvm.api_errno)
		summarise(result, "%s opens, but is not KVM's device: KVM_GET_API_VERSION failed "
			  "(%s).",
			  dev, strerror(facts->kvm.api_errno));
	else
		summarise(result, "%s speaks version %d of KVM's interface, not 12.", dev,
			  facts->kvm.api_version);
}

/* The command moves what is there out of the way, as it may be somebody's file; and it never
 * touches another path than KVM's own, which the user may have given by mistake. */
static void dev_not_kvm_remedy(struct result *result, const struct facts *facts)
{
	const char *dev = dev_path(facts);

	if (!facts->kvm.open_errno && !facts->kvm.api_errno) {
		result_say(result, "Boot a kernel from Linux 2.6.22 or newer, or take away what "
			   "poses as KVM here.");
		return;
	}
	result_say(result, "See what is there; KVM's node is the character device %d:%d:",
		   KVM_MAJOR, KVM_MINOR);
	result_command(result, "ls -ld %s", dev);
	if (strcmp(dev, "/dev/kvm") != 0)
		return;
	result_say(result, "In a container, pass the device (--device=/dev/kvm). Elsewhere, put "
		   "the right node in its place:");
	result_command(result, "sudo mv /dev/kvm /dev/kvm.old && "
		       "sudo mknod -m 660 /dev/kvm c %d %d", KVM_MAJOR, KVM_MINOR);
}

/* ---- 2xx: the CPU, and what the level below shows of it ---- */

static bool cpu_no_virt(const struct facts *facts)
{
	return dev_is_absent(facts) && !cpu_has_virt(facts) && !facts->host.hypervisor_bit;
}

static void cpu_no_virt_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: this CPU (%s) has neither VMX nor SVM.", dev_path(facts),
		  absence(facts), facts->host.cpu_brand[0] ? facts->host.cpu_brand : "unnamed");
}

static void cpu_no_virt_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "This takes another machine; nothing can be switched on here.");
}

static bool l0_hides_virt(const struct facts *facts)
{
	return dev_is_absent(facts) && !cpu_has_virt(facts) && facts->host.hypervisor_bit;
}

static void l0_hides_virt_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: this machine is itself a guest (of %s), and its virtual CPU "
		  "shows neither VMX nor SVM.", dev_path(facts), absence(facts),
		  l0_name(&facts->host));
}

static bool confidential_guest(const struct facts *facts)
{
	return dev_is_absent(facts) && facts->host.confidential;
}

static void confidential_guest_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "Take a machine that is not a confidential one (no SEV-SNP, no TDX).");
}

static bool cpu_inconsistent(const struct facts *facts)
{
	return dev_is_absent(facts) && facts->host.cpus_with && facts->host.cpus_without;
}

static void cpu_inconsistent_summary(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;

	summarise(result, "%s %s: %u of this machine's %u CPUs show VMX or SVM, the others do not, "
		  "so KVM most likely refused to start.", dev_path(facts), absence(facts),
		  host->cpus_with, host->cpus_with + host->cpus_without);
}

static void cpu_inconsistent_remedy(struct result *result, const struct facts *facts)
{
	result_say(result, "See which they are:");
	result_command(result, "grep -nE '^processor|^flags' /proc/cpuinfo | grep -B 1 -vE 'vmx|svm'");
	if (facts->host.hypervisor_bit) {
		result_say(result, "Let the hypervisor give all CPUs of this machine the same "
			   "model, from hosts of one kind.");
		l0_remedy(result, facts);
		return;
	}
	result_say(result, "Update the firmware and load its defaults; power off and on. A CPU that "
		   "was added while running may be taken away again.");
}

/* The kernel clears the flag when it finds the feature switched off, raw CPUID keeps it:
 * arch/x86/kernel/cpu/feat_ctl.c, init_amd(). A kernel without KVM can leave the same trace. */
static bool firmware_disabled(const struct facts *facts)
{
	return dev_is_absent(facts) && facts->host.cpuinfo_virt == NO &&
	       facts->host.vendor_module_exists != NO;
}

static bool firmware_disabled_vmx(const struct facts *facts)
{
	return firmware_disabled(facts) && facts->host.cpuid_vmx;
}

static bool firmware_disabled_svm(const struct facts *facts)
{
	return firmware_disabled(facts) && facts->host.cpuid_svm;
}

static void firmware_disabled_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: the CPU has %s, but the kernel found it switched off, most "
		  "likely by the %s.", dev_path(facts), absence(facts), virt_name(facts),
		  facts->host.hypervisor_bit ? "hypervisor or its virtual firmware" : "firmware");
}

static void firmware_disabled_remedy(struct result *result, const struct facts *facts)
{
	if (facts->host.hypervisor_bit) {
		l0_remedy(result, facts);
		return;
	}
	result_say(result, "Turn on %s in the firmware's set-up, save, and power the machine off "
		   "and on (a warm reboot may not do). With UEFI this leads there:",
		   cpu_is_svm(facts) ? "\"SVM Mode\" (AMD-V)" :
				       "\"Intel Virtualization Technology\" (VT-x)");
	result_command(result, "sudo systemctl reboot --firmware-setup");
	result_say(result, "The kernel's log confirms it (\"disabled by BIOS\"):");
	result_command(result, "sudo dmesg | grep -iE 'kvm|vmx|svm'");
}

/* ---- 3xx: the kernel and its modules ---- */

static bool kernel_without_kvm(const struct facts *facts)
{
	return dev_is_absent(facts) && cpu_has_virt(facts) &&
	       facts->host.vendor_module_exists == NO && !facts->host.vendor_module[0];
}

static void kernel_without_kvm_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: the CPU has %s, but this kernel (%.70s) comes without %s.",
		  dev_path(facts), absence(facts), virt_name(facts), facts->host.kernel,
		  module_name(facts));
}

static void kernel_without_kvm_remedy(struct result *result, const struct facts *facts)
{
	result_say(result, "Boot a kernel with CONFIG_KVM and CONFIG_KVM_%s. Some distributions "
		   "package its modules apart from the kernel.",
		   cpu_is_svm(facts) ? "AMD" : "INTEL");
	result_command(result, "grep CONFIG_KVM /boot/config-$(uname -r)");
}

static bool module_blacklisted(const struct facts *facts)
{
	return dev_is_absent(facts) && cpu_has_virt(facts) && !facts->host.vendor_module[0] &&
	       facts->host.blacklist[0];
}

static void module_blacklisted_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: the CPU has %s, but %s keeps the module %s from being loaded.",
		  dev_path(facts), absence(facts), virt_name(facts), facts->host.blacklist,
		  module_name(facts));
}

static void module_blacklisted_remedy(struct result *result, const struct facts *facts)
{
	const char *file = facts->host.blacklist;

	say_on_the_host(result, facts);
	if (file[0] == '/') {
		result_say(result, "Somebody wanted it so (for VirtualBox or VMware, say). If it may "
			   "go, take the lines with kvm out of it:");
		result_command(result, "sudo sed -i.old '/kvm/d' %s", file);
	} else {
		result_say(result, "Take the word with kvm out of the boot loader's settings, and "
			   "reboot.");
	}
	result_command(result, "sudo modprobe %s", module_name(facts));
}

static bool kvm_module_not_loaded(const struct facts *facts)
{
	return dev_is_absent(facts) && cpu_has_virt(facts) && facts->host.kvm_module == NO;
}

static void kvm_module_not_loaded_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: the CPU has %s, but the modules kvm and %s are not loaded.",
		  dev_path(facts), absence(facts), virt_name(facts), module_name(facts));
}

static bool vendor_module_not_loaded(const struct facts *facts)
{
	return dev_is_absent(facts) && cpu_has_virt(facts) && facts->host.kvm_module == YES &&
	       !facts->host.vendor_module[0];
}

static void vendor_module_not_loaded_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "%s %s: the CPU has %s and module kvm is loaded, but %s is not.",
		  dev_path(facts), absence(facts), virt_name(facts), module_name(facts));
}

static void modprobe_remedy(struct result *result, const struct facts *facts)
{
	const char *module = module_name(facts);

	say_on_the_host(result, facts);
	if (facts->host.other_hypervisor[0])
		result_say(result, "%s is loaded: while it holds the CPU's %s, %s may fail to "
			   "load.",
			   facts->host.other_hypervisor, virt_name(facts), module);
	result_command(result, "sudo modprobe %s", module);
	result_command(result, "echo %s | sudo tee /etc/modules-load.d/kvm.conf", module);
	result_say(result, "If modprobe says \"Operation not supported\", %s is switched off in "
		   "the firmware; if it finds no module, reboot after a kernel update, or install "
		   "the kernel's modules.", virt_name(facts));
}

/* ---- the rows ---- */

const struct reason host_reasons[] = {
	{
		REASON(106, "not-a-kvm-device", UNAVAILABLE,
		       dev_not_kvm, dev_not_kvm_summary, dev_not_kvm_remedy),
		.symptom = "\"Inappropriate ioctl for device\" from a VMM, or /dev/kvm is a file "
			   "or a directory.",
		.cause = "What stands at /dev/kvm is not KVM's device.",
		.tell = "It is no character device 10:232, or KVM_GET_API_VERSION fails or does "
			"not answer 12.",
		.alike = "A wrong file mounted over it, or a node that someone made: \"ls -l "
			 "/dev/kvm\" shows 10, 232 for the right one.",
	}, {
		REASON(101, "kvm-dev-not-in-container", UNAVAILABLE, dev_not_in_container,
		       dev_not_in_container_summary, dev_not_in_container_remedy),
		.symptom = "\"Could not access KVM kernel module: No such file or directory\" in "
			   "a container, while its host has KVM.",
		.cause = "The kernel has KVM, but its device was not passed to this container.",
		.tell = "/dev/kvm does not exist, while /proc/misc or /sys/devices/virtual/misc "
			"lists kvm.",
		.alike = "A container that was not given the device, and a chroot or systemd "
			 "unit (PrivateDevices=yes) with a /dev of its own: in the latter two "
			 "the namespaces of \"ls -l /proc/self/ns\" but mnt are the host's.",
	}, {
		REASON(205, "confidential-guest", UNAVAILABLE,
		       confidential_guest, NULL, confidential_guest_remedy),
		.symptom = "No /dev/kvm; \"KVM is unsupported when running as an SEV guest\" in "
			   "the kernel's log.",
		.cause = "There is no KVM in here, as this machine is a confidential guest (TDX or "
			 "SEV-SNP), which cannot nest.",
		.tell = "No device, and CPUID leaf 0x21 says IntelTDX, or /dev/tdx_guest or "
			"/dev/sev-guest exists.",
		.alike = "An ordinary guest whose hypervisor hides VMX or SVM (l0-hides-virt): "
			 "it has neither /dev/sev-guest nor /dev/tdx_guest.",
	}, {
		REASON(207, "cpu-inconsistent", UNAVAILABLE,
		       cpu_inconsistent, cpu_inconsistent_summary, cpu_inconsistent_remedy),
		.symptom = "\"CPU 3 feature inconsistency!\" in the kernel's log; modprobe: "
			   "Input/output error.",
		.cause = "Some of the CPUs show VMX or SVM and others do not, so that KVM most "
			 "likely refused to start.",
		.tell = "No device; /proc/cpuinfo has the flag vmx or svm for some of its CPUs "
			"only.",
		.alike = "Firmware that forgot a CPU, and a hypervisor that gives its guest "
			 "unlike CPUs: the latter where this machine is a guest. A difference "
			 "deeper than that flag shows in the kernel's log alone.",
	}, {
		REASON(201, "cpu-no-virt", UNAVAILABLE,
		       cpu_no_virt, cpu_no_virt_summary, cpu_no_virt_remedy),
		.symptom = "\"Your CPU does not support KVM extensions\"; no vmx or svm in "
			   "/proc/cpuinfo.",
		.cause = "The CPU has neither VMX nor SVM.",
		.tell = "No device; CPUID.1:ECX[5], CPUID.80000001h:ECX[2] and the hypervisor bit "
			"CPUID.1:ECX[31] are clear.",
		.alike = "A hypervisor that hides itself as well as VMX or SVM: "
			 "\"systemd-detect-virt\" may know it by its DMI name.",
	}, {
		REASON(202, "l0-hides-virt", UNAVAILABLE,
		       l0_hides_virt, l0_hides_virt_summary, l0_remedy),
		.symptom = "\"grep -c vmx /proc/cpuinfo\" says 0 inside a virtual machine, and "
			   "there is no /dev/kvm.",
		.cause = "This machine is itself a guest, and its hypervisor does not show VMX or "
			 "SVM to it.",
		.tell = "No device; CPUID shows neither VMX nor SVM, and the hypervisor bit "
			"CPUID.1:ECX[31] is set.",
		.alike = "A host with nested=0, a CPU model without the bit, and a VMM that "
			 "masks it on purpose (a CPU template of Firecracker's) look the same "
			 "from inside: \"cat /sys/module/kvm_*/parameters/nested\" on the host "
			 "tells the first from the others.",
	}, {
		REASON(301, "kernel-without-kvm", UNAVAILABLE,
		       kernel_without_kvm, kernel_without_kvm_summary, kernel_without_kvm_remedy),
		.symptom = "vmx or svm in /proc/cpuinfo, and \"modprobe: module kvm_intel not "
			   "found\".",
		.cause = "The CPU could, but this kernel was built without KVM for it.",
		.tell = "No device; CPUID shows VMX or SVM; neither modules.dep nor "
			"modules.builtin of this kernel lists kvm-intel or kvm-amd, or it has no "
			"modules at all.",
		.alike = "The modules of another kernel are installed, after an update: a reboot "
			 "tells.",
	}, {
		REASON(203, "firmware-disabled-vmx", UNAVAILABLE, firmware_disabled_vmx,
		       firmware_disabled_summary, firmware_disabled_remedy),
		.symptom = "\"VMX (outside TXT) disabled by BIOS\" or \"kvm: disabled by bios\" "
			   "in the kernel's log.",
		.cause = "The CPU has VMX, but the firmware has most likely switched it off.",
		.tell = "No device; CPUID shows VMX, yet /proc/cpuinfo has no vmx flag: the kernel "
			"clears it when IA32_FEATURE_CONTROL (MSR 0x3a) is locked without VMX.",
		.alike = "A kernel without kvm_intel clears the flag too (kernel-without-kvm): "
			 "then modules.dep does not list it. As root, \"rdmsr 0x3a\" (msr-tools) "
			 "settles it: bit 0 set and bit 2 clear is the firmware.",
	}, {
		REASON(204, "firmware-disabled-svm", UNAVAILABLE, firmware_disabled_svm,
		       firmware_disabled_summary, firmware_disabled_remedy),
		.symptom = "\"SVM disabled (by BIOS) in MSR_VM_CR\" in the kernel's log; "
			   "modprobe: Operation not supported.",
		.cause = "The CPU has SVM, but the firmware has most likely switched it off.",
		.tell = "No device; CPUID shows SVM, yet /proc/cpuinfo has no svm flag: the kernel "
			"clears it when VM_CR (MSR 0xc0010114) has SVMDIS set.",
		.alike = "As root, \"rdmsr 0xc0010114\" (msr-tools) settles it: bit 4 set is the "
			 "firmware, or the hypervisor below.",
	}, {
		REASON(305, "kvm-module-blacklisted", UNAVAILABLE, module_blacklisted,
		       module_blacklisted_summary, module_blacklisted_remedy),
		.symptom = "No /dev/kvm after each boot; modprobe by hand may work.",
		.cause = "A setting keeps the kernel's KVM modules from being loaded.",
		.tell = "No device; CPUID shows VMX or SVM; /sys/module/kvm_intel or kvm_amd is "
			"not there; a file of modprobe.d or the kernel's command line blacklists "
			"kvm.",
		.alike = "A \"blacklist\" line stops the loading at boot alone, an \"install ... "
			 "/bin/false\" line modprobe by hand too.",
	}, {
		REASON(302, "kvm-module-not-loaded", UNAVAILABLE,
		       kvm_module_not_loaded, kvm_module_not_loaded_summary, modprobe_remedy),
		.symptom = "vmx or svm in /proc/cpuinfo, no /dev/kvm, and lsmod shows no kvm.",
		.cause = "The kernel's KVM modules are not loaded.",
		.tell = "No device; CPUID shows VMX or SVM; /sys/module/kvm does not exist.",
		.alike = "A module that fails to load at each boot looks the same: \"sudo "
			 "modprobe kvm_intel\" (or kvm_amd) then gives an error.",
	}, {
		REASON(303, "kvm-vendor-module-not-loaded", UNAVAILABLE, vendor_module_not_loaded,
		       vendor_module_not_loaded_summary, modprobe_remedy),
		.symptom = "lsmod shows kvm, used by nobody, without kvm_intel or kvm_amd; no "
			   "/dev/kvm.",
		.cause = "Module kvm is loaded, but not the one for this CPU, kvm_intel or "
			 "kvm_amd.",
		.tell = "No device; CPUID shows VMX or SVM; /sys/module/kvm exists, and no "
			"/sys/module/kvm_*.",
		.alike = "The module may have refused to start: then modprobe says \"Operation "
			 "not supported\" (firmware) or \"Input/output error\" "
			 "(cpu-inconsistent).",
	}, {
		REASON(102, "kvm-dev-missing", UNAVAILABLE,
		       dev_missing, dev_missing_summary, dev_missing_remedy),
		.symptom = "\"Could not access KVM kernel module: No such file or directory\".",
		.cause = "There is no KVM device, and nothing that can be read here tells why.",
		.tell = "Opening /dev/kvm fails with ENOENT, ENODEV or ENXIO, and no finer reason "
			"applies.",
		.alike = "With /proc and /sys visible this narrows down to another reason.",
	}, {
		REASON(103, "kvm-dev-cgroup-denied", UNAVAILABLE, dev_cgroup_denied,
		       dev_cgroup_denied_summary, dev_cgroup_denied_remedy),
		.symptom = "\"failed to initialize KVM: Operation not permitted\", although the "
			   "node exists and its mode would allow it, even for root.",
		.cause = "The device cgroup of this container or service does not allow /dev/kvm.",
		.tell = "Opening /dev/kvm fails with EPERM, where file permissions would give "
			"EACCES.",
		.alike = "A seccomp filter can refuse the open likewise: \"grep Seccomp: "
			 "/proc/self/status\" says 0 where there is none.",
	}, {
		REASON(107, "kvm-dev-nodev", UNAVAILABLE,
		       dev_nodev, dev_nodev_summary, dev_nodev_remedy),
		.symptom = "\"Permission denied\" although mode, owner and groups are right, "
			   "even for root.",
		.cause = "The file system that /dev/kvm stands on is mounted nodev, so no device "
			 "on it can be opened.",
		.tell = "Opening /dev/kvm fails with EACCES, and statfs() says nodev of its file "
			"system.",
		.alike = "Missing permissions also give EACCES, which is why they are looked at "
			 "after this.",
	}, {
		REASON(104, "kvm-dev-userns-or-lsm", UNAVAILABLE, dev_userns_or_lsm,
		       dev_userns_or_lsm_summary, dev_userns_or_lsm_remedy),
		.symptom = "\"Permission denied\" for root in a container, in rootless podman, "
			   "or although the mode is 0666.",
		.cause = "A user namespace or a security module keeps this process from /dev/kvm.",
		.tell = "Opening /dev/kvm fails with EACCES, while its owner or group is not "
			"mapped into this user namespace (65534), or its mode would allow it.",
		.alike = "An owner that shows as 65534 is the user namespace; a mode that allows "
			 "it is a security module, and the kernel's log has its denial: \"dmesg "
			 "| grep -iE 'denied|avc'\".",
	}, {
		REASON(105, "kvm-dev-permission", UNAVAILABLE,
		       dev_permission, dev_permission_summary, dev_permission_remedy),
		.symptom = "\"Could not access KVM kernel module: Permission denied\"; \"This "
			   "user doesn't have permissions to use KVM (/dev/kvm)\".",
		.cause = "This user may not read and write /dev/kvm.",
		.tell = "Opening /dev/kvm fails with EACCES, and its mode, owner and group say so.",
		.alike = "A group that was joined after login counts from the next login on: "
			 "compare \"id\" with \"getent group kvm\".",
	},
};

const size_t host_reason_count = ARRAY_SIZE(host_reasons);
