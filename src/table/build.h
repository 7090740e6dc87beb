/*-------------------------------------------------------------------------
 *
 * build.h
 *		A new heap, and what is planned for the table that will get its storage.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_BUILD_H
#define SPICE_BUILD_H

#include "access/tupdesc.h"

#include "catalog/dataset.h"

/* an index of the new heap, and the one of the table whose storage it becomes */
typedef struct IndexBuild
{
	Oid			old_index;		/* InvalidOid: the table is to get it */
	char	   *name;			/* of old_index */
	Oid			new_index;
	Oid			new_number;		/* of its storage, which is noted; its OID, too */
	Oid			table_number;	/* the same, of one that the table is to get */
	const DatasetIndex *definition; /* of an index the table is to get */
} IndexBuild;

typedef struct TableBuild
{
	const Dataset *dataset;
	Oid			table;
	Oid			heap;			/* the new one */
	Oid			empty;			/* another, which stays empty; see swap.c */
	Oid			tablespace;		/* of the table, when the build began */
	TupleDesc	table_desc;		/* as the table was when the build began */
	TupleDesc	desc;			/* of the new heap: the table's, after the change of shape */
	AttrNumber *attnums;		/* where each column of the result goes */
	int			n_result;
	bool	   *notnull;		/* by attribute of desc */
	bool		same_shape;
	bool		apart;			/* the heap never becomes the table's storage */
	bool		published;		/* the table was, when the build began */
	List	   *drop_columns;	/* names */
	List	   *old_indexes;	/* OIDs, as they were when the build began */
	List	   *drop_indexes;	/* OIDs: their entries have left the manifest */
	List	   *indexes;		/* of IndexBuild * */
	int			heaps;			/* made so far, less one */
	Oid			toast_number;	/* of the files, should the heap get a TOAST table */
	Oid			toast_index_number;
	int64		rows;
	double		least_usual;	/* fewer rows, or more, and the heap is analyzed */
	double		most_usual;
	bool		analyzed;		/* the heap has statistics, which become the table's */
} TableBuild;

/* Makes a new heap for the table. */
extern Oid	build_create_heap(TableBuild *build, Relation table);

/* Makes another new heap; returns the one before, which the caller drops with build_drop(). */
extern Oid	build_again(TableBuild *build);
extern void build_drop(Oid heap);

#endif
