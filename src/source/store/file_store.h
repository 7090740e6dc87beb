/*-------------------------------------------------------------------------
 *
 * file_store.h
 *		Files of this machine as the documents of a response.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_FILE_STORE_H
#define SPICE_FILE_STORE_H

#include "catalog/dataset.h"

/*
 * Lists the file, or the files of a folder and of those below it, that the dataset reads: of
 * SpoolPart *, in the order of their paths, in the current context.  Raises an error when
 * there is none, and for a place that no dataset may read.
 */
extern List *file_store_list(const Dataset *dataset);

#endif
