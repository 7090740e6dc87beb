/*-------------------------------------------------------------------------
 *
 * listing.c
 *		What is the same for every place that lists documents.
 *
 * The list is the request's identity: as long as it stays the same, nothing is read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/store/listing.h"

bool
listing_is_hidden(const char *name)
{
	return name[0] == '.' || name[0] == '_';
}

/* the extensions of a format, which | separates */
static const char *
format_extensions(const char *format)
{
	if (strcmp(format, "jsonl") == 0)
		return "jsonl|ndjson|ldjson";
	return strcmp(format, "auto") == 0 ? "json" : format;
}

bool
listing_has_extension(const Dataset *dataset, const char *name)
{
	const char *given = dataset->file_extension;
	const char *point = strrchr(name, '.');
	size_t		length = strlen(name);

	if (given == NULL)
		return point != NULL && keys_value_in(format_extensions(dataset->format), pstrdup(point + 1));
	given += given[0] == '.';
	return length > strlen(given) && name[length - strlen(given) - 1] == '.' &&
		strcmp(name + length - strlen(given), given) == 0;
}

void
listing_refuse_empty(const Dataset *dataset, const char *place)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("dataset \"%s\" has no file to read", dataset->name),
			 errdetail("No name in \"%s\" ends in .%s.", place,
					   dataset->file_extension != NULL ? dataset->file_extension : format_extensions(dataset->format)),
			 errhint("Names that begin with a point or _ do not count. Check from, file_format and file_extension.")));
}

static int
compare_locations(const ListCell *a, const ListCell *b)
{
	return strcmp(((const SpoolPart *) lfirst(a))->location, ((const SpoolPart *) lfirst(b))->location);
}

void
listing_sort(List *parts)
{
	list_sort(parts, compare_locations);
}

/* A text and its end go into the digest, so that two texts are never another two. */
static void
add_text(Spool *list, const char *text)
{
	if (!spool_append(list, text, strlen(text) + 1))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

void
listing_digest(const char *asked, List *parts, const char *(*version) (const SpoolPart *part),
			   uint8 *digest)
{
	Spool	   *list = spool_create(CurrentMemoryContext, MaxAllocSize);
	ListCell   *cell;

	add_text(list, asked);
	foreach(cell, parts)
	{
		const SpoolPart *part = lfirst(cell);
		char		line[64];

		snprintf(line, sizeof(line), INT64_FORMAT " " INT64_FORMAT, part->size, (int64) part->last_modified);
		add_text(list, part->location);
		add_text(list, line);
		add_text(list, version != NULL ? version(part) : "");
	}
	spool_finish(list);
	memcpy(digest, spool_digest(list), SPOOL_DIGEST_LENGTH);
	spool_free(list);
}

bool
listing_is_loaded(const Dataset *dataset, const uint8 *digest)
{
	return dataset->digest != NULL && VARSIZE_ANY_EXHDR(dataset->digest) == SPOOL_DIGEST_LENGTH &&
		memcmp(VARDATA_ANY(dataset->digest), digest, SPOOL_DIGEST_LENGTH) == 0;
}
