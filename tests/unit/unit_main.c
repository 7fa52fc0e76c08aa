// SPDX-License-Identifier: MIT
// Runs the unit tests and says so in TAP 13. Exit status 0: all passed.
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>

static const struct unit_test *const suites[] = {
	reasons_tests,
	report_tests,
	elf_tests,
	boot_tests,
	devices_tests,
	options_tests,
	cpu_model_tests,
};

static bool failed;

void unit_expect(bool ok, const char *file, int line, const char *condition, const char *format, ...)
{
	va_list args;

	if (ok)
		return;
	failed = true;
	printf("# %s:%d: %s: ", file, line, condition);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void unit_expect_has(const char *text, const char *part, const char *file, int line)
{
	unit_expect(strstr(text, part) != NULL, file, line, "text", "\"%s\" lacks \"%s\"", text, part);
}

int main(int argc, char **argv)
{
	int number = 0, failures = 0;

	puts("TAP version 13");
	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++) {
		for (const struct unit_test *test = suites[s]; test->name; test++) {
			if (argc > 1 && !strstr(test->name, argv[1]))
				continue;
			failed = false;
			test->run();
			printf("%sok %d %s\n", failed ? "not " : "", ++number, test->name);
			failures += failed;
		}
	}
	printf("1..%d\n", number);
	return failures != 0 || number == 0;
}
