/*-------------------------------------------------------------------------
 *
 * processors.h
 *		Whether processors are short.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PROCESSORS_H
#define SPICE_PROCESSORS_H

/* of this process, in ns */
typedef struct ProcessorTime
{
	uint64		ran;
	uint64		waited;			/* ready to run, while others did */
} ProcessorTime;

extern void processors_read(ProcessorTime *time);

/*
 * Has this process had to wait for one for more than a tenth of the time?  Never, where
 * spice.parallel_when_busy says that others help all the same.
 */
extern bool processors_short_since(const ProcessorTime *start);

#endif
