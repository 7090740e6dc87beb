/*-------------------------------------------------------------------------
 *
 * listing.h
 *		What is the same for every place that lists documents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_LISTING_H
#define SPICE_LISTING_H

#include "catalog/dataset.h"
#include "source/http/spool.h"

/* Does the dataset read a document with this name, of a folder or prefix that it names? */
extern bool listing_has_extension(const Dataset *dataset, const char *name);

/* Is it, by the name of a file or folder, none that a dataset reads? */
extern bool listing_is_hidden(const char *name);

/* Raises the error that no document of the format is there. */
pg_noreturn extern void listing_refuse_empty(const Dataset *dataset, const char *place);

/*
 * Gives each part the values that the dataset has of its place: location, time, size, and
 * folders such as year=2024 in what follows root in its location.
 */
extern void listing_add_values(const Dataset *dataset, List *parts, const char *root);

/* Does the dataset have such columns?  Conditions on them decide which parts are read. */
extern bool listing_has_values(const Dataset *dataset);

/* Sorts parts, of SpoolPart *, by location. */
extern void listing_sort(List *parts);

/*
 * A digest of what tells one version of each part from another: location, size, time, and
 * version(), which may be NULL.  asked: of whom and as whom the list was asked for.
 */
extern void listing_digest(const char *asked, List *parts, const char *(*version) (const SpoolPart *part),
						   uint8 *digest);

/* Was the dataset loaded from a list with this digest? */
extern bool listing_is_loaded(const Dataset *dataset, const uint8 *digest);

#endif
