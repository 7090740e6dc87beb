/*-------------------------------------------------------------------------
 *
 * check.h
 *		An assertion that also holds in optimized fuzzers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FUZZ_CHECK_H
#define SPICE_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "failed: %s (line %d)\n", #condition, __LINE__); \
			abort(); \
		} \
	} while (0)

#endif
