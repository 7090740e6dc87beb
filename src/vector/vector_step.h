/*-------------------------------------------------------------------------
 *
 * vector_step.h
 *		Functions of a point in time that are constant throughout a local day.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_STEP_H
#define SPICE_VECTOR_STEP_H

#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

#include "vector/vector_value.h"

typedef struct StepFunction StepFunction;

extern Expr *step_argument(Oid function, List *arguments);
extern StepFunction *step_make(Oid function, List *arguments);
extern void step_values(StepFunction *step, int count, const Vector *times, int64 *out);

#endif
