/*-------------------------------------------------------------------------
 *
 * source.h
 *		The source of a dataset, as a refresh sees it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SOURCE_H
#define SPICE_SOURCE_H

#include "catalog/dataset.h"
#include "source/http/http.h"

/* are the rows fetched beforehand, or does the refresh query reach for them? */
extern bool source_fetches(const Dataset *dataset);

/*
 * Fetches the dataset's source.  query: goes to the URL's end, or NULL.  watermark: only rows
 * behind it matter, and status 204 says that there are none; as the source reads it, or NULL.
 * conditional: with the validators of the loaded response, so that response->spool may be NULL
 * (status 304).  The report has to live as long as the response, whose bytes may be fetched when they are read.  Needs
 * no transaction.  Raises what pages_fetch() raises, and an error that names
 * a secret which is missing.
 */
extern HttpResponse *source_fetch(const Dataset *dataset, const char *query,
								  const char *watermark, bool conditional, HttpReport *report,
								  MemoryContext context);

/*
 * Raises an error if the source holds what a load would lose in silence.  A refresh
 * calls it after the load and before the table changes, because the source may have
 * changed since source_prepare().
 */
extern void source_check(const Dataset *dataset);

/* the dataset is to go: what it has outside of its relations goes, too */
extern void source_forget(const Dataset *dataset);

/* the same for one that has left the manifest and keeps its relations */
extern void source_leave(const char *dataset);

/* takes away files of datasets that are gone; extension: there is one in this database */
extern void source_sweep(bool extension);

/* what to do about an error that a source's server has raised, or NULL */
extern const char *source_cure(const Dataset *dataset, const ErrorData *error);

/* is it one that may pass? */
extern bool source_error_is_transient(const Dataset *dataset, const ErrorData *error);

#endif
