// SPDX-License-Identifier: MIT
// Reads what can be known of the host without KVM: CPUID, /proc, /sys, the device node, groups.
// Everything is looked at by hand: NSS (getpwuid) does not work in a static glibc program, and an
// empty root or a foreign /lib/modules must not stop anything.
#include "bits.h"
#include "facts.h"

#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Copies `from` into `text` of `size` bytes, cut to fit. */
static void text_copy(char *text, size_t size, const char *from)
{
	size_t length = strlen(from);

	if (length > size - 1)
		length = size - 1;
	memcpy(text, from, length);
	text[length] = '\0';
}

/* Removes blanks at both ends, and what is not printable ASCII anywhere. */
static void text_tidy(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from >= ' ' && *from <= '~' && (to > text || *from != ' '))
			*to++ = *from;
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

static bool word_in(const char *text, const char *word, const char *separators)
{
	size_t length = strlen(word);

	while (*text) {
		size_t span = strcspn(text, separators);

		if (span == length && memcmp(text, word, length) == 0)
			return true;
		text += span;
		text += strspn(text, separators);
	}
	return false;
}

/* A text file, line by line through fixed buffers; what does not fit of a line is dropped. */
struct lines {
	int fd;
	size_t next, end;	/* unread part of `block` */
	char block[4096];
	char line[4096];
};

static bool lines_open(struct lines *lines, const char *path)
{
	lines->next = lines->end = 0;
	lines->fd = open(path, O_RDONLY | O_CLOEXEC);
	return lines->fd >= 0;
}

/* -1 = end of file, or an error: either way there is no more. */
static int lines_byte(struct lines *lines)
{
	if (lines->next == lines->end) {
		ssize_t got;

		do {
			got = read(lines->fd, lines->block, sizeof(lines->block));
		} while (got < 0 && errno == EINTR);
		if (got <= 0)
			return -1;
		lines->next = 0;
		lines->end = (size_t)got;
	}
	return (unsigned char)lines->block[lines->next++];
}

/* Puts the next line, without its newline, into lines->line. */
static bool lines_next(struct lines *lines)
{
	size_t used = 0;
	int byte;

	while ((byte = lines_byte(lines)) >= 0 && byte != '\n')
		if (used < sizeof(lines->line) - 1)
			lines->line[used++] = (char)byte;
	lines->line[used] = '\0';
	return used > 0 || byte == '\n';
}

static void lines_close(struct lines *lines)
{
	close(lines->fd);
}

/* First line of a file into `text`, cut to fit; "" when it cannot be read. */
static bool file_line(char *text, size_t size, const char *path)
{
	struct lines lines;
	bool read = false;

	text[0] = '\0';
	if (!lines_open(&lines, path))
		return false;
	if (lines_next(&lines)) {
		text_copy(text, size, lines.line);
		read = true;
	}
	lines_close(&lines);
	return read;
}

/* What follows `start` in the first line that begins with it. */
static bool file_find(char *text, size_t size, const char *path, const char *start)
{
	struct lines lines;
	bool found = false;

	text[0] = '\0';
	if (!lines_open(&lines, path))
		return false;
	while (!found && lines_next(&lines)) {
		found = strncmp(lines.line, start, strlen(start)) == 0;
		if (found)
			text_copy(text, size, lines.line + strlen(start));
	}
	lines_close(&lines);
	return found;
}

static bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- CPU ---- */

struct cpuid_regs {
	unsigned int eax, ebx, ecx, edx;
};

/* Zeros for a leaf that the CPU does not have. */
static struct cpuid_regs cpuid_leaf(unsigned int leaf)
{
	struct cpuid_regs r = { 0 };

	__get_cpuid(leaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
	return r;
}

/* A hypervisor's leaf: outside the ranges whose ends __get_cpuid() knows. */
static void hypervisor_signature(char text[16], unsigned int leaf)
{
	struct cpuid_regs r;

	__cpuid(leaf, r.eax, r.ebx, r.ecx, r.edx);
	memset(text, 0, 16);
	memcpy(text, &r.ebx, 4);
	memcpy(text + 4, &r.ecx, 4);
	memcpy(text + 8, &r.edx, 4);
	text_tidy(text);
}

/*
 * KVM and Xen can pose as Hyper-V at the first leaf and show their own name 0x100 further up
 * (QEMU's hv-* flags, Xen's viridian), so an own name there is the truth.
 */
static void hypervisor_read(struct host_facts *host)
{
	char second[16];

	if (!host->hypervisor_bit)
		return;
	hypervisor_signature(host->hypervisor, 0x40000000);
	if (strcmp(host->hypervisor, "Microsoft Hv") != 0)
		return;
	hypervisor_signature(second, 0x40000100);
	if (strcmp(second, "KVMKVMKVM") == 0 || strcmp(second, "XenVMMXenVMM") == 0)
		memcpy(host->hypervisor, second, sizeof(second));
}

/* CPUID in Intel SDM volume 2A, and AMD APM volume 3: extended family and model. */
static void cpu_model_read(struct host_facts *host, unsigned int signature)
{
	unsigned int family = (signature >> 8) & 0xf;

	host->stepping = signature & 0xf;
	host->model = (signature >> 4) & 0xf;
	if (family == 0x6 || family == 0xf)
		host->model |= ((signature >> 16) & 0xf) << 4;
	host->family = family == 0xf ? family + ((signature >> 20) & 0xff) : family;
}

static void cpu_brand_read(struct host_facts *host)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct cpuid_regs r = cpuid_leaf(0x80000002 + i);

		memcpy(host->cpu_brand + 16 * i, &r, sizeof(r));
	}
	host->cpu_brand[48] = '\0';
	text_tidy(host->cpu_brand);
}

static enum cpu_vendor cpu_vendor_read(void)
{
	struct cpuid_regs r = cpuid_leaf(0);
	char name[13] = { 0 };

	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.edx, 4);
	memcpy(name + 8, &r.ecx, 4);
	if (strcmp(name, "GenuineIntel") == 0)
		return CPU_INTEL;
	if (strcmp(name, "AuthenticAMD") == 0 || strcmp(name, "HygonGenuine") == 0)
		return CPU_AMD;
	return CPU_OTHER;
}

/* arch/x86/coco/tdx/tdx.c knows a TDX guest by this leaf; /dev/sev-guest exists under SEV-SNP. */
static bool cpu_is_confidential(void)
{
	struct cpuid_regs r = cpuid_leaf(0x21);
	char name[13] = { 0 };

	memcpy(name, &r.ebx, 4);
	memcpy(name + 4, &r.edx, 4);
	memcpy(name + 8, &r.ecx, 4);
	return strcmp(name, "IntelTDX    ") == 0 || file_exists("/dev/tdx_guest") ||
	       file_exists("/dev/sev-guest");
}

/* EPT is in an MSR that only root may read; the kernel lists it with VMX's own flags since 5.9. */
static enum tristate cpuinfo_ept_read(void)
{
	char flags[4096];

	if (!file_find(flags, sizeof(flags), "/proc/cpuinfo", "vmx flags\t"))
		return UNKNOWN;
	return word_in(flags, "ept", " ") ? YES : NO;
}

static enum tristate cpuinfo_virt_read(void)
{
	char flags[4096];

	if (!file_find(flags, sizeof(flags), "/proc/cpuinfo", "flags\t"))
		return UNKNOWN;
	return word_in(flags, "vmx", " ") || word_in(flags, "svm", " ") ? YES : NO;
}

/* All CPUs, for which the kernel takes its time on a large machine: only where KVM is missing. */
static void cpus_count(struct host_facts *host)
{
	struct lines lines;

	if (!lines_open(&lines, "/proc/cpuinfo"))
		return;
	while (lines_next(&lines)) {
		if (strncmp(lines.line, "flags\t", 6) != 0)
			continue;
		if (word_in(lines.line, "vmx", " ") || word_in(lines.line, "svm", " "))
			host->cpus_with++;
		else
			host->cpus_without++;
	}
	lines_close(&lines);
}

static void cpu_read(struct host_facts *host)
{
	struct cpuid_regs basic = cpuid_leaf(1), extended = cpuid_leaf(0x80000001);

	host->vendor = cpu_vendor_read();
	cpu_model_read(host, basic.eax);
	cpu_brand_read(host);
	host->cpuid_vmx = basic.ecx >> 5 & 1;
	host->cpuid_svm = extended.ecx >> 2 & 1;
	host->hypervisor_bit = basic.ecx >> 31 & 1;
	hypervisor_read(host);
	host->confidential = cpu_is_confidential();
	host->cpuinfo_virt = cpuinfo_virt_read();
	host->cpu_nested_paging = host->cpuid_svm ? (cpuid_leaf(0x8000000a).edx & 1) != 0 :
						    cpuinfo_ept_read();
}

/* ---- this process ---- */

/* The name in the first line of /etc/passwd or /etc/group whose third field is `id`. */
static void name_read(char *name, size_t size, const char *path, unsigned int id)
{
	struct lines lines;

	name[0] = '\0';
	if (!lines_open(&lines, path))
		return;
	while (!name[0] && lines_next(&lines)) {
		char *password = strchr(lines.line, ':');
		char *number = password ? strchr(password + 1, ':') : NULL;
		char *end;

		if (!number || number[1] < '0' || number[1] > '9')
			continue;
		*password = '\0';
		if (strtoul(number + 1, &end, 10) == id && *end == ':')
			text_copy(name, size, lines.line);
	}
	lines_close(&lines);
}

static enum tristate group_is_mine(gid_t gid)
{
	gid_t groups[1024];
	int count;

	if (getegid() == gid)
		return YES;
	count = getgroups((int)ARRAY_SIZE(groups), groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return YES;
	return count < 0 ? UNKNOWN : NO;
}

/* Whether /etc/group names `user` as a member of `group`. */
static enum tristate group_lists_user(const char *group, const char *user)
{
	struct lines lines;
	enum tristate listed = NO;
	size_t length = strlen(group);

	if (!user[0] || !lines_open(&lines, "/etc/group"))
		return UNKNOWN;
	while (lines_next(&lines)) {
		const char *members = strrchr(lines.line, ':');

		if (strncmp(lines.line, group, length) != 0 || lines.line[length] != ':')
			continue;
		if (members && word_in(members + 1, user, ","))
			listed = YES;
	}
	lines_close(&lines);
	return listed;
}

static enum tristate user_namespace_read(void)
{
	unsigned long inside, outside, count;
	char map[64];

	if (!file_line(map, sizeof(map), "/proc/self/uid_map") ||
	    sscanf(map, "%lu %lu %lu", &inside, &outside, &count) != 3)
		return UNKNOWN;
	return inside == 0 && outside == 0 && count == 4294967295UL ? NO : YES;
}

/*
 * All in the namespaces that the kernel itself made (include/linux/proc_ns.h gives their numbers):
 * a container's marks then come from the image that a virtual machine was made of.
 */
static bool namespaces_are_initial(void)
{
	static const struct {
		const char *path, *initial;
	} spaces[] = {
		{ "/proc/self/ns/uts", "uts:[4026531838]" },
		{ "/proc/self/ns/ipc", "ipc:[4026531839]" },
		{ "/proc/self/ns/pid", "pid:[4026531836]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		char target[32];
		ssize_t length = readlink(spaces[i].path, target, sizeof(target) - 1);

		if (length < 0)
			return false;
		target[length] = '\0';
		if (strcmp(target, spaces[i].initial) != 0)
			return false;
	}
	return true;
}

/* A container says so in one of these ways; Kubernetes first, as its mend differs. */
static void container_read(char *name, size_t size)
{
	const char *variable = getenv("container");

	if (namespaces_are_initial())
		return;
	if (getenv("KUBERNETES_SERVICE_HOST"))
		text_copy(name, size, "kubernetes");
	else if (file_exists("/run/.containerenv"))
		text_copy(name, size, "podman");
	else if (file_exists("/.dockerenv"))
		text_copy(name, size, "docker");
	else if (!file_line(name, size, "/run/systemd/container") && variable)
		text_copy(name, size, variable);
	text_tidy(name);
}

static void process_read(struct host_facts *host)
{
	char seccomp[8];

	host->euid = geteuid();
	name_read(host->user, sizeof(host->user), "/etc/passwd", host->euid);
	host->user_namespace = user_namespace_read();
	container_read(host->container, sizeof(host->container));
	file_line(host->lsm, sizeof(host->lsm), "/proc/self/attr/current");
	text_tidy(host->lsm);
	host->seccomp = UNKNOWN;
	if (file_find(seccomp, sizeof(seccomp), "/proc/self/status", "Seccomp:\t"))
		host->seccomp = seccomp[0] == '0' ? NO : YES;
}

/* ---- the device node ---- */

/* KVM registers a misc device, which shows in every container that sees the host's /proc. */
static enum tristate misc_has_kvm(void)
{
	struct lines lines;
	bool found = false;

	if (file_exists("/sys/devices/virtual/misc/kvm"))
		return YES;
	if (!lines_open(&lines, "/proc/misc"))
		return file_exists("/sys/devices/virtual/misc") ? NO : UNKNOWN;
	while (!found && lines_next(&lines))
		found = word_in(lines.line, "kvm", " ");
	lines_close(&lines);
	return found ? YES : NO;
}

static void device_read(struct host_facts *host, const char *dev)
{
	struct statvfs fs;
	struct stat st;

	text_copy(host->dev, sizeof(host->dev), dev);
	host->misc_has_kvm = misc_has_kvm();
	host->in_group = UNKNOWN;
	host->group_pending = UNKNOWN;
	host->dev_stat_errno = stat(dev, &st) == 0 ? 0 : errno;
	if (host->dev_stat_errno)
		return;
	host->dev_mode = st.st_mode;
	host->dev_uid = st.st_uid;
	host->dev_gid = st.st_gid;
	host->dev_rdev = st.st_rdev;
	host->dev_nodev = statvfs(dev, &fs) == 0 && fs.f_flag & ST_NODEV;
	host->in_group = group_is_mine(st.st_gid);
	name_read(host->dev_group, sizeof(host->dev_group), "/etc/group", st.st_gid);
	if (host->dev_group[0])
		host->group_pending = group_lists_user(host->dev_group, host->user);
	else
		snprintf(host->dev_group, sizeof(host->dev_group), "%u", st.st_gid);
	if (host->in_group == YES)
		host->group_pending = NO;
}

/* ---- kernel and modules ---- */

static bool module_file(char *text, size_t size, const char *module, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/%s", module, file);
	return file_line(text, size, path);
}

static bool module_dir(const char *module)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return file_exists(path);
}

/* Only a module that was loaded has a state; parts of the kernel have a directory all the same. */
static bool module_was_loaded(const char *module)
{
	char state[16];

	return module_file(state, sizeof(state), module, "initstate");
}

/* The module that fits the CPU. */
static const char *module_wanted(const struct host_facts *host)
{
	bool amd = host->cpuid_svm || (!host->cpuid_vmx && host->vendor == CPU_AMD);

	return amd ? "kvm_amd" : "kvm_intel";
}

/* How sure it is that `module` drives /dev/kvm: a built-in one has a directory even where its
 * start failed, so that one counts for less than another that was loaded. */
static int module_rank(const struct host_facts *host, const char *module)
{
	bool other = strcmp(module, "kvm_intel") != 0 && strcmp(module, "kvm_amd") != 0;

	if (module_was_loaded(module))
		return 4;
	if (strcmp(module, module_wanted(host)) == 0 && (host->cpuid_vmx || host->cpuid_svm))
		return 3;
	return other ? 2 : 1;
}

static void vendor_module_find(struct host_facts *host)
{
	DIR *dir = opendir("/sys/module");
	const struct dirent *entry;
	int best = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		int rank;

		if (strncmp(entry->d_name, "kvm_", 4) != 0 ||
		    strlen(entry->d_name) >= sizeof(host->vendor_module))
			continue;
		rank = module_rank(host, entry->d_name);
		if (rank > best) {
			best = rank;
			strcpy(host->vendor_module, entry->d_name);
		}
	}
	if (dir)
		closedir(dir);
}

/* Whether a module index (modules.dep, modules.builtin) has the module; its files are named with
 * a dash. */
static enum tristate module_index_has(const char *path, const char *module)
{
	struct lines lines;
	char file[32] = "/";
	bool found = false;

	snprintf(file + 1, sizeof(file) - 1, "%s.ko", module);
	for (char *c = file; *c; c++)
		if (*c == '_')
			*c = '-';
	if (!lines_open(&lines, path))
		return UNKNOWN;
	while (!found && lines_next(&lines)) {
		lines.line[strcspn(lines.line, ":")] = '\0';	/* what it depends on */
		found = strstr(lines.line, file) != NULL;
	}
	lines_close(&lines);
	return found ? YES : NO;
}

/* NO takes an index of this very kernel that does not list it, or a kernel without modules. */
static enum tristate vendor_module_exists(const struct host_facts *host)
{
	static const char *const roots[] = {
		"/lib/modules", "/usr/lib/modules",
		"/run/booted-system/kernel-modules/lib/modules",	/* NixOS */
	};
	static const char *const indexes[] = { "modules.dep", "modules.builtin" };
	const char *module = module_wanted(host);
	enum tristate exists = UNKNOWN;
	char path[256];

	if (module_dir(module))
		return YES;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(roots); i++) {
		enum tristate has;

		snprintf(path, sizeof(path), "%s/%s/%s", roots[i / 2], host->kernel,
			 indexes[i % 2]);
		has = module_index_has(path, module);
		if (has == YES)
			return YES;
		if (has == NO)
			exists = NO;
	}
	if (host->proc_visible && host->sys_visible && !file_exists("/proc/modules"))
		return NO;
	return exists;
}

static void module_params_read(struct host_facts *host)
{
	const char *module = host->vendor_module;
	const char *paging = strcmp(module, "kvm_amd") == 0 ? "parameters/npt" : "parameters/ept";
	char users[16];
	const struct {
		struct param *param;
		const char *file;
	} params[] = {
		{ &host->nested, "parameters/nested" },
		{ &host->nested_paging, paging },
		{ &host->unrestricted_guest, "parameters/unrestricted_guest" },
		{ &host->enable_apicv, "parameters/enable_apicv" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(params); i++)
		module_file(params[i].param->text, sizeof(params[i].param->text), module,
			    params[i].file);
	host->vendor_builtin = module_was_loaded(module) ? NO : YES;
	if (module_file(users, sizeof(users), module, "refcnt"))
		host->module_users = atoi(users);
}

/* "blacklist kvm_intel", "install kvm /bin/false" in a file of modprobe.d (modprobe.d(5)). */
static bool file_blacklists(const char *path, const char *module)
{
	struct lines lines;
	bool found = false;

	if (!lines_open(&lines, path))
		return false;
	while (!found && lines_next(&lines)) {
		char verb[16], name[32], command[64] = "";

		for (char *c = lines.line; *c; c++)
			*c = *c == '-' ? '_' : *c;
		if (sscanf(lines.line, "%15s %31s %63s", verb, name, command) < 2 ||
		    (strcmp(name, "kvm") != 0 && strcmp(name, module) != 0))
			continue;
		found = strcmp(verb, "blacklist") == 0 ||
			(strcmp(verb, "install") == 0 &&
			 (strstr(command, "/false") || strstr(command, "/true")));
	}
	lines_close(&lines);
	return found;
}

static bool folder_blacklists(char *path, size_t size, const char *folder, const char *module)
{
	const struct dirent *entry;
	bool found = false;
	DIR *dir = opendir(folder);

	while (dir && !found && (entry = readdir(dir)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length < 6 || strcmp(entry->d_name + length - 5, ".conf") != 0)
			continue;
		snprintf(path, size, "%s/%s", folder, entry->d_name);
		found = file_blacklists(path, module);
	}
	if (dir)
		closedir(dir);
	if (!found)
		path[0] = '\0';
	return found;
}

/* module_blacklist=, modprobe.blacklist=: the kernel's and libkmod's words for it. */
static bool command_line_blacklists(const char *module)
{
	char line[4096], *rest = line, *word;

	if (!file_line(line, sizeof(line), "/proc/cmdline"))
		return false;
	while ((word = strsep(&rest, " "))) {
		char *list = strstr(word, "blacklist=");

		if (list && (word_in(list + 10, "kvm", ",") || word_in(list + 10, module, ",")))
			return true;
	}
	return false;
}

static void blacklist_read(struct host_facts *host)
{
	static const char *const folders[] = { "/etc/modprobe.d", "/run/modprobe.d",
					       "/usr/lib/modprobe.d", "/lib/modprobe.d" };
	const char *module = module_wanted(host);

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (folder_blacklists(host->blacklist, sizeof(host->blacklist), folders[i], module))
			return;
	if (command_line_blacklists(module))
		text_copy(host->blacklist, sizeof(host->blacklist), "the kernel's command line");
}

static void modules_read(struct host_facts *host)
{
	static const char *const others[] = { "vboxdrv", "vmmon" };
	char line[8];

	host->kvm_module = UNKNOWN;
	if (host->sys_visible)
		host->kvm_module = module_dir("kvm") ? YES : NO;
	else if (file_find(line, sizeof(line), "/proc/modules", "kvm "))
		host->kvm_module = YES;
	host->vendor_builtin = UNKNOWN;
	host->module_users = -1;
	vendor_module_find(host);
	if (host->vendor_module[0])
		module_params_read(host);
	else
		blacklist_read(host);
	host->vendor_module_exists = vendor_module_exists(host);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (module_dir(others[i]))
			strcpy(host->other_hypervisor, others[i]);
}

static void kernel_read(struct host_facts *host)
{
	struct utsname names;

	host->wsl = UNKNOWN;
	if (uname(&names) != 0)
		return;
	text_copy(host->kernel, sizeof(host->kernel), names.release);
	text_copy(host->arch, sizeof(host->arch), names.machine);
	host->wsl = strcasestr(names.release, "microsoft") ? YES : NO;
}

static void dmi_read(struct host_facts *host)
{
	file_line(host->dmi_vendor, sizeof(host->dmi_vendor), "/sys/class/dmi/id/sys_vendor");
	file_line(host->dmi_product, sizeof(host->dmi_product), "/sys/class/dmi/id/product_name");
	file_line(host->dmi_asset_tag, sizeof(host->dmi_asset_tag),
		  "/sys/class/dmi/id/chassis_asset_tag");
	text_tidy(host->dmi_asset_tag);
	text_tidy(host->dmi_vendor);
	text_tidy(host->dmi_product);
}

void host_facts_read(struct host_facts *host, const char *dev)
{
	memset(host, 0, sizeof(*host));
	host->proc_visible = file_exists("/proc/self/status");
	host->sys_visible = file_exists("/sys/module");
	kernel_read(host);
	cpu_read(host);
	process_read(host);
	device_read(host, dev);		/* needs the user's name */
	if (host->misc_has_kvm != YES)
		cpus_count(host);
	modules_read(host);		/* needs the CPU and the kernel's release */
	dmi_read(host);
}
