// SPDX-License-Identifier: MIT
// Parks another CPU by INIT, as operating systems do before they go, and halts for good.
#include "smp.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	CHECK(magic == MULTIBOOT_MAGIC && info);
	local_apic_enable();
	cpu_start(1, trampoline, trampoline_end);
	CHECK(cpu_runs(1));
	AT(uint32_t, LOCAL_APIC + 0x310) = 1 << 24;
	AT(uint32_t, LOCAL_APIC + 0x300) = 0x4500; /* INIT */
	print("parked\n");
	for (;;)
		asm volatile("cli; hlt");
}
