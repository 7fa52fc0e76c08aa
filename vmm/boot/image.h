/* SPDX-License-Identifier: MIT */
/* A kernel image as bytes: from a file, or the one inside this program. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image {
	const char *name;	/* for messages */
	const uint8_t *bytes;
	size_t size;
	void *owned;		/* what image_release() frees */
};

/* Reads the regular file at `path`, whole. Negative errno with error_last(). */
#define IMAGE_SIZE_MAX (1ULL << 30)
int image_read(struct image *image, const char *path);
void image_release(struct image *image);

/* The L1 kernel that this program carries. */
struct image image_l1(void);

/* Fails with -ENOEXEC and "IMAGE: ..." as error_last(): the one way to refuse an image. */
int image_refuse(const struct image *image, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
