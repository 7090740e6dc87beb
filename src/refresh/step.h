/*-------------------------------------------------------------------------
 *
 * step.h
 *		Transactions of a process without a session.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_STEP_H
#define SPICE_STEP_H

/* Makes the settings of transactions what spice needs, for the life of the process. */
extern void step_pin_settings(void);

/*
 * A step is one transaction with an active snapshot.  step_commit() returns to
 * the memory context in which step_begin() was called.  Steps do not nest.
 */
extern void step_begin(void);
extern void step_commit(void);

/*
 * Reports the error that the caller has caught, rolls the transaction back if
 * there is one, and switches to the context, in which it returns a copy of the
 * error.
 */
extern ErrorData *step_rescue(MemoryContext context);

#endif
