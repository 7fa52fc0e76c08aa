// SPDX-License-Identifier: MIT
// A real-mode image above 64 KiB: CS is the paragraph of its 64 KiB, IP the rest.
#include "kernel.h"

asm(".code16\n"
    ".section .start, \"ax\"\n"
    ".globl start\n"
    "start:\n"
    "	mov %cs, %ax\n"
    "	cmp $0x2000, %ax\n"
    "	jne wrong\n"
    "	call here\n"
    "here: pop %ax\n"
    "	cmp $0x1234 + here - start, %ax\n"
    "	jne wrong\n"
    "	mov $0x3f8, %dx\n"
    "	mov $'y', %al\n"
    "	out %al, %dx\n"
    "	xor %ax, %ax\n"
    "	out %ax, $0xf4\n"
    "wrong: mov $1, %ax\n"
    "	out %ax, $0xf4\n"
    ".previous\n");
