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
#include <time.h>
#include <unistd.h>

#define LINKS_MAX	40	/* as path_resolution(7) has it */
#define STREAMS_MAX	256	/* descriptors that a caller may have left open */
#define READER_TRIES	50	/* tenths of a second that a pipe's reader has to come */
#define PATH_SHOWN	120	/* bytes of a path in a message */

static int folder_of(const char *target, char folder[PATH_MAX])
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", target);
	return snprintf(folder, PATH_MAX, "%s", dirname(copy)) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The file `name`, in the folder of `path` if it is no absolute name. */
static int beside(const char *path, const char *name, char target[PATH_MAX])
{
	char folder[PATH_MAX] = "", real[PATH_MAX] = "";

	if (*name != '/' && (folder_of(path, folder) < 0 || !realpath(folder, real)))
		return -errno;
	return snprintf(target, PATH_MAX, "%s%s%s", real, *real ? "/" : "", name) < PATH_MAX ?
		       0 :
		       -ENAMETOOLONG;
}

/* Where the bytes shall be in the end: behind symbolic links, also where the last of them leads to
 * nothing yet. 0, or a negative errno: then `target` is `path`. */
static int path_resolve(const char *path, char target[PATH_MAX])
{
	char at[PATH_MAX], name[PATH_MAX], next[PATH_MAX];
	int r = 0;

	snprintf(at, sizeof(at), "%s", path);
	for (int links = 0; r == 0 && links < LINKS_MAX; links++) {
		ssize_t length;

		if (realpath(at, target))
			return 0;
		length = readlink(at, name, sizeof(name) - 1);
		if (length < 0) {
			snprintf(name, sizeof(name), "%s", basename(at));
			r = errno == ENOENT ? beside(at, name, target) : -errno;
			if (r == 0)
				return 0;
			break;
		}
		name[length] = '\0';
		r = beside(at, name, next);
		if (r == 0)
			snprintf(at, sizeof(at), "%s", next);
	}
	snprintf(target, PATH_MAX, "%s", path);
	return r < 0 ? r : -ELOOP;
}

/* Of a long path the end, so that there is room for the cause. */
static int lost(int err, const char *path)
{
	size_t length = strlen(path), skip = length > PATH_SHOWN ? length - PATH_SHOWN : 0;

	return fail(err, "--output", "cannot write the report to %s%s: %s", skip ? "..." : "",
		    path + skip, strerror(err));
}

/* Something that a rename would replace by a file: a device, a pipe, a terminal. */
static bool is_special(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* A file that the caller has open for writing, as standard output or as /dev/fd/5: what is in it
 * stays, and what the caller writes there later is not lost. Another descriptor of it, or -1. */
static int stream_into(const char *path)
{
	struct stat status, stream;

	if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return -1;
	for (int fd = STDOUT_FILENO; fd < STREAMS_MAX; fd++)
		if (fstat(fd, &stream) == 0 && stream.st_dev == status.st_dev &&
		    stream.st_ino == status.st_ino && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return -1;
}

bool output_same(const char *one, const char *other)
{
	char targets[2][PATH_MAX];

	path_resolve(one, targets[0]);
	path_resolve(other, targets[1]);
	return strcmp(targets[0], targets[1]) == 0;
}

/* It can only be read by setting it. */
static mode_t umask_now(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* As output_check(), for what is there or not yet there, and would be replaced. */
static int target_check(const char *path)
{
	char target[PATH_MAX], folder[PATH_MAX];
	struct stat status;
	int r;

	if (strlen(path) >= PATH_MAX - 32)
		return -ENAMETOOLONG;
	if (!*path)
		return -ENOENT;
	if (path[strlen(path) - 1] == '/')
		return -EISDIR;
	r = path_resolve(path, target);
	if (r < 0)
		return r;
	if (stat(target, &status) == 0 && S_ISDIR(status.st_mode))
		return -EISDIR;
	if (folder_of(target, folder) < 0 || access(folder, W_OK | X_OK) < 0)
		return -errno;
	return 0;
}

int output_check(const char *path)
{
	int fd = stream_into(path), r = 0;

	if (fd >= 0)
		close(fd);
	else if (is_special(path))
		r = access(path, W_OK) < 0 ? -errno : 0;
	else
		r = target_check(path);
	return r < 0 ? lost(-r, path) : 0;
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

/* Writes a temporary file, then renames it to `target`. */
static int write_renamed(const char *target, const struct report_file *output,
			 const struct result *result, const struct report_style *style)
{
	char folder[PATH_MAX], temporary[PATH_MAX + 64];
	struct stat old;
	bool there = stat(target, &old) == 0;
	int fd, r;

	if (folder_of(target, folder) < 0)
		return -ENAMETOOLONG;
	/* hidden, and without the old one's ending: nobody who watches the folder reads it */
	snprintf(temporary, sizeof(temporary), "%s/.minivmm-XXXXXX", folder);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* the old one's mode and owner. A file system without modes refuses, and so does the
	 * kernel for users who are not root */
	if (fchmod(fd, there ? old.st_mode & 0777 : 0666 & ~umask_now()) < 0 ||
	    (there && fchown(fd, old.st_uid, old.st_gid) < 0))
		errno = 0;
	r = write_and_close(fd, output->format, result, style);
	if (r == 0 && rename(temporary, target) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

/* A pipe that nobody reads yet is waited for, but not for ever. A descriptor, or -1 with errno. */
static int special_open(const char *path)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	int fd;

	for (int tries = 0; tries < READER_TRIES; tries++) {
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0 || errno != ENXIO)
			break;
		nanosleep(&moment, NULL);
	}
	if (fd >= 0)
		fcntl(fd, F_SETFL, 0); /* from now on it may block */
	return fd;
}

int output_write(const struct report_file *output, const struct result *result,
		 const struct report_style *style)
{
	char target[PATH_MAX];
	int fd = stream_into(output->path), r;

	if (fd < 0 && is_special(output->path)) {
		fd = special_open(output->path);
		if (fd < 0 && errno == ENXIO)
			return fail(ENXIO, "--output",
				    "cannot write the report to %.120s: nobody reads it",
				    output->path);
		if (fd < 0)
			return lost(errno, output->path);
	}
	if (fd >= 0) {
		r = write_and_close(fd, output->format, result, style);
	} else {
		r = path_resolve(output->path, target);
		r = r < 0 ? r : write_renamed(target, output, result, style);
	}
	return r < 0 ? lost(-r, output->path) : 0;
}

/* A descriptor, or a negative errno. */
static int append_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), err;

	if (fd < 0)
		return -errno;
	/* others may have left their last line open; an empty one does no harm */
	if (lseek(fd, 0, SEEK_END) <= 0 || write(fd, "\n", 1) == 1)
		return fd;
	err = errno;
	close(fd);
	return -err;
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
		fd = append_open(path);
		r = fd < 0 ? fd :
			     write_and_close(fd, report_format_find(rows[i].format), result, style);
		if (r < 0)
			worst = fail(-r, rows[i].variable,
				     "cannot append to %.120s, which $%s names: %s", path,
				     rows[i].variable, strerror(-r));
	}
	return worst;
}
