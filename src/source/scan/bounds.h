/*-------------------------------------------------------------------------
 *
 * bounds.h
 *		Conditions of a query that compare a column with a constant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_BOUNDS_H
#define SPICE_BOUNDS_H

#include "access/attnum.h"
#include "fmgr.h"
#include "nodes/pg_list.h"

typedef struct ColumnBound
{
	AttrNumber	column;
	Datum		constant;
	FmgrInfo	of_least;		/* what the least of some values has to fulfil; fn_oid InvalidOid:
								 * nothing */
	FmgrInfo	of_greatest;
	bool		or_null;		/* a null fulfils the condition, too */
} ColumnBound;

/* Those among a scan's conditions, of Expr *, as ColumnBound *.  relid: the scan's, in Vars. */
extern List *bounds_find(List *conditions, Index relid);

/* May a value from the least to the greatest fulfil the condition? */
extern bool bound_allows(const ColumnBound *bound, Datum least, Datum greatest);

#endif
