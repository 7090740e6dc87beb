/*-------------------------------------------------------------------------
 *
 * processors.c
 *		Whether processors are short.
 *
 * A second process that reads records, or builds part of an index, makes a refresh
 * faster where a processor has nothing else
 * to do.  Where sessions keep all of them busy it only takes from those, whose
 * reads then wait for tens of milliseconds.  Load averages tell neither: they are
 * of the past minute, and of the whole machine.  But the kernel counts how long
 * each process has been ready to run without being let, and a transfer takes long
 * enough to see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "storage/fd.h"

#include "refresh/processors.h"
#include "settings.h"

/* waiting for a processor, of the time one was wanted, from which on they are short */
#define SHORT_SHARE		0.1

/* what it cannot tell, on another system for instance, is 0 */
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
