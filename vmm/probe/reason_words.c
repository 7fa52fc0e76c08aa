// SPDX-License-Identifier: MIT
// What the rules of more than one rung say.
#include "reason_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void summarise(struct result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->summary, sizeof(result->summary), format, args);
	va_end(args);
}

const char *dev_path(const struct facts *facts)
{
	return facts->host.dev[0] ? facts->host.dev : "/dev/kvm";
}

bool cpu_has_virt(const struct facts *facts)
{
	return facts->host.cpuid_vmx || facts->host.cpuid_svm;
}

bool cpu_is_svm(const struct facts *facts)
{
	return facts->host.cpuid_svm ||
	       (!facts->host.cpuid_vmx && facts->host.vendor == CPU_AMD);
}

const char *virt_name(const struct facts *facts)
{
	return cpu_is_svm(facts) ? "SVM" : "VMX";
}

/* The module that this CPU takes, loaded or not. */
const char *module_name(const struct facts *facts)
{
	return cpu_is_svm(facts) ? "kvm_amd" : "kvm_intel";
}

static bool module_is(const struct facts *facts, const char *name)
{
	return strcmp(facts->host.vendor_module, name) == 0;
}

/* Another backend than the two that nest (kvm_pvm, say) serves /dev/kvm. */
bool module_is_foreign(const struct facts *facts)
{
	return facts->host.vendor_module[0] && !module_is(facts, "kvm_intel") &&
	       !module_is(facts, "kvm_amd");
}

bool param_is_on(const struct param *param)
{
	return param->text[0] == 'Y' || param->text[0] == 'y' || param->text[0] == '1';
}

bool param_is_off(const struct param *param)
{
	return param->text[0] == 'N' || param->text[0] == 'n' || param->text[0] == '0';
}

/* Nobody can load a module, or mend a device node's owner, from inside a container. */
void say_on_the_host(struct result *result, const struct facts *facts)
{
	if (facts->host.container[0])
		result_say(result, "This is a container (%s): run these on its host.",
			   facts->host.container);
}

/* Sets a parameter of the vendor module, for good and for now. */
void remedy_param(struct result *result, const struct facts *facts, const char *setting,
			 const char *file)
{
	const char *module = module_name(facts);
	int users = facts->host.module_users;

	say_on_the_host(result, facts);
	/* vendor_builtin speaks of the module that is there, which may be neither vendor's */
	if (facts->host.vendor_builtin == YES && !module_is_foreign(facts)) {
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
