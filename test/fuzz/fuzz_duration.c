/*-------------------------------------------------------------------------
 *
 * fuzz_duration.c
 *		Feeds any bytes to the duration parser.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/duration.h"

#define MAX_MILLISECONDS	(INT64_C(36525) * 24 * 60 * 60 * 1000)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = calloc(1, size + 1);
	int64_t		milliseconds = -1;
	const char *error = NULL;
	const char *hint = NULL;

	memcpy(text, data, size);
	if (duration_parse(text, &milliseconds, &error, &hint))
	{
		if (milliseconds < 0 || milliseconds > MAX_MILLISECONDS)
			abort();
	}
	else if (error == NULL || error[0] == '\0')
		abort();
	free(text);
	return 0;
}
