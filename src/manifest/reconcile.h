/*-------------------------------------------------------------------------
 *
 * reconcile.h
 *		Makes the catalog agree with the manifest.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECONCILE_H
#define SPICE_RECONCILE_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct ReconcileAction
{
	char	   *dataset;		/* NULL: the manifest as a whole */
	const char *action;			/* added, changed, unchanged, removed, error, warning */
	char	   *detail;			/* or NULL */
} ReconcileAction;

typedef struct Reconciliation
{
	char	   *error;			/* why nothing was applied; NULL: it was */
	List	   *actions;		/* of ReconcileAction * */
} Reconciliation;

typedef struct ValidationProblem
{
	int			line;
	char	   *dataset;		/* or NULL */
	const char *severity;		/* error, warning */
	char	   *message;
} ValidationProblem;

/* spice.spicepod, made absolute */
extern char *manifest_path(void);

/* reads the file and applies it; needs a transaction and changes only the catalog */
extern Reconciliation *reconcile_manifest(void);

/* what is wrong with a manifest, without applying it: of ValidationProblem * */
extern List *validate_manifest(const char *text, size_t length);

#endif
