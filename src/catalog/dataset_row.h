/*-------------------------------------------------------------------------
 *
 * dataset_row.h
 *		Rows of spice_catalog.dataset.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DATASET_ROW_H
#define SPICE_DATASET_ROW_H

#include "catalog/dataset.h"

/*
 * Reads a dataset by id, or by any spelling of its name.  Allocated in the
 * current context.  NULL when there is none or when the manifest never had a
 * valid definition of it; with must_exist an error that says which.
 */
extern Dataset *catalog_dataset_by_id(int id);
extern Dataset *catalog_dataset_by_name(const char *name, bool must_exist);

/* one of a definition that is no longer in force: how to reach its source, and nothing else */
extern Dataset *catalog_dataset_of(int id, const char *definition);

/*
 * Looks which relations a dataset has now.  False when it is gone, or has another
 * definition than the one that was read.
 */
extern bool catalog_dataset_again(Dataset *dataset);

#endif
