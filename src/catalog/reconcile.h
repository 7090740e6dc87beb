/*-------------------------------------------------------------------------
 *
 * reconcile.h
 *		Makes the catalog agree with the manifest.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECONCILE_H
#define SPICE_RECONCILE_H

#include "nodes/pg_list.h"

typedef struct ReconcileAction
{
	char	   *dataset;		/* NULL: the manifest as a whole */
	const char *action;			/* added, changed, unchanged, removed, locked, error, warning */
	char	   *detail;			/* or NULL */
} ReconcileAction;

typedef struct Reconciliation
{
	char	   *error;			/* why nothing was applied; NULL: it was */
	bool		unread;			/* that is because the file could not be read */
	bool		incomplete;		/* the manifest or datasets are locked by others: try again */
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

/*
 * Reads the file and applies it; needs a transaction and changes only the
 * catalog.  Without wait a dataset whose row another session has locked stays
 * as it is, and nothing changes while another session applies the manifest.
 */
extern Reconciliation *reconcile_manifest(bool wait);

/* what is wrong with a manifest, without applying it: of ValidationProblem * */
extern List *validate_manifest(const char *text, size_t length);

#endif
