// SPDX-License-Identifier: MIT
// Kernel images.
#include "image.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const uint8_t l1_image[], l1_image_end[];	/* l1_image.S */

static int image_fail(const char *path, int err)
{
	return fail(err, "image", "could not open kernel file '%s': %s", path, strerror(err));
}

/* The whole of `fd` into `to`; a file that shrinks meanwhile is an error, not a short image. */
static int read_whole(int fd, uint8_t *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, to + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		done += (size_t)n;
	}
	return 0;
}

int image_read(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK /* of a FIFO */), err = 0;
	struct stat stat;

	*image = (struct image){ .name = path };
	if (fd < 0)
		return image_fail(path, errno);
	if (fstat(fd, &stat) < 0)
		err = errno;
	else if (!S_ISREG(stat.st_mode))
		err = S_ISDIR(stat.st_mode) ? EISDIR : EINVAL;
	else if (stat.st_size > (off_t)IMAGE_SIZE_MAX)
		err = EFBIG;
	if (!err) {
		image->size = (size_t)stat.st_size;
		image->owned = malloc(image->size ? image->size : 1);
		image->bytes = image->owned;
		err = image->owned ? read_whole(fd, image->owned, image->size) : ENOMEM;
	}
	close(fd);
	if (err)
		image_release(image);
	return err ? image_fail(path, err) : 0;
}

void image_release(struct image *image)
{
	free(image->owned);
	*image = (struct image){ 0 };
}

struct image image_l1(void)
{
	return (struct image){ .name = "the built-in L1 kernel",
			       .bytes = l1_image,
			       .size = (size_t)(l1_image_end - l1_image) };
}

int image_refuse(const struct image *image, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(ENOEXEC, "image", "%s: %s", image->name, text);
}
