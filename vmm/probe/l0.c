// SPDX-License-Identifier: MIT
// The level below, when this machine is itself a guest: who it is, and how its owner lets a guest
// see VMX or SVM.
#include "l0.h"

#include "bits.h"

#include <string.h>

#define L0_LINES 6

/* How the owner of each hypervisor lets its guests see VMX or SVM. The first row that fits. */
struct l0 {
	const char *signature;	/* of CPUID 0x40000000, NULL = any */
	const char *dmi;	/* part of the DMI vendor, NULL = any */
	const char *tag;	/* DMI's asset tag of the chassis, NULL = any */
	bool wsl;
	const char *name;
	struct {
		bool command;
		const char *text;
	} line[L0_LINES];
};

#define SAY(text) { false, text }
#define RUN(text) { true, text }

static const struct l0 l0s[] = {
	{
		.wsl = true, .name = "WSL 2",
		.line = {
			SAY("In %UserProfile%\\.wslconfig on Windows (11 or newer), under [wsl2], "
			    "set nestedVirtualization=true; then, in a Windows terminal:"),
			RUN("wsl --shutdown"),
		},
	}, {
		.signature = "TCGTCGTCGTCG", .name = "QEMU's TCG emulator",
		.line = {
			SAY("QEMU emulates the CPU below (TCG). It can emulate SVM, but not VMX:"),
			RUN("qemu-system-x86_64 -accel tcg -cpu EPYC,+svm,+npt ..."),
			SAY("Much faster, where the machine that runs QEMU has KVM with nesting:"),
			RUN("qemu-system-x86_64 -accel kvm -cpu host ..."),
		},
	}, {
		.dmi = "Amazon", .name = "Amazon EC2",
		.line = {
			SAY("EC2 shows it only to instances that asked for it at launch, on types "
			    "that support it (at its introduction: the 8th-generation Intel "
			    "ones):"),
			RUN("aws ec2 run-instances --instance-type m8i.large "
			    "--cpu-options NestedVirtualization=enabled ..."),
			SAY("Otherwise take a .metal instance. EKS managed node groups are known "
			    "to drop this option silently."),
		},
	}, {
		.dmi = "Google", .name = "Google Compute Engine",
		.line = {
			SAY("It is off by default, not to be had on every machine type, and a "
			    "policy of the organisation can forbid it. Create the instance with:"),
			RUN("gcloud compute instances create NAME --enable-nested-virtualization "
			    "..."),
		},
	}, {
		/* the tag by which Azure's own agents know their host */
		.signature = "Microsoft Hv", .tag = "7783-7084-3265-9085-8269-3286-77",
		.name = "Azure",
		.line = {
			SAY("Azure shows it on sizes that nest (Dv3 or Ev3 and newer), and most "
			    "likely not with security type Trusted Launch:"),
			RUN("az vm deallocate -g GROUP -n NAME && az vm resize -g GROUP -n NAME "
			    "--size Standard_D4s_v5"),
		},
	}, {
		.signature = "Microsoft Hv", .name = "Hyper-V",
		.line = {
			SAY("Stop the machine, then in the host's PowerShell:"),
			RUN("Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true"),
			SAY("On a rented machine only its provider can do that."),
		},
	}, {
		.signature = "VMwareVMware", .name = "VMware",
		.line = {
			SAY("Power the machine off and turn on \"Expose hardware assisted "
			    "virtualization to the guest OS\" (Workstation: \"Virtualize Intel "
			    "VT-x/EPT or AMD-V/RVI\"); in its .vmx file that is vhv.enable = "
			    "\"TRUE\"."),
			SAY("If VMware refuses on a Windows host: Hyper-V or Memory Integrity "
			    "there holds VT-x; turn them off."),
		},
	}, {
		.signature = "VBoxVBoxVBox", .name = "VirtualBox",
		.line = {
			SAY("Power the machine off, then on its host:"),
			RUN("VBoxManage modifyvm NAME --nested-hw-virt on"),
		},
	}, {
		.signature = "XenVMMXenVMM", .name = "Xen",
		.line = {
			SAY("Only HVM guests can nest, and Xen calls it experimental. Set "
			    "nestedhvm=1 in the guest's xl.cfg."),
		},
	}, {
		.signature = "KVMKVMKVM", .name = "KVM",
		.line = {
			SAY("The host's own KVM must have nested=1, and show this guest the host's "
			    "CPU. On the host:"),
			RUN("cat /sys/module/kvm_*/parameters/nested"),
			SAY("QEMU: -cpu host; libvirt: <cpu mode='host-passthrough'/>; then power "
			    "this machine off and on. Proxmox:"),
			RUN("qm set ID --cpu host"),
			SAY("On a rented machine only its provider can do that. Firecracker's CPU "
			    "templates hide it on purpose: take another one."),
		},
	}, {
		.name = "a hypervisor",
		.line = {
			SAY("Let the hypervisor that runs this machine show VMX or SVM to it "
			    "(\"nested virtualization\" in its settings), then power it off and "
			    "on."),
		},
	},
};

static const struct l0 *l0_find(const struct host_facts *host)
{
	const struct l0 *l0 = l0s;

	for (;; l0++) {
		if (l0->signature && strcmp(l0->signature, host->hypervisor) != 0)
			continue;
		if (l0->dmi && !strstr(host->dmi_vendor, l0->dmi))
			continue;
		if (l0->tag && strcmp(l0->tag, host->dmi_asset_tag) != 0)
			continue;
		if (l0->wsl && host->wsl != YES)
			continue;
		return l0;
	}
}

const char *l0_name(const struct host_facts *host)
{
	return l0_find(host)->name;
}

static void remedy_write(struct result *result, const struct l0 *l0)
{
	for (size_t i = 0; i < L0_LINES && l0->line[i].text; i++) {
		if (l0->line[i].command)
			result_command(result, "%s", l0->line[i].text);
		else
			result_say(result, "%s", l0->line[i].text);
	}
}

void l0_remedy(struct result *result, const struct facts *facts)
{
	remedy_write(result, l0_find(&facts->host));
}

const char *l0_name_at(size_t i)
{
	return i < ARRAY_SIZE(l0s) ? l0s[i].name : NULL;
}

void l0_remedy_at(struct result *result, size_t i)
{
	remedy_write(result, &l0s[i]);
}
