/* SPDX-License-Identifier: MIT */
/*
 * Where L1 starts. A PVH loader (minivmm's, QEMU's -kernel, Xen's) enters at pvh_start in 32-bit
 * protected mode without paging, EBX = start_info (Xen, docs/misc/pvh.pandoc). From there to long
 * mode with L1's own memory mapped as it is, then C. Paging goes straight from off to long mode: KVM's pvm
 * backend refuses 32-bit and PAE paging.
 */
#include "x86.h"

	/* "Xen", type 18: XEN_ELFNOTE_PHYS32_ENTRY. Eight bytes, which QEMU reads for ELF64. */
	.section .note.pvh, "a", @note
	.balign 4
	.long 2f - 1f, 4f - 3f, 18
1:	.asciz "Xen"
2:	.balign 4
3:	.quad pvh_start
4:

	.section .text.entry, "ax"
	.code32
	.globl pvh_start
pvh_start:
	cld
	lgdt boot_gdt_pointer
	movl $(pdpt + PTE_P + PTE_W), pml4
	movl $(pd_image + PTE_P + PTE_W), pdpt
	movl $(pd_window + PTE_P + PTE_W), pdpt + 8
	movl $(PTE_P + PTE_W + PTE_PS), pd_image
	movl $(PAGE_2M + PTE_P + PTE_W + PTE_PS), pd_image + 8
	movl $(PAGE_1G + PTE_P + PTE_W + PTE_PS), pd_window
	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov $(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
	mov %eax, %cr0
	ljmp $SELECTOR_CODE, $long_mode

	.code64
long_mode:
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $stack_top, %esp
	xor %ebp, %ebp
	call l1_main
1:	cli
	hlt
	jmp 1b

	/*
	 * Where the other CPUs start: this is copied to a page below 1 MiB, for a SIPI. From real mode
	 * straight to long mode, as above.
	 */
	.section .rodata
	.globl smp_trampoline, smp_trampoline_end
	.code16
smp_trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl 1f - smp_trampoline
	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov $(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
	mov %eax, %cr0
	ljmpl $SELECTOR_CODE, $smp_long_mode
1:	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt
smp_trampoline_end:

	.text
	.code64
	.weak smp_other, smp_stack
smp_long_mode:
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov smp_stack, %rsp
	xor %ebp, %ebp
	call smp_other

	/* One stub per exception vector, 16 bytes apart: trap_init() relies on the distance. */
	.text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept VECTOR_EXCEPTIONS
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
	.else
	push $0		/* the CPU pushes no error code for this one */
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

trap_common:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	mov %rsp, %rdi
	call trap_handle
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* SELECTOR_CODE: 64-bit, execute/read */
	.quad 0x00cf93000000ffff	/* SELECTOR_DATA: read/write */
boot_gdt_end:
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt

	/* 4-level paging, in 2 MiB pages: filled in by pvh_start, as a file full of zeroes is no use. */
	.bss
	.balign PAGE_SIZE
pml4:	.skip PAGE_SIZE
pdpt:	.skip PAGE_SIZE
pd_image: .skip PAGE_SIZE	/* L1 itself, below 2 MiB */
pd_window: .skip PAGE_SIZE	/* 2 MiB at 1 GiB: NESTED_WINDOW */

	.balign 16
	.skip 4 * PAGE_SIZE
stack_top:

	.section .note.GNU-stack, "", @progbits
