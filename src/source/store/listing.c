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

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

#include "percent.h"

/* what stands for a null in the name of a folder */
#define HIVE_NULL	"__HIVE_DEFAULT_PARTITION__"

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
	return keys_value_in("auto|detect|map|document", format) ? "json" : format;
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

static void
add_value(SpoolPart *part, const char *name, const char *text, Oid type)
{
	PartValue  *value = palloc(sizeof(PartValue));

	value->name = name;
	value->text = text;
	value->type = type;
	part->values = lappend(part->values, value);
}

/* the text without its escapes, in which writers put what no name of a file may hold */
static char *
unescape(const char *text, size_t length)
{
	char	   *out = palloc(length + 1);
	size_t		n = 0;

	for (size_t i = 0; i < length; i++)
	{
		int			byte = i + 2 < length ? percent_decode(text + i) : -1;

		out[n++] = byte < 0 ? text[i] : (char) byte;
		i += byte < 0 ? 0 : PERCENT_LENGTH - 1;
	}
	out[n] = '\0';
	if (!pg_verify_mbstr(PG_UTF8, out, (int) n, true))
		return pnstrdup(text, length);
	return out;
}

/* folders that say name=value */
static void
add_folder_values(SpoolPart *part, const char *path)
{
	for (const char *end; (end = strchr(path, '/')) != NULL; path = end + 1)
	{
		const char *equals = memchr(path, '=', end - path);
		char	   *value;

		if (equals == NULL || equals == path)
			continue;
		value = unescape(equals + 1, end - equals - 1);
		add_value(part, unescape(path, equals - path), strcmp(value, HIVE_NULL) == 0 ? NULL : value, InvalidOid);
	}
}

bool
listing_has_values(const Dataset *dataset)
{
	return dataset->hive_partitioning || dataset->location_column != NULL ||
		dataset->last_modified_column != NULL || dataset->size_column != NULL;
}

void
listing_add_values(const Dataset *dataset, List *parts, const char *root)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		SpoolPart  *part = lfirst(cell);

		if (dataset->hive_partitioning && strlen(part->location) > strlen(root))
			add_folder_values(part, part->location + strlen(root));
		if (dataset->location_column != NULL)
			add_value(part, dataset->location_column, part->location, TEXTOID);
		if (dataset->last_modified_column != NULL)
			add_value(part, dataset->last_modified_column, pstrdup(timestamptz_to_str(part->last_modified)), TIMESTAMPTZOID);
		if (dataset->size_column != NULL)
			add_value(part, dataset->size_column, psprintf(INT64_FORMAT, part->size), INT8OID);
	}
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

void
listing_digest(const char *asked, List *parts, const char *(*version) (const SpoolPart *part),
			   uint8 *digest)
{
	Spool	   *list = spool_create(CurrentMemoryContext, MaxAllocSize);
	ListCell   *cell;

	/* with the NULs, so that two texts are never another two */
	spool_write(list, asked, strlen(asked) + 1);
	foreach(cell, parts)
	{
		const SpoolPart *part = lfirst(cell);
		const char *tag = version != NULL ? version(part) : "";
		char		line[64];

		snprintf(line, sizeof(line), INT64_FORMAT " " INT64_FORMAT, part->size, (int64) part->last_modified);
		spool_write(list, part->location, strlen(part->location) + 1);
		spool_write(list, line, strlen(line) + 1);
		spool_write(list, tag, strlen(tag) + 1);
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
