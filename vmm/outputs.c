// SPDX-License-Identifier: MIT
// Reports into files.
#include "outputs.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the bytes shall be in the end: behind symbolic links. False = nothing is there yet. */
static bool path_resolve(const char *path, char target[PATH_MAX])
{
	if (realpath(path, target))
		return true;
	snprintf(target, PATH_MAX, "%s", path);
	return false;
}

static int lost(int err, const char *path)
{
	return fail(err, "--output", "cannot write the report to %s: %s", path, strerror(err));
}

/* Something that a rename would replace by a file: a device, a pipe, a terminal. */
static bool is_special(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static int folder_of(const char *target, char folder[PATH_MAX])
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", target);
	return snprintf(folder, PATH_MAX, "%s", dirname(copy)) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* It can only be read by setting it. */
static mode_t umask_now(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

int output_check(const char *path)
{
	char target[PATH_MAX], folder[PATH_MAX];
	struct stat status;

	if (strlen(path) >= PATH_MAX - 32)
		return lost(ENAMETOOLONG, path);
	path_resolve(path, target);
	if (stat(target, &status) == 0 && S_ISDIR(status.st_mode))
		return lost(EISDIR, path);
	if (is_special(target))
		return access(target, W_OK) == 0 ? 0 : lost(errno, path);
	if (folder_of(target, folder) < 0 || access(folder, W_OK | X_OK) < 0)
		return lost(errno, path);
	return 0;
}

static int write_and_close(int fd, const struct report_format *format, const struct result *result,
			   const struct report_style *style)
{
	FILE *out = fdopen(fd, "w");
	int r = out ? format->write(out, result, style) : -errno;

	/* some disks tell only then that they are full; a pipe cannot be told to do that */
	if (r == 0 && fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		r = -errno;
	if ((out ? fclose(out) : close(fd)) != 0 && r == 0)
		r = -errno;
	return r;
}

/* Into `temporary`, and then by that name's end into `target`. */
static int write_renamed(const char *target, const struct report_file *output, const struct result *result,
			 const struct report_style *style)
{
	char folder[PATH_MAX], temporary[PATH_MAX + 64];
	struct stat old;
	int fd, r;

	if (folder_of(target, folder) < 0)
		return -ENAMETOOLONG;
	/* hidden, and without the old one's ending: nobody who watches the folder reads it */
	snprintf(temporary, sizeof(temporary), "%s/.minivmm-XXXXXX", folder);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* a file system without modes may refuse */
	if (fchmod(fd, stat(target, &old) == 0 ? old.st_mode & 07777 : 0666 & ~umask_now()) < 0)
		errno = 0;
	r = write_and_close(fd, output->format, result, style);
	if (r == 0 && rename(temporary, target) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

int output_write(const struct report_file *output, const struct result *result,
		 const struct report_style *style)
{
	char target[PATH_MAX];
	int fd, r;

	path_resolve(output->path, target);
	if (is_special(output->path)) {
		fd = open(output->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		r = fd < 0 ? -errno : write_and_close(fd, output->format, result, style);
	} else {
		r = write_renamed(target, output, result, style);
	}
	return r < 0 ? lost(-r, output->path) : 0;
}

int outputs_append_github(const struct result *result, const struct report_style *style)
{
	static const struct {
		const char *variable, *format;
	} rows[] = {
		{ "GITHUB_STEP_SUMMARY", "github-summary" },
		{ "GITHUB_OUTPUT", "github-output" },
	};
	int worst = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *path = getenv(rows[i].variable);
		int fd, r;

		if (!path || !*path)
			continue;
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		r = fd < 0 ? -errno :
			     write_and_close(fd, report_format_find(rows[i].format), result, style);
		if (r < 0)
			worst = fail(-r, rows[i].variable, "cannot append to %s, which $%s names: %s",
				     path, rows[i].variable, strerror(-r));
	}
	return worst;
}
