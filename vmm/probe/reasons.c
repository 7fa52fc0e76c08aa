// SPDX-License-Identifier: MIT
// The catalogue of reasons. The rules come first, rung by rung: for each reason what it applies
// to, its sentence, its remedy; then the table, in testing order; then the search through it.
#include "reasons.h"

#include "bits.h"
#include "l0.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define KVM_API		12	/* KVM_GET_API_VERSION, since Linux 2.6.22 */
#define KVM_MAJOR	10	/* misc devices; minor: KVM_MINOR of linux/miscdevice.h */
#define KVM_MINOR	232
#define OVERFLOW_ID	65534	/* an id without a mapping into this user namespace */

/* ---- words ---- */

__attribute__((format(printf, 2, 3)))
static void summarise(struct result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->summary, sizeof(result->summary), format, args);
	va_end(args);
}

static const char *dev_path(const struct facts *facts)
{
	return facts->host.dev[0] ? facts->host.dev : "/dev/kvm";
}

static bool cpu_has_virt(const struct facts *facts)
{
	return facts->host.cpuid_vmx || facts->host.cpuid_svm;
}

static bool cpu_is_svm(const struct facts *facts)
{
	return facts->host.cpuid_svm ||
	       (!facts->host.cpuid_vmx && facts->host.vendor == CPU_AMD);
}

static const char *virt_name(const struct facts *facts)
{
	return cpu_is_svm(facts) ? "SVM" : "VMX";
}

/* The module that this CPU takes, loaded or not. */
static const char *module_name(const struct facts *facts)
{
	return cpu_is_svm(facts) ? "kvm_amd" : "kvm_intel";
}

static bool module_is(const struct facts *facts, const char *name)
{
	return strcmp(facts->host.vendor_module, name) == 0;
}

/* Another backend than the two that nest (kvm_pvm, say) serves /dev/kvm. */
static bool module_is_foreign(const struct facts *facts)
{
	return facts->host.vendor_module[0] && !module_is(facts, "kvm_intel") &&
	       !module_is(facts, "kvm_amd");
}

static bool param_is_on(const struct param *param)
{
	return param->text[0] == 'Y' || param->text[0] == 'y' || param->text[0] == '1';
}

static bool param_is_off(const struct param *param)
{
	return param->text[0] == 'N' || param->text[0] == 'n' || param->text[0] == '0';
}

/* Nobody can load a module, or mend a device node's owner, from inside a container. */
static void say_on_the_host(struct result *result, const struct facts *facts)
{
	if (facts->host.container[0])
		result_say(result, "This is a container (%s): run these on its host.",
			   facts->host.container);
}

/* Sets a parameter of the vendor module, for good and for now. */
static void remedy_param(struct result *result, const struct facts *facts, const char *setting,
			 const char *file)
{
	const char *module = module_name(facts);
	int users = facts->host.module_users;

	say_on_the_host(result, facts);
	if (facts->host.vendor_builtin == YES) {
		result_say(result, "%s is built into this kernel: add %s.%s to the kernel's "
			   "command line and reboot.", module, module, setting);
		return;
	}
	result_command(result, "echo 'options %s %s' | sudo tee /etc/modprobe.d/%s.conf", module,
		       setting, file);
	if (users > 0)
		result_say(result, "%s is in use now (reference count %d): the reload would fail, "
			   "so stop all virtual machines first, or reboot instead.", module, users);
	else if (users < 0)
		result_say(result, "The reload fails while a virtual machine runs: stop them "
			   "first.");
	result_command(result, "sudo modprobe -r %s && sudo modprobe %s %s", module, module,
		       setting);
}

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
	result_say(result, "Outside a container, make the node:");
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

/* KVM answers, on a CPU without the means: a backend that works by software, such as kvm_pvm. */
static bool kvm_without_hw_virt(const struct facts *facts)
{
	return facts->kvm.asked_cpuid && !facts->kvm.offers_vmx && !facts->kvm.offers_svm &&
	       (!cpu_has_virt(facts) || module_is_foreign(facts));
}

static void kvm_without_hw_virt_summary(struct result *result, const struct facts *facts)
{
	const char *backend = module_is_foreign(facts) ? facts->host.vendor_module : "a backend";

	if (cpu_has_virt(facts))
		summarise(result, "KVM works here through %s, which does not use the CPU's %s and "
			  "cannot show it to guests: nothing can nest.", backend, virt_name(facts));
	else
		summarise(result, "KVM works here, but without hardware virtualization (%s): the "
			  "CPU shows neither VMX nor SVM, so nothing can nest.", backend);
}

static void kvm_without_hw_virt_remedy(struct result *result, const struct facts *facts)
{
	if (cpu_has_virt(facts) && facts->host.vendor_builtin == YES) {
		result_say(result, "Boot a kernel whose KVM uses the CPU's %s, by module %s.",
			   virt_name(facts), module_name(facts));
		return;
	}
	if (cpu_has_virt(facts)) {
		say_on_the_host(result, facts);
		result_say(result, "Load the module for this CPU in place of %s:",
			   facts->host.vendor_module);
		result_command(result, "sudo modprobe -r %s && sudo modprobe %s",
			       facts->host.vendor_module, module_name(facts));
		return;
	}
	result_say(result, "Guests run here without nesting. To nest, the CPU must show VMX or "
		   "SVM%s",
		   facts->host.hypervisor_bit ? ":" : ", which takes another machine.");
	if (facts->host.hypervisor_bit)
		l0_remedy(result, facts);
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

static bool nested_disabled(const struct facts *facts)
{
	return facts->kvm.asked_cpuid && !facts->kvm.offers_vmx && !facts->kvm.offers_svm &&
	       cpu_has_virt(facts) && !module_is_foreign(facts);
}

static void nested_disabled_summary(struct result *result, const struct facts *facts)
{
	const struct param *nested = &facts->host.nested;
	const char *module = module_name(facts), *virt = virt_name(facts);

	if (param_is_off(nested))
		summarise(result, "KVM does not offer %s to guests: nesting is switched off in "
			  "module %s (nested=%s).", virt, module, nested->text);
	else if (param_is_on(nested))
		summarise(result, "KVM does not offer %s to guests, although parameter nested of "
			  "module %s reads %s.", virt, module, nested->text);
	else
		summarise(result, "KVM does not offer %s to guests, although the CPU has it: most "
			  "likely nesting is switched off in module %s.", virt, module);
}

static void nested_disabled_remedy(struct result *result, const struct facts *facts)
{
	if (param_is_on(&facts->host.nested))
		result_say(result, "The parameter says that nesting is on: load the module anew, "
			   "and look for what it says in the kernel's log.");
	remedy_param(result, facts, "nested=1", "kvm-nested");
}

/* ---- 4xx: setting up ---- */

static bool kvm_capability_missing(const struct facts *facts)
{
	return facts->kvm.missing_cap != NULL;
}

static void kvm_capability_missing_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "The KVM of this kernel (%.70s) lacks %s, which minivmm needs.",
		  facts->host.kernel, facts->kvm.missing_cap);
}

static void kvm_capability_missing_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "Boot a newer kernel; a /dev/kvm that is not Linux's own may lack it "
		   "for good.");
}

static bool hidden_by_option(const struct facts *facts)
{
	return facts->kvm.hidden_by_option;
}

static void hidden_by_option_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "KVM offers %s, but the CPU model given with -cpu hides it from L1.",
		  facts->kvm.offers_svm ? "SVM" : "VMX");
}

static void hidden_by_option_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "Leave -cpu away, or give it the host's model:");
	result_command(result, "minivmm --nested-probe -cpu host");
}

static bool kvm_busy(const struct facts *facts)
{
	return facts->kvm.failed_errno == EBUSY &&
	       strcmp(facts->kvm.failed_call, "KVM_CREATE_VM") == 0;
}

static void kvm_busy_summary(struct result *result, const struct facts *facts)
{
	const char *other = facts->host.other_hypervisor;

	summarise(result, "KVM cannot create a VM (Device or resource busy): another "
		  "hypervisor%s%s%s holds the CPU's %s.", other[0] ? " (module " : "", other,
		  other[0] ? ")" : "", virt_name(facts));
}

static void kvm_busy_remedy(struct result *result, const struct facts *facts)
{
	const char *other = facts->host.other_hypervisor;

	say_on_the_host(result, facts);
	result_say(result, "Stop the virtual machines of VirtualBox, VMware or whatever else runs "
		   "them%s", other[0] ? ", then unload its module:" : ".");
	if (strcmp(other, "vboxdrv") == 0)
		result_command(result, "sudo modprobe -r vboxnetadp vboxnetflt vboxdrv");
	else if (other[0])
		result_command(result, "sudo modprobe -r %s", other);
}

static const struct {
	uint32_t index;
	const char *name;
} msrs[] = {
	{ 0x0000003a, "IA32_FEATURE_CONTROL" },
	{ 0x0000008b, "IA32_BIOS_SIGN_ID" },
	{ 0x000000e1, "IA32_UMWAIT_CONTROL" },
	{ 0x0000010a, "IA32_ARCH_CAPABILITIES" },
	{ 0x00000345, "IA32_PERF_CAPABILITIES" },
	{ 0x0000038d, "IA32_FIXED_CTR_CTRL" },
	{ 0x00000480, "IA32_VMX_BASIC" },
	{ 0x00000481, "IA32_VMX_PINBASED_CTLS" },
	{ 0x00000482, "IA32_VMX_PROCBASED_CTLS" },
	{ 0x00000483, "IA32_VMX_EXIT_CTLS" },
	{ 0x00000484, "IA32_VMX_ENTRY_CTLS" },
	{ 0x00000485, "IA32_VMX_MISC" },
	{ 0x00000486, "IA32_VMX_CR0_FIXED0" },
	{ 0x00000487, "IA32_VMX_CR0_FIXED1" },
	{ 0x00000488, "IA32_VMX_CR4_FIXED0" },
	{ 0x00000489, "IA32_VMX_CR4_FIXED1" },
	{ 0x0000048a, "IA32_VMX_VMCS_ENUM" },
	{ 0x0000048b, "IA32_VMX_PROCBASED_CTLS2" },
	{ 0x0000048c, "IA32_VMX_EPT_VPID_CAP" },
	{ 0x0000048d, "IA32_VMX_TRUE_PINBASED_CTLS" },
	{ 0x0000048e, "IA32_VMX_TRUE_PROCBASED_CTLS" },
	{ 0x0000048f, "IA32_VMX_TRUE_EXIT_CTLS" },
	{ 0x00000490, "IA32_VMX_TRUE_ENTRY_CTLS" },
	{ 0x00000491, "IA32_VMX_VMFUNC" },
	{ 0xc0000080, "EFER" },
	{ 0xc0010114, "VM_CR" },
	{ 0xc0010117, "VM_HSAVE_PA" },
};

static const char *msr_name(uint32_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		if (msrs[i].index == index)
			return msrs[i].name;
	return "unnamed";
}

static bool msr_rejected(const struct facts *facts)
{
	return facts->kvm.failed_call[0] && facts->kvm.rejected_msr != 0;
}

static void msr_rejected_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "KVM refused to set MSR 0x%x (%s) of the vCPU.", facts->kvm.rejected_msr,
		  msr_name(facts->kvm.rejected_msr));
}

static void msr_rejected_remedy(struct result *result, const struct facts *facts)
{
	if (facts->kvm.rejected_msr == 0x3a ||
	    (facts->kvm.rejected_msr >= 0x480 && facts->kvm.rejected_msr <= 0x491))
		result_say(result, "KVM takes this MSR only for a vCPU that shows VMX: most likely "
			   "it offers the bit without the rest. Try a newer kernel.");
	else
		result_say(result, "Try a newer kernel, or a CPU model that does without the "
			   "feature.");
}

/* A call that failed on the way to L1, when no finer reason fits. */
static bool kvm_setup_failed(const struct facts *facts)
{
	return facts->kvm.failed_call[0] || facts->kvm.open_errno || facts->kvm.api_errno;
}

static int setup_errno(const struct facts *facts)
{
	if (facts->kvm.failed_call[0])
		return facts->kvm.failed_errno;
	return facts->kvm.open_errno ? facts->kvm.open_errno : facts->kvm.api_errno;
}

static void kvm_setup_failed_summary(struct result *result, const struct facts *facts)
{
	const char *call = facts->kvm.failed_call;
	int err = setup_errno(facts);

	if (call[0])
		summarise(result, "Setting up the virtual machine failed at %s: %s (errno %d).",
			  call, strerror(err), err);
	else
		summarise(result, "%s %s: %s (errno %d).", dev_path(facts),
			  facts->kvm.open_errno ? "cannot be opened" :
						  "opens, but KVM_GET_API_VERSION failed",
			  strerror(err), err);
}

static void kvm_setup_failed_remedy(struct result *result, const struct facts *facts)
{
	int err = setup_errno(facts);

	if ((err == EPERM || err == EACCES || err == ENOSYS) && facts->host.seccomp == YES)
		result_say(result, "A seccomp filter watches over this process and may refuse it; "
			   "to rule that out in a container: --security-opt seccomp=unconfined.");
	if (err == ENOMEM || err == EMFILE || err == ENFILE || err == ENOSPC)
		result_say(result, "Out of memory, files or another limit: see ulimit -a, and the "
			   "limits of the cgroup.");
	result_say(result, "The kernel's log may tell more:");
	result_command(result, "sudo dmesg | tail -n 20");
}

/* ---- 5xx: L1 and L2 ---- */

static const struct {
	const char *name, *title;
} checks[L1_CHECK_COUNT] = {
#define X(number, id, name, level, title) [number] = { name, title },
	L1_CHECKS(X)
#undef X
#define X(number, id, name, level, title, vmx, svm, proves) [number] = { name, title },
	L1_FEATURES(X)
#undef X
};

/* The number may come from the guest. */
static const char *check_name(unsigned int check)
{
	return check < L1_CHECK_COUNT && checks[check].name ? checks[check].name : "unknown";
}

bool l1_status_possible(unsigned int check, unsigned int status, enum l1_vendor vendor)
{
	switch (status) {
	case L1_PASSED:
	case L1_FAILED:
		return true;
	case L1_NOT_OFFERED:
		return check == L1_CHECK_NESTED_PAGING || check > L1_CORE_LAST;
	case L1_NOT_APPLICABLE:
		return (check == L1_CHECK_VMCS_LOAD && vendor == L1_VENDOR_SVM) ||
		       check > L1_CORE_LAST;
	case L1_NOT_TRIED:
		return check > L1_CORE_LAST;
	default:
		return false;
	}
}

static bool check_failed(const struct facts *facts, unsigned int check)
{
	unsigned int status = facts->run.status[check];

	return status && (status == L1_FAILED ||
			  !l1_status_possible(check, status, facts->run.vendor));
}

/* The first check from `first` to `last` that failed; L1_CHECK_NONE = none did. */
static unsigned int first_failed(const struct facts *facts, unsigned int first, unsigned int last)
{
	for (unsigned int check = first; check <= last; check++)
		if (checks[check].name && check_failed(facts, check))
			return check;
	return L1_CHECK_NONE;
}

static bool run_is_vmx(const struct facts *facts)
{
	return facts->run.vendor == L1_VENDOR_VMX ||
	       (facts->run.vendor != L1_VENDOR_SVM && !cpu_is_svm(facts));
}

static const char *run_level(const struct facts *facts)
{
	switch (facts->run.in_l2) {
	case YES:
		return "L2";
	case NO:
		return "L1";
	default:
		return "L1 or L2";
	}
}

/* How far L1 had come: "during check l2-port", and what went wrong before that. */
static const char *progress(char text[96], const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	unsigned int failed = first_failed(facts, L1_CHECK_CPU_SHOWS_VIRT, L1_CHECK_COUNT - 1);

	if (run->last_check == L1_CHECK_NONE)
		snprintf(text, 96, "before the first check");
	else
		snprintf(text, 96, "%s check %s%s%s%s", run->in_check ? "during" : "after",
			 check_name(run->last_check), failed ? " (" : "",
			 failed ? check_name(failed) : "", failed ? " had failed)" : "");
	return text;
}

/* No setting of this host explains it: the fault is one of a program's. */
static void remedy_report(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;

	if (host->hypervisor_bit)
		result_say(result, "No setting explains this. This machine is itself a guest (of "
			   "%s): the fault lies there, in this kernel's KVM (%.70s), or in "
			   "minivmm. Try others.", l0_name(host), host->kernel);
	else
		result_say(result, "No setting explains this: the fault lies in this kernel's KVM "
			   "(%.70s), or in minivmm. Try another kernel.", host->kernel);
	result_say(result, "If it stays, report it, with the output of:");
	result_command(result, "minivmm --nested-probe --verbose");
}

static bool self_failed(const struct facts *facts)
{
	return facts->run.end == RUN_SELF_FAILED;
}

static void self_failed_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "minivmm itself failed at %s: %s.", facts->kvm.failed_call,
		  strerror(facts->kvm.failed_errno));
}

static bool l1_not_started(const struct facts *facts)
{
	return facts->run.end == RUN_NOT_STARTED;
}

static bool timed_out(const struct facts *facts)
{
	return facts->run.end == RUN_TIMED_OUT;
}

static void timed_out_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	if (!facts->run.rip)
		summarise(result, "Time ran out while the virtual machine was being set up.");
	else
		summarise(result, "Time ran out %s: %s was at RIP 0x%llx.", progress(text, facts),
			  run_level(facts), (unsigned long long)facts->run.rip);
}

static void timed_out_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "More time tells a slow machine from a hung one:");
	result_command(result, "minivmm --nested-probe --timeout 60");
	result_say(result, "If it hangs at the same place, try another kernel, and another level "
		   "below; then report it, with the output of:");
	result_command(result, "minivmm --nested-probe --verbose");
}

/* "VM-entry failure due to invalid guest state" (33), with bit 31: Intel SDM volume 3,
 * appendix C. */
static bool entry_invalid_guest_state(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 0x80000021;
}

static void entry_invalid_guest_state_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: invalid guest state (hardware error "
		  "0x80000021)%s.", run_level(facts), progress(text, facts),
		  param_is_off(&facts->host.unrestricted_guest) ?
		  "; KVM runs without unrestricted guest" : "");
}

static void entry_invalid_guest_state_remedy(struct result *result, const struct facts *facts)
{
	if (param_is_off(&facts->host.unrestricted_guest)) {
		result_say(result, "Most likely for want of unrestricted guest mode, which is off "
			   "here (or the CPU lacks it; then this does not help):");
		remedy_param(result, facts, "unrestricted_guest=1", "kvm-unrestricted-guest");
		return;
	}
	remedy_report(result, facts);
}

/* VM-instruction error 7 of the VMLAUNCH of KVM itself. SVM has exit codes here instead. */
static bool entry_invalid_control(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 7 &&
	       run_is_vmx(facts);
}

static void entry_invalid_control_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: invalid control field (hardware error "
		  "0x7); the level below lacks a VMX control that KVM sets.", run_level(facts),
		  progress(text, facts));
}

static void entry_invalid_control_remedy(struct result *result, const struct facts *facts)
{
	if (!param_is_on(&facts->host.enable_apicv)) {
		remedy_report(result, facts);
		return;
	}
	result_say(result, "Known of emulated hosts (Bochs): they announce APIC virtualization and "
		   "refuse it. Try without:");
	remedy_param(result, facts, "enable_apicv=0", "kvm-apicv");
}

static bool entry_fail_reason_zero(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 0;
}

static void entry_fail_reason_zero_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s, and the reason it gives is 0%s.",
		  run_level(facts), progress(text, facts),
		  strcmp(facts->host.hypervisor, "Microsoft Hv") == 0 ?
		  ", as seen under Hyper-V with enlightened VMCS" : "");
}

static void entry_fail_reason_zero_remedy(struct result *result, const struct facts *facts)
{
	if (strcmp(facts->host.hypervisor, "Microsoft Hv") == 0 && run_is_vmx(facts)) {
		result_say(result, "Without enlightened VMCS the real number shows:");
		remedy_param(result, facts, "enlightened_vmcs=0", "kvm-evmcs");
		return;
	}
	remedy_report(result, facts);
}

static bool entry_failed(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY;
}

static void entry_failed_summary(struct result *result, const struct facts *facts)
{
	uint64_t reason = facts->run.hardware_reason;
	bool svm_invalid = !run_is_vmx(facts) && (uint32_t)reason == 0xffffffff;
	char text[96];

	summarise(result, "The CPU refused to enter %s %s (hardware error 0x%llx%s).",
		  run_level(facts), progress(text, facts), (unsigned long long)reason,
		  svm_invalid ? ", VMEXIT_INVALID" : "");
}

static bool emulation_failure(const struct facts *facts)
{
	return facts->run.end == RUN_INTERNAL_ERROR && facts->run.suberror == 1;
}

static void emulation_failure_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "KVM gave up %s: it could not emulate the instruction of %s at RIP "
		  "0x%llx.",
		  progress(text, facts), run_level(facts), (unsigned long long)facts->run.rip);
}

static bool kvm_internal_error(const struct facts *facts)
{
	return facts->run.end == RUN_INTERNAL_ERROR;
}

static void kvm_internal_error_summary(struct result *result, const struct facts *facts)
{
	static const char *const names[] = {	/* linux/kvm.h: KVM_INTERNAL_ERROR_* */
		[2] = " (simultaneous exceptions)",
		[3] = " (exit while an event was delivered)",
		[4] = " (unexpected exit reason)",
	};
	uint32_t suberror = facts->run.suberror;
	char text[96];

	summarise(result, "KVM gave up %s: internal error %u%s, with %s at RIP 0x%llx.",
		  progress(text, facts), suberror,
		  suberror < ARRAY_SIZE(names) && names[suberror] ? names[suberror] : "",
		  run_level(facts), (unsigned long long)facts->run.rip);
}

static bool l1_triple_fault(const struct facts *facts)
{
	return facts->run.end == RUN_SHUTDOWN;
}

static void l1_triple_fault_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The virtual machine shut down (triple fault) %s: %s was at RIP 0x%llx.",
		  progress(text, facts), run_level(facts), (unsigned long long)facts->run.rip);
}

static bool l1_trap(const struct facts *facts)
{
	return facts->run.end == RUN_TRAP;
}

static const char *vector_name(uint64_t vector)
{
	static const char *const names[] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", [10] = "#TS", "#NP",
		"#SS", "#GP", "#PF", [16] = "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
		[28] = "#HV", "#VC", "#SX",
	};

	return vector < ARRAY_SIZE(names) && names[vector] ? names[vector] : "an interrupt";
}

static void l1_trap_summary(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	char text[96];

	summarise(result, "L1 took %s (vector %llu, error code 0x%llx) %s, at RIP 0x%llx.",
		  vector_name(run->trap_vector), (unsigned long long)run->trap_vector,
		  (unsigned long long)run->trap_error, progress(text, facts),
		  (unsigned long long)run->trap_address);
}

static bool l1_silent(const struct facts *facts)
{
	return facts->run.end == RUN_HALTED || facts->run.end == RUN_BAD_MESSAGE ||
	       facts->run.end == RUN_UNKNOWN_EXIT;
}

static void l1_silent_summary(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	char text[96], what[64];

	if (run->end == RUN_HALTED)
		snprintf(what, sizeof(what), "halted for good");
	else if (run->end == RUN_BAD_MESSAGE)
		snprintf(what, sizeof(what), "sent a message that minivmm does not know");
	else
		snprintf(what, sizeof(what), "left KVM with unknown exit reason %u",
			 run->exit_reason);
	summarise(result, "%s %s %s, at RIP 0x%llx.", run_level(facts), what, progress(text, facts),
		  (unsigned long long)run->rip);
}

static bool kvm_run_failed(const struct facts *facts)
{
	return facts->run.end == RUN_ERROR;
}

static void kvm_run_failed_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "KVM_RUN failed %s: %s (errno %d), with %s at RIP 0x%llx.",
		  progress(text, facts), strerror(facts->run.failed_errno), facts->run.failed_errno,
		  run_level(facts), (unsigned long long)facts->run.rip);
}

/* ---- what L1 reports of its checks ---- */

static bool l1_sees_no_virt(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_CPU_SHOWS_VIRT);
}

static void l1_sees_no_virt_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L1 sees no %s in its CPUID, although KVM offers it and minivmm told it "
		  "to show it.", facts->kvm.offers_svm ? "SVM" : "VMX");
}

static bool virt_not_allowed(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VIRT_ALLOWED);
}

static void virt_not_allowed_summary(struct result *result, const struct facts *facts)
{
	if (run_is_vmx(facts))
		summarise(result, "L1 may not use VMX: its IA32_FEATURE_CONTROL (MSR 0x3a) is not "
			  "locked with VMXON allowed.");
	else
		summarise(result, "L1 may not use SVM: its VM_CR (MSR 0xc0010114) says that SVM is "
			  "disabled.");
}

/* Intel SDM volume 3, "VM Instruction Error Numbers". */
static const char *instr_error_name(uint64_t number)
{
	static const char *const names[] = {
		[1] = "VMCALL in VMX root operation",
		[2] = "VMCLEAR with invalid address",
		[3] = "VMCLEAR with VMXON pointer",
		[4] = "VMLAUNCH with non-clear VMCS",
		[5] = "VMRESUME with non-launched VMCS",
		[6] = "VMRESUME after VMXOFF",
		[7] = "invalid control field",
		[8] = "invalid host-state field",
		[9] = "VMPTRLD with invalid address",
		[10] = "VMPTRLD with VMXON pointer",
		[11] = "VMPTRLD with wrong revision",
		[12] = "access to unsupported VMCS component",
		[13] = "VMWRITE to read-only component",
		[15] = "VMXON in VMX root operation",
		[26] = "events blocked by MOV SS",
		[28] = "invalid operand to INVEPT or INVVPID",
	};

	return number < ARRAY_SIZE(names) && names[number] ? names[number] : "unnamed";
}

/* What the CPU said of a failed check of L1's: " (VM-instruction error 7: ...)", or "". */
static const char *l1_evidence(char text[96], const struct facts *facts, unsigned int check)
{
	uint64_t error = facts->run.value[check][L1_VALUE_INSTR_ERROR];

	text[0] = '\0';
	if (error)
		snprintf(text, 96, " (VM-instruction error %llu: %s)", (unsigned long long)error,
			 instr_error_name(error));
	return text;
}

static bool l1_vmxon_fail(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VIRT_ON);
}

static void l1_vmxon_fail_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	if (run_is_vmx(facts))
		summarise(result, "VMXON failed in L1, although VMX is shown and allowed there%s.",
			  l1_evidence(text, facts, L1_CHECK_VIRT_ON));
	else
		summarise(result, "L1 could not switch SVM on (EFER.SVME, VM_HSAVE_PA), although "
			  "SVM is shown there.");
}

static bool l1_vmptrld_fail(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VMCS_LOAD);
}

static void l1_vmptrld_fail_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "VMXON worked in L1, but VMCLEAR or VMPTRLD failed there%s.",
		  l1_evidence(text, facts, L1_CHECK_VMCS_LOAD));
}

static bool l2_entry_failed(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_L2_ENTRY);
}

static void l2_entry_failed_summary(struct result *result, const struct facts *facts)
{
	const uint64_t *value = facts->run.value[L1_CHECK_L2_ENTRY];
	uint64_t exit = value[L1_VALUE_EXIT];
	char text[96];

	if (value[L1_VALUE_INSTR_ERROR])
		summarise(result, "L2 never ran: KVM refused L1's VMLAUNCH%s.",
			  l1_evidence(text, facts, L1_CHECK_L2_ENTRY));
	else if (run_is_vmx(facts) && exit <= UINT32_MAX && exit & BIT(31))
		summarise(result, "L2 never ran: L1's VMLAUNCH ended in a failed entry, exit "
			  "reason 0x%llx%s.", (unsigned long long)exit,
			  (exit & 0xffff) == 33 ? " (invalid guest state)" :
			  (exit & 0xffff) == 34 ? " (loading of MSRs)" : "");
	else if (!run_is_vmx(facts) && (uint32_t)exit == 0xffffffff)
		summarise(result, "L2 never ran: KVM refused L1's VMRUN (VMEXIT_INVALID: a check "
			  "of the VMCB failed).");
	else
		summarise(result, "L2 did not run as it should: L1's first %s came back with exit "
			  "0x%llx, L2 at RIP 0x%llx.", run_is_vmx(facts) ? "VMLAUNCH" : "VMRUN",
			  (unsigned long long)exit, (unsigned long long)value[L1_VALUE_RIP]);
}

/* KVM names the check of the control block that failed in this tracepoint. */
static void l2_entry_failed_remedy(struct result *result, const struct facts *facts)
{
	result_say(result, "KVM tells by a tracepoint which check failed; as root:");
	result_command(result, "echo 1 > "
		       "/sys/kernel/tracing/events/kvm/kvm_nested_vmenter_failed/enable; minivmm "
		       "--nested-probe; cat /sys/kernel/tracing/trace");
	remedy_report(result, facts);
}

static bool answer_is_wrong(const struct facts *facts)
{
	const struct run_facts *run = &facts->run;

	if (run->answer_checked && !run->answer_right &&
	    !check_failed(facts, L1_CHECK_L2_CHALLENGE))
		return true;
	return run->witness_writes && !run->witness_answer_right &&
	       !check_failed(facts, L1_CHECK_L2_PORT);
}

/* L1 says that a check passed, and the witness which that check calls has not spoken. */
static bool claim_is_bare(const struct facts *facts)
{
	const struct run_facts *run = &facts->run;

	if (run->status[L1_CHECK_L2_ENTRY] == L1_PASSED && run->nested_run_known &&
	    run->nested_run == 0)
		return true;
	if (run->status[L1_CHECK_L2_CHALLENGE] == L1_PASSED && !run->answer_checked)
		return true;
	return run->status[L1_CHECK_L2_PORT] == L1_PASSED && !run->witness_writes;
}

/* A guest-mode witness that an old KVM cannot give is UNKNOWN, and no disagreement. */
static bool witnesses_disagree(const struct facts *facts)
{
	return facts->run.disagreement[0] || answer_is_wrong(facts) || claim_is_bare(facts);
}

static void witnesses_disagree_summary(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	const char *what = "the guest of the guest gave a wrong answer to the challenge";

	if (run->disagreement[0])
		what = run->disagreement;
	else if (!answer_is_wrong(facts))
		what = run->nested_run_known && run->nested_run == 0 ?
			       "KVM counted no entry into L2" :
			       "L2 gave no answer to the challenge";
	summarise(result, "L1 says that L2 ran, but the evidence outside the guest is against it: "
		  "%s",
		  what);
	if (what[0] && what[strlen(what) - 1] != '.' &&
	    strlen(result->summary) < sizeof(result->summary) - 1)
		strcat(result->summary, ".");
}

static bool l2_wrong_exit(const struct facts *facts)
{
	return first_failed(facts, L1_CHECK_L2_CHALLENGE, L1_CHECK_L2_TRIPLE_FAULT);
}

static void l2_wrong_exit_summary(struct result *result, const struct facts *facts)
{
	unsigned int check =
		first_failed(facts, L1_CHECK_L2_CHALLENGE, L1_CHECK_L2_TRIPLE_FAULT);
	const uint64_t *value = facts->run.value[check];
	char where[64] = "", got[64] = "";

	if (value[L1_VALUE_EXIT] || value[L1_VALUE_RIP])
		snprintf(where, sizeof(where), "; exit 0x%llx at RIP 0x%llx",
			 (unsigned long long)value[L1_VALUE_EXIT],
			 (unsigned long long)value[L1_VALUE_RIP]);
	if (value[L1_VALUE_EXPECTED] != value[L1_VALUE_GOT])
		snprintf(got, sizeof(got), "; 0x%llx instead of 0x%llx",
			 (unsigned long long)value[L1_VALUE_GOT],
			 (unsigned long long)value[L1_VALUE_EXPECTED]);
	summarise(result, "L2 ran, but check %s failed: %s%s%s.", checks[check].name,
		  checks[check].title, where, got);
}

static bool l1_leave_failed(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VIRT_OFF);
}

static void l1_leave_failed_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L2 ran, but L1 could not leave %s (%s) afterwards.",
		  run_is_vmx(facts) ? "VMX operation" : "SVM",
		  run_is_vmx(facts) ? "VMXOFF" : "clearing EFER.SVME");
}

/* The first core check that never ended. */
static unsigned int first_untried(const struct facts *facts)
{
	for (unsigned int check = 1; check < L1_CHECK_COUNT && check <= L1_CORE_LAST; check++)
		if (checks[check].name && !facts->run.status[check])
			return check;
	return L1_CHECK_NONE;
}

static bool l1_incomplete(const struct facts *facts)
{
	return first_untried(facts);
}

static void l1_incomplete_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L1 said that it was done, but left check %s untried.",
		  check_name(first_untried(facts)));
}

/* Nothing but L1's own word: no statistic, no nested state. */
static bool unwitnessed(const struct facts *facts)
{
	return !facts->run.nested_run_known && facts->run.witness_guest_mode != YES &&
	       facts->run.stat_guest_mode != YES;
}

static void unwitnessed_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "KVM's statistics came with Linux 5.14, KVM_GET_NESTED_STATE with 4.20 on "
		   "Intel and 5.8 on AMD: a newer kernel makes this an answer to rely on.");
}

static bool paging_absent(const struct facts *facts)
{
	return facts->run.status[L1_CHECK_NESTED_PAGING] != L1_PASSED;
}

static unsigned int failing_feature(const struct facts *facts)
{
	return first_failed(facts, L1_CORE_LAST + 1, L1_CHECK_COUNT - 1);
}

static bool feature_fails(const struct facts *facts)
{
	return failing_feature(facts) != L1_CHECK_NONE;
}

static void feature_fails_summary(struct result *result, const struct facts *facts)
{
	unsigned int first = failing_feature(facts), count = 0;
	char others[48] = "";

	for (unsigned int check = first; check < L1_CHECK_COUNT; check++)
		count += checks[check].name && check_failed(facts, check);
	if (count > 1)
		snprintf(others, sizeof(others), ", and %u more that the map names", count - 1);
	summarise(result, "L2 runs and every core check passed, but nested feature %s is offered and "
		  "fails%s.", check_name(first), others);
}

static const char *paging_name(const struct facts *facts)
{
	return run_is_vmx(facts) ? "EPT" : "NPT";
}

static void paging_absent_summary(struct result *result, const struct facts *facts)
{
	const struct param *param = &facts->host.nested_paging;

	if (facts->kvm.offers_nested_paging)
		summarise(result, "L2 runs, but -cpu hides nested paging (%s) from L1; KVM offers it.",
			  paging_name(facts));
	else
		summarise(result, "L2 runs, but KVM offers no nested paging (%s) to L1%s: hypervisors in "
			  "it must use shadow paging, which is slow.", paging_name(facts),
			  facts->host.cpu_nested_paging == NO ? ", as the CPU shows none" :
			  param_is_off(param)		      ? ", as it is switched off here" :
								"");
}

static void paging_absent_remedy(struct result *result, const struct facts *facts)
{
	if (facts->kvm.offers_nested_paging)
		result_say(result, "Leave the feature out of -cpu.");
	else if (param_is_off(&facts->host.nested_paging) && facts->host.cpu_nested_paging != NO)
		remedy_param(result, facts, run_is_vmx(facts) ? "ept=1" : "npt=1", "kvm-paging");
	else if (facts->host.hypervisor_bit)
		result_say(result, "This machine is itself a guest (of %s), which most likely does "
			   "not show %s to it: see that hypervisor's settings, or take a newer "
			   "CPU.",
			   l0_name(&facts->host), paging_name(facts));
	else
		result_say(result, "The CPU most likely lacks %s: take a newer one.",
			   paging_name(facts));
}

static bool always(const struct facts *facts)
{
	(void)facts;
	return true;
}

static void ok_summary(struct result *result, const struct facts *facts)
{
	char counted[64] = "", below[64] = "";

	if (facts->run.nested_run_known)
		snprintf(counted, sizeof(counted), ", KVM counted %llu entries into L2",
			 (unsigned long long)facts->run.nested_run);
	if (facts->host.hypervisor_bit)
		snprintf(below, sizeof(below), "; this machine is itself a guest (of %s)",
			 l0_name(&facts->host));
	summarise(result, "Nested virtualization works: L2 ran under %s, every core check "
		  "passed%s%s.", run_is_vmx(facts) ? "VMX" : "SVM", counted, below);
}

/* ---- the catalogue ---- */

/* A row: number, name, verdict, what it does; then cause and tell. */
#define REASON(number_, name_, verdict_, applies_, summary_, remedy_)			\
	.number = (number_), .name = (name_), .verdict = VERDICT_##verdict_,		\
	.applies = (applies_), .summary = (summary_), .remedy = (remedy_)

const struct reason reasons[] = {
	{
		REASON(901, "minivmm-failed", FAILED, self_failed, self_failed_summary, NULL),
		.cause = "minivmm itself failed; that says nothing of this machine.",
		.tell = "The kernel refused a timer, or random numbers.",
	}, {
		REASON(106, "not-a-kvm-device", UNAVAILABLE,
		       dev_not_kvm, dev_not_kvm_summary, dev_not_kvm_remedy),
		.cause = "What stands at /dev/kvm is not KVM's device.",
		.tell = "It is no character device 10:232, or KVM_GET_API_VERSION fails or does "
			"not answer 12.",
	}, {
		REASON(101, "kvm-dev-not-in-container", UNAVAILABLE, dev_not_in_container,
		       dev_not_in_container_summary, dev_not_in_container_remedy),
		.cause = "The kernel has KVM, but its device was not passed to this container.",
		.tell = "/dev/kvm does not exist, while /proc/misc or /sys/devices/virtual/misc "
			"lists kvm.",
	}, {
		REASON(205, "confidential-guest", UNAVAILABLE,
		       confidential_guest, NULL, confidential_guest_remedy),
		.cause = "There is no KVM in here, as this machine is a confidential guest (TDX or "
			 "SEV-SNP), which cannot nest.",
		.tell = "No device, and CPUID leaf 0x21 says IntelTDX, or /dev/tdx_guest or "
			"/dev/sev-guest exists.",
	}, {
		REASON(201, "cpu-no-virt", UNAVAILABLE,
		       cpu_no_virt, cpu_no_virt_summary, cpu_no_virt_remedy),
		.cause = "The CPU has neither VMX nor SVM.",
		.tell = "No device; CPUID.1:ECX[5], CPUID.80000001h:ECX[2] and the hypervisor bit "
			"CPUID.1:ECX[31] are clear.",
	}, {
		REASON(202, "l0-hides-virt", UNAVAILABLE,
		       l0_hides_virt, l0_hides_virt_summary, l0_remedy),
		.cause = "This machine is itself a guest, and its hypervisor does not show VMX or "
			 "SVM to it.",
		.tell = "No device; CPUID shows neither VMX nor SVM, and the hypervisor bit "
			"CPUID.1:ECX[31] is set.",
	}, {
		REASON(301, "kernel-without-kvm", UNAVAILABLE,
		       kernel_without_kvm, kernel_without_kvm_summary, kernel_without_kvm_remedy),
		.cause = "The CPU could, but this kernel was built without KVM for it.",
		.tell = "No device; CPUID shows VMX or SVM; neither modules.dep nor "
			"modules.builtin of this kernel lists kvm-intel or kvm-amd, or it has no "
			"modules at all.",
	}, {
		REASON(203, "firmware-disabled-vmx", UNAVAILABLE, firmware_disabled_vmx,
		       firmware_disabled_summary, firmware_disabled_remedy),
		.cause = "The CPU has VMX, but the firmware has most likely switched it off.",
		.tell = "No device; CPUID shows VMX, yet /proc/cpuinfo has no vmx flag: the kernel "
			"clears it when IA32_FEATURE_CONTROL (MSR 0x3a) is locked without VMX.",
	}, {
		REASON(204, "firmware-disabled-svm", UNAVAILABLE, firmware_disabled_svm,
		       firmware_disabled_summary, firmware_disabled_remedy),
		.cause = "The CPU has SVM, but the firmware has most likely switched it off.",
		.tell = "No device; CPUID shows SVM, yet /proc/cpuinfo has no svm flag: the kernel "
			"clears it when VM_CR (MSR 0xc0010114) has SVMDIS set.",
	}, {
		REASON(302, "kvm-module-not-loaded", UNAVAILABLE,
		       kvm_module_not_loaded, kvm_module_not_loaded_summary, modprobe_remedy),
		.cause = "The kernel's KVM modules are not loaded.",
		.tell = "No device; CPUID shows VMX or SVM; /sys/module/kvm does not exist.",
	}, {
		REASON(303, "kvm-vendor-module-not-loaded", UNAVAILABLE, vendor_module_not_loaded,
		       vendor_module_not_loaded_summary, modprobe_remedy),
		.cause = "Module kvm is loaded, but not the one for this CPU, kvm_intel or "
			 "kvm_amd.",
		.tell = "No device; CPUID shows VMX or SVM; /sys/module/kvm exists, and no "
			"/sys/module/kvm_*.",
	}, {
		REASON(102, "kvm-dev-missing", UNAVAILABLE,
		       dev_missing, dev_missing_summary, dev_missing_remedy),
		.cause = "There is no KVM device, and nothing that can be read here tells why.",
		.tell = "Opening /dev/kvm fails with ENOENT, ENODEV or ENXIO, and no finer reason "
			"applies.",
	}, {
		REASON(103, "kvm-dev-cgroup-denied", UNAVAILABLE, dev_cgroup_denied,
		       dev_cgroup_denied_summary, dev_cgroup_denied_remedy),
		.cause = "The device cgroup of this container or service does not allow /dev/kvm.",
		.tell = "Opening /dev/kvm fails with EPERM, where file permissions would give "
			"EACCES.",
	}, {
		REASON(104, "kvm-dev-userns-or-lsm", UNAVAILABLE, dev_userns_or_lsm,
		       dev_userns_or_lsm_summary, dev_userns_or_lsm_remedy),
		.cause = "A user namespace or a security module keeps this process from /dev/kvm.",
		.tell = "Opening /dev/kvm fails with EACCES, while its owner or group is not "
			"mapped into this user namespace (65534), or its mode would allow it.",
	}, {
		REASON(105, "kvm-dev-permission", UNAVAILABLE,
		       dev_permission, dev_permission_summary, dev_permission_remedy),
		.cause = "This user may not read and write /dev/kvm.",
		.tell = "Opening /dev/kvm fails with EACCES, and its mode, owner and group say so.",
	}, {
		REASON(401, "kvm-capability-missing", UNAVAILABLE, kvm_capability_missing,
		       kvm_capability_missing_summary, kvm_capability_missing_remedy),
		.cause = "This KVM lacks a capability that minivmm needs.",
		.tell = "KVM_CHECK_EXTENSION answers 0 for it.",
	}, {
		REASON(206, "kvm-without-hw-virt", UNAVAILABLE, kvm_without_hw_virt,
		       kvm_without_hw_virt_summary, kvm_without_hw_virt_remedy),
		.cause = "KVM works here, but by software (kvm_pvm, say), so guests get no VMX or "
			 "SVM.",
		.tell = "KVM_GET_SUPPORTED_CPUID shows neither VMX nor SVM, and neither does "
			"CPUID, or the module that serves KVM is neither kvm_intel nor kvm_amd.",
	}, {
		REASON(304, "nested-disabled", UNAVAILABLE,
		       nested_disabled, nested_disabled_summary, nested_disabled_remedy),
		.cause = "KVM works, but nesting is switched off in kvm_intel or kvm_amd.",
		.tell = "CPUID shows VMX or SVM, KVM_GET_SUPPORTED_CPUID does not (Linux: "
			"Documentation/virt/kvm/x86/running-nested-guests.rst).",
	}, {
		REASON(402, "hidden-by-option", UNAVAILABLE,
		       hidden_by_option, hidden_by_option_summary, hidden_by_option_remedy),
		.cause = "The CPU model given on the command line hides VMX or SVM from L1.",
		.tell = "KVM offers it; option -cpu takes it away.",
	}, {
		REASON(502, "timed-out", TIMED_OUT, timed_out, timed_out_summary, timed_out_remedy),
		.cause = "The deadline came before L1 was done.",
		.tell = "The deadline ended the set-up or KVM_RUN; the check under way and RIP are "
			"named.",
	}, {
		REASON(403, "kvm-busy-other-hypervisor", UNAVAILABLE,
		       kvm_busy, kvm_busy_summary, kvm_busy_remedy),
		.cause = "Another hypervisor, such as VirtualBox or VMware, holds the CPU's VMX or "
			 "SVM.",
		.tell = "KVM_CREATE_VM fails with EBUSY.",
	}, {
		REASON(404, "msr-rejected", UNAVAILABLE,
		       msr_rejected, msr_rejected_summary, msr_rejected_remedy),
		.cause = "KVM refused to set a model-specific register of the vCPU.",
		.tell = "KVM_SET_MSRS stops short at it.",
	}, {
		REASON(405, "kvm-setup-failed", UNAVAILABLE,
		       kvm_setup_failed, kvm_setup_failed_summary, kvm_setup_failed_remedy),
		.cause = "A call that sets up the virtual machine failed.",
		.tell = "The system call or ioctl and its errno are named.",
	}, {
		REASON(501, "l1-not-started", FAILED, l1_not_started, NULL, NULL),
		.cause = "minivmm itself failed before it could start L1.",
		.tell = "Nothing was in the way, and L1 never ran.",
	}, {
		REASON(503, "entry-invalid-guest-state", BROKEN, entry_invalid_guest_state,
		       entry_invalid_guest_state_summary, entry_invalid_guest_state_remedy),
		.cause = "The CPU refused the guest's state when KVM entered it.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 0x80000021.",
	}, {
		REASON(504, "entry-invalid-control", BROKEN, entry_invalid_control,
		       entry_invalid_control_summary, entry_invalid_control_remedy),
		.cause = "The CPU refused a VMX control that KVM sets: the level below does not "
			 "really support it.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 7, a VM-instruction error.",
	}, {
		REASON(505, "entry-fail-reason-zero", BROKEN, entry_fail_reason_zero,
		       entry_fail_reason_zero_summary, entry_fail_reason_zero_remedy),
		.cause = "The CPU refused to enter the guest and gave no reason.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 0; seen under Hyper-V with "
			"enlightened VMCS.",
	}, {
		REASON(506, "entry-failed", BROKEN,
		       entry_failed, entry_failed_summary, remedy_report),
		.cause = "The CPU refused to enter the guest.",
		.tell = "KVM_EXIT_FAIL_ENTRY with any other hardware reason.",
	}, {
		REASON(507, "emulation-failure", BROKEN,
		       emulation_failure, emulation_failure_summary, remedy_report),
		.cause = "KVM had to emulate an instruction, and could not.",
		.tell = "KVM_EXIT_INTERNAL_ERROR with suberror 1.",
	}, {
		REASON(508, "kvm-internal-error", BROKEN,
		       kvm_internal_error, kvm_internal_error_summary, remedy_report),
		.cause = "KVM reported an internal error.",
		.tell = "KVM_EXIT_INTERNAL_ERROR with a suberror other than 1.",
	}, {
		REASON(509, "l1-triple-fault", BROKEN,
		       l1_triple_fault, l1_triple_fault_summary, remedy_report),
		.cause = "L1, or L2 along with it, shut down by a triple fault.",
		.tell = "KVM_EXIT_SHUTDOWN; KVM's nested state tells in which level.",
	}, {
		REASON(510, "l1-trap", BROKEN, l1_trap, l1_trap_summary, remedy_report),
		.cause = "L1 took an exception where none should be.",
		.tell = "L1's own handler reports vector, error code and address.",
	}, {
		REASON(511, "l1-silent", BROKEN, l1_silent, l1_silent_summary, remedy_report),
		.cause = "L1 stopped without telling a result.",
		.tell = "It halted for good, or sent or did something that minivmm does not know.",
	}, {
		REASON(512, "kvm-run-failed", BROKEN,
		       kvm_run_failed, kvm_run_failed_summary, remedy_report),
		.cause = "KVM_RUN itself failed.",
		.tell = "The ioctl's errno is named.",
	}, {
		REASON(520, "l1-sees-no-virt", BROKEN,
		       l1_sees_no_virt, l1_sees_no_virt_summary, remedy_report),
		.cause = "L1's CPUID shows neither VMX nor SVM, although KVM was told to show it.",
		.tell = "Check cpu-shows-virt fails.",
	}, {
		REASON(521, "feature-control-not-locked", BROKEN,
		       virt_not_allowed, virt_not_allowed_summary, remedy_report),
		.cause = "L1's feature control (VMX) or VM_CR (SVM) does not allow virtualization.",
		.tell = "Check virt-allowed fails.",
	}, {
		REASON(522, "l1-vmxon-fail", BROKEN,
		       l1_vmxon_fail, l1_vmxon_fail_summary, remedy_report),
		.cause = "L1 could not switch VMX or SVM on.",
		.tell = "Check virt-on fails: VMXON, or setting EFER.SVME.",
	}, {
		REASON(523, "l1-vmptrld-fail", BROKEN,
		       l1_vmptrld_fail, l1_vmptrld_fail_summary, remedy_report),
		.cause = "L1 could not load a VMCS.",
		.tell = "Check vmcs-load fails: VMCLEAR or VMPTRLD.",
	}, {
		REASON(524, "l2-entry-failed", BROKEN,
		       l2_entry_failed, l2_entry_failed_summary, l2_entry_failed_remedy),
		.cause = "L1 could not enter L2.",
		.tell = "Check l2-entry fails: VMLAUNCH or VMRUN comes back without L2 having run.",
	}, {
		REASON(525, "witnesses-disagree", BROKEN,
		       witnesses_disagree, witnesses_disagree_summary, remedy_report),
		.cause = "L1 claims that L2 ran, and the evidence that a guest cannot write is "
			 "against it.",
		.tell = "The answer to the challenge, KVM's count of nested entries, or KVM's word "
			"on guest mode at L2's port accesses does not fit.",
	}, {
		REASON(526, "l2-wrong-exit", BROKEN,
		       l2_wrong_exit, l2_wrong_exit_summary, remedy_report),
		.cause = "L2 runs, but one of its exits to L1 is wrong or missing.",
		.tell = "One of the checks from l2-challenge to l2-triple-fault fails; it is "
			"named.",
	}, {
		REASON(527, "l1-leave-failed", BROKEN,
		       l1_leave_failed, l1_leave_failed_summary, remedy_report),
		.cause = "L1 could not leave VMX operation, or switch SVM off, after L2.",
		.tell = "Check virt-off fails.",
	}, {
		REASON(528, "l1-incomplete", BROKEN,
		       l1_incomplete, l1_incomplete_summary, remedy_report),
		.cause = "L1 said that it was done and left core checks untried.",
		.tell = "A core check has no result.",
	}, {
		REASON(541, "l2-unwitnessed", LIMITED, unwitnessed, NULL, unwitnessed_remedy),
		.cause = "L1 says that L2 ran and all is well, but this kernel's KVM has no witness "
			 "of it: that is L1's word alone.",
		.tell = "Neither the statistics nested_run and guest_mode nor KVM_GET_NESTED_STATE are "
			"there.",
	}, {
		REASON(540, "ept-or-npt-absent", LIMITED,
		       paging_absent, paging_absent_summary, paging_absent_remedy),
		.cause = "Nesting works, but KVM offers no nested paging (EPT or NPT) to L1.",
		.tell = "Check nested-paging reports that L1's CPU does not offer it.",
	}, {
		REASON(545, "feature-fails", LIMITED,
		       feature_fails, feature_fails_summary, remedy_report),
		.cause = "Nesting works, but an optional feature that L1's CPU offers does not work.",
		.tell = "With --features, one of the checks from number 100 on fails; it is named.",
	}, {
		REASON(0, "ok", WORKS, always, ok_summary, NULL),
		.cause = "Nested virtualization works.",
		.tell = "L2 ran, every core check passed, and KVM's own counters agree.",
	},
};

const size_t reason_count = ARRAY_SIZE(reasons);

/* The last row always applies. */
static const struct reason *first_applying(const struct facts *facts)
{
	const struct reason *reason = reasons;

	while (!reason->applies(facts))
		reason++;
	return reason;
}

const struct reason *reason_diagnose(struct result *result, const struct facts *facts)
{
	const struct reason *reason = first_applying(facts);

	result->verdict = reason->verdict;
	result->reason_number = reason->number;
	result->reason = reason->name;
	if (reason->summary)
		reason->summary(result, facts);
	else
		summarise(result, "%s", reason->cause);
	result->remedies = 0;
	if (reason->remedy)
		reason->remedy(result, facts);
	return reason;
}

const struct reason *reason_before_run(const struct facts *facts)
{
	const struct reason *reason = first_applying(facts);

	return reason->number > 0 && reason->number < 500 ? reason : NULL;
}

const struct reason *reason_find(const char *name)
{
	for (size_t i = 0; i < reason_count; i++)
		if (strcmp(reasons[i].name, name) == 0)
			return &reasons[i];
	return NULL;
}
