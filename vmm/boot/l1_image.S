/* SPDX-License-Identifier: MIT */
/* The bytes of the L1 kernel; L1_IMAGE is given by the build. */
	.section .rodata
	.globl l1_image, l1_image_end
	.balign 16
l1_image:
	.incbin L1_IMAGE
l1_image_end:
	.section .note.GNU-stack, "", @progbits
