// SPDX-License-Identifier: MIT
// pc-testdev.
#include "testdev.h"

#include "error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_SIZE 4096U

/* --- read ------------------------------------------------------------------------------------- */

/* The access is one, not several of bytes: what hangs over the register's end is zero. */
static void echo_read(const struct testdev *testdev, unsigned int lane, void *data,
		      unsigned int size)
{
	memset(data, 0, size);
	memcpy(data, testdev->echo + lane, size < 4 - lane ? size : 4 - lane);
}

int testdev_read(void *device, uint64_t address, void *data, unsigned int size)
{
	if ((address & ~3ULL) != TESTDEV_FLUSH)
		echo_read(device, address & 3, data, size);
	return 0;
}

int testdev_mmio_read(void *device, uint64_t address, void *data, unsigned int size)
{
	const struct testdev *testdev = device;
	uint64_t offset = address - TESTDEV_MMIO, rest = TESTDEV_MMIO_SIZE - offset;

	memcpy(data, testdev->mmio + offset, size < rest ? size : rest);
	return 0;
}

/* --- write ------------------------------------------------------------------------------------ */

/* Another vCPU that touches the page meanwhile fails with EFAULT: tests use one, or other pages. */
static int page_flush(const struct testdev *testdev, uint32_t address)
{
	void *page = memory_at(testdev->board->memory, address & ~(PAGE_SIZE - 1), PAGE_SIZE);

	if (!page)
		return 0;
	if (mprotect(page, PAGE_SIZE, PROT_NONE) < 0 ||
	    mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE) < 0) {
		int err = errno;

		return fail(err, "mprotect", "testdev: cannot unmap the page at 0x%x: %s", address,
			    strerror(err));
	}
	return 0;
}

int testdev_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct testdev *testdev = device;
	unsigned int lane = address & 3;
	uint32_t page;

	if ((address & ~3ULL) != TESTDEV_FLUSH) {
		memcpy(testdev->echo + lane, data, size < 4 - lane ? size : 4 - lane);
		return 0;
	}
	if (lane || size != sizeof(page))
		return 0;
	memcpy(&page, data, sizeof(page));
	return page_flush(testdev, page);
}

int testdev_mmio_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct testdev *testdev = device;
	uint64_t offset = address - TESTDEV_MMIO, rest = TESTDEV_MMIO_SIZE - offset;

	memcpy(testdev->mmio + offset, data, size < rest ? size : rest);
	return 0;
}

/* --- interrupt -------------------------------------------------------------------------------- */

/* The level is set each time: the line may be another device's, which changed it since. */
int testdev_irq_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	const struct testdev *testdev = device;
	bool level = *(const uint8_t *)data, now = !level;

	(void)size;
	return board_line(testdev->board, (unsigned int)(address - TESTDEV_IRQ), level, &now);
}

/* --- attach ----------------------------------------------------------------------------------- */

void testdev_attach(struct testdev *testdev, struct board *board)
{
	memset(testdev, 0, sizeof(*testdev));
	testdev->board = board;
}
