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
	uint64		waited;			/* runnable, but not running */
} ProcessorTime;

extern void processors_read(ProcessorTime *time);

/*
 * Has this process waited for a processor for more than a tenth of its runnable
 * time?  Always false if spice.parallel_when_busy is on.
 */
extern bool processors_short_since(const ProcessorTime *start);

#endif
