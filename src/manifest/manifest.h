/*-------------------------------------------------------------------------
 *
 * manifest.h
 *		Bytes of spicepod.yaml to validated datasets.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 * Everything a Manifest points to is owned by it and freed with it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_MANIFEST_H
#define SPICE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ManifestSeverity
{
	MANIFEST_WARNING,			/* said, and the dataset goes on */
	MANIFEST_ERROR				/* the dataset (or the manifest) is refused */
} ManifestSeverity;

typedef struct ManifestProblem
{
	ManifestSeverity severity;
	int			line;			/* from 1; 0 when no line is to blame */
	char	   *dataset;		/* NULL: concerns the manifest as a whole */
	char	   *message;		/* lower case, no full stop */
	char	   *hint;			/* the cure, or NULL */
} ManifestProblem;

typedef struct ManifestDataset
{
	int			line;			/* where its entry begins */
	char	   *name;			/* as written: "customer-interactions", "eth.blocks" */
	char	   *schema;			/* "public", "eth" */
	char	   *table;			/* "customer_interactions", "blocks" */
	char	   *definition;		/* JSON, keys sorted; NULL when it has errors */
	char	   *refresh_sql;	/* for the server's own parser, or NULL */
	int			refresh_sql_line;
	bool		changes;		/* refresh_mode changes, which refresh_sql has to suit */
	char	   *retention_sql;	/* likewise */
	int			retention_sql_line;
} ManifestDataset;

typedef struct Manifest
{
	bool		broken;			/* not YAML, or not a Spicepod: nothing may change */
	char	   *name;
	char	   *secrets;		/* JSON array of the secret stores, in order */
	ManifestDataset *datasets;
	int			n_datasets;
	ManifestProblem *problems;	/* in order of line */
	int			n_problems;
} Manifest;

/*
 * Parses and validates text, which need not end in a NUL.  Never fails
 * outright: what is wrong is in problems.  NULL only when out of memory.
 */
extern Manifest *manifest_parse(const char *text, size_t length);
extern void manifest_free(Manifest *manifest);

#endif
