/*-------------------------------------------------------------------------
 *
 * tap.h
 *		TAP of the readers' tests: a numbered line for each check.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TEST_TAP_H
#define SPICE_TEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int	n_tests = 0;
static int	n_failed = 0;

static void
check(bool good, const char *format,...)
{
	char		name[300];
	va_list		args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);

	/* a test has one line, and "#" would begin a directive */
	for (char *p = name; *p != '\0'; p++)
	{
		if ((unsigned char) *p < ' ' || *p == '#')
			*p = '?';
	}
	n_tests++;
	n_failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", n_tests, name);
}

#endif
