/*-------------------------------------------------------------------------
 *
 * processors.c
 *		Whether processors are short.
 *
 * A second process that reads records, or builds part of an index, speeds up a
 * refresh if a processor is idle.  If sessions keep all of them busy, it delays
 * their queries by tens of milliseconds.  Load averages do not help: they cover
 * the past minute and the whole machine.  But the kernel counts how long each
 * process has been runnable without running, and a transfer lasts long enough for
 * that to be seen.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "storage/fd.h"

#include "refresh/processors.h"
#include "settings.h"

/* Processors are short once this fraction of the runnable time was spent waiting for one. */
#define SHORT_SHARE		0.1

/* Sets fields to 0 that the platform does not report. */
void
processors_read(ProcessorTime *time)
{
	FILE	   *file = AllocateFile("/proc/self/schedstat", "r");
	unsigned long long ran,
				waited;

	memset(time, 0, sizeof(ProcessorTime));
	if (file == NULL)
		return;
	if (fscanf(file, "%llu %llu", &ran, &waited) == 2)
	{
		time->ran = ran;
		time->waited = waited;
	}
	FreeFile(file);
}

bool
processors_short_since(const ProcessorTime *start)
{
	ProcessorTime now;
	uint64		waited;

	if (spice_parallel_when_busy)
		return false;
	processors_read(&now);
	waited = now.waited - start->waited;
	return waited > SHORT_SHARE * (waited + now.ran - start->ran);
}
