/*-------------------------------------------------------------------------
 *
 * s3_store.h
 *		Objects of S3, and of what speaks as S3 does, as the documents of a response.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_S3_STORE_H
#define SPICE_S3_STORE_H

#include "catalog/dataset.h"
#include "source/http/http.h"

typedef struct S3Place S3Place;

/*
 * Resolves what the dataset says of its place and credentials.  All of it, connections
 * too, lives in context.
 */
extern S3Place *s3_store_open(const Dataset *dataset, HttpReport *report, MemoryContext context);

/*
 * Lists the object, or the objects below a prefix, that the dataset reads: of SpoolPart *, in
 * the order of their keys.  Parts of a Parquet dataset are read where they are.
 */
extern List *s3_store_list(S3Place *place);

/* A digest of the list and of whom it was asked for. */
extern void s3_store_digest(const S3Place *place, List *parts, uint8 *digest);

/* Fetches the parts, so that they can be opened without their server. */
extern void s3_store_fetch(S3Place *place, List *parts);

#endif
