/* SPDX-License-Identifier: MIT */
/*
 * Unit tests, without KVM. A file declares its rows and main.c lists the files:
 *
 *	static void numbers_add(void) { EXPECT(1 + 1 == 2, "%d", 1 + 1); }
 *	const struct unit_test example_tests[] = { { "numbers add", numbers_add }, { 0 } };
 *
 * Run: build/tests/unit (TAP 13 on stdout); build/tests/unit NAME runs the rows that contain NAME.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <string.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

/* Fails the running test with the condition's text and a printf-formatted remark; goes on. */
#define EXPECT(condition, ...) unit_expect((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)
#define EXPECT_STR(got, want) \
	unit_expect(strcmp((got), (want)) == 0, __FILE__, __LINE__, #got, "\"%s\", not \"%s\"", \
		    (got), (want))
#define EXPECT_HAS(text, part) unit_expect_has((text), (part), __FILE__, __LINE__)

void unit_expect(bool ok, const char *file, int line, const char *condition, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void unit_expect_has(const char *text, const char *part, const char *file, int line);

extern const struct unit_test reasons_tests[];
extern const struct unit_test report_tests[];
extern const struct unit_test elf_tests[];
extern const struct unit_test boot_tests[];
extern const struct unit_test devices_tests[];
extern const struct unit_test options_tests[];
extern const struct unit_test cpu_model_tests[];

#endif
