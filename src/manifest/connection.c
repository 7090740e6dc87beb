/*-------------------------------------------------------------------------
 *
 * connection.c
 *		Where a dataset comes from: "from" and "params".
 *
 * Passwords get written into these values by mistake, so the messages name keys and
 * connectors and never quote a URL or a credential.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/connection.h"

#include <string.h>

#include "ascii.h"
#include "manifest/check.h"
#include "manifest/csv_options.h"
#include "manifest/database.h"
#include "manifest/paging.h"
#include "manifest/request_keys.h"
#include "manifest/token_keys.h"

#define JSON_LINES	"jsonl|ndjson|ldjson"
#define CSV_FORMATS	"csv|tsv"
#define COMPRESSIONS	"gz|zst|bz2|xz"

/* bytes of the name of a bucket */
#define MAX_BUCKET		63

/* a place that lists files: what it names is one, or a folder of them */
typedef struct PlaceKind
{
	const char *connector;
	const char *scheme;			/* that from begins with */
	const KeyTable *params;
	const char *usage;
} PlaceKind;

static const PlaceKind places[] = {
	{"file", "file:", &keys_of_file_source, "write file:path"},
	{"s3", "s3://", &keys_of_s3, "write s3://bucket/key"},
};

static void
check_connector(Parser *parser, const char *from, int line)
{
	size_t		length = strcspn(from, ":/");
	const char *hint = "connectors that work: http, https, file, s3, postgres, mysql, table";
	const char *name = document_excerpt(parser->arena,
										arena_strndup(parser->arena, from, length));

	if (from[length] == '\0' && !keys_know_connector(from, length))
		parse_problem(parser, MANIFEST_ERROR, line, hint,
					  "from \"%s\" names no connector", name);
	else if (!keys_know_connector(from, length))
		parse_problem(parser, MANIFEST_ERROR, line, hint,
					  "unknown connector \"%s\" in from", name);
	else if (strncmp(from, "http", 4) == 0)
		parse_problem(parser, MANIFEST_ERROR, line, "write http://host/path",
					  "from is not a complete URL");
	else if (strncmp(from, "s3", length) == 0)
		parse_problem(parser, MANIFEST_ERROR, line, "write s3://bucket/key",
					  "from is not a complete URL");
	else
		parse_problem(parser, MANIFEST_ERROR, line, hint,
					  "the %s connector is not supported yet", name);
}

static bool
has_control_or_blank(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if ((unsigned char) *text <= 0x20 || *text == 0x7F)
			return true;
	}
	return false;
}

static void
check_url(Parser *parser, const char *url, int line)
{
	const char *host;
	size_t		length;

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
	{
		check_connector(parser, url, line);
		return;
	}
	host = strstr(url, "://") + 3;
	length = strcspn(host, "/?#\\");
	if (memchr(host, '@', length) != NULL)
		parse_problem(parser, MANIFEST_ERROR, line,
					  "use the params http_username and http_password",
					  "from holds a user name or password");
	else if (strstr(url, "${") != NULL)
		parse_problem(parser, MANIFEST_ERROR, line,
					  "secrets are replaced in params only: use http_query, http_password or http_headers",
					  "from holds a reference to a secret");
	else if (length == 0 || host[0] == ':')
		parse_problem(parser, MANIFEST_ERROR, line, "write http://host/path",
					  "from names no host");
	else if (has_control_or_blank(url))
		parse_problem(parser, MANIFEST_ERROR, line, "write a blank as %20",
					  "from holds a blank or a control character");
}

/* The extension of the file that a path names in lower case, without that of a compression, or "". */
static const char *
path_extension(Parser *parser, const char *path)
{
	const char *point = strrchr(path, '.');
	char	   *extension;

	if (point == NULL || strchr(point, '/') != NULL)
		return "";
	extension = arena_printf(parser->arena, "%s", point + 1);
	for (char *p = extension; *p != '\0'; p++)
		*p = ascii_lower(*p);
	if (keys_value_in(COMPRESSIONS, extension))
		return path_extension(parser, arena_strndup(parser->arena, path, (size_t) (point - path)));
	return extension;
}

static void
refuse_format(Parser *parser, int line, const char *setting, const char *format)
{
	parse_problem(parser, MANIFEST_ERROR, line,
				  "formats that work: json, jsonl, ndjson, ldjson, csv, tsv, parquet",
				  "%s %s is not supported yet", setting, format);
}

/* Does a key say that the response is JSON? */
static bool
has_pointer(const DatasetSpec *spec)
{
	return document_given(spec->params, "json_pointer") != NULL || document_given(spec->params, "json_path") != NULL ||
		paging_looks_into_pages(spec);
}

/*
 * file_format is the format of the response, json_format the layout of its
 * records.  Without either the path's extension decides, and without an extension
 * what the response says of itself: "detect" (scan/records.c).
 */
static const char *
parse_format(Parser *parser, const DatasetSpec *spec, const char *path, int from_line)
{
	const DocNode *file = check_value(spec->params_table, spec->params, "file_format");
	const DocNode *json = check_value(spec->params_table, spec->params, "json_format");
	bool		open = file == NULL || strcmp(file->text, "auto") == 0;
	const char *extension = path_extension(parser, path);
	bool		lines = file != NULL && keys_value_in(JSON_LINES, file->text);
	bool		csv = file != NULL && keys_value_in(CSV_FORMATS, file->text);
	bool		parquet = file != NULL && strcmp(file->text, "parquet") == 0;

	if (!open && !lines && !csv && !parquet && strcmp(file->text, "json") != 0)
		refuse_format(parser, file->line, "file_format", file->text);
	if (json != NULL && keys_value_in("soda|socrata", json->text))
		refuse_format(parser, json->line, "json_format", json->text);
	if (json == NULL && (open || strcmp(file->text, "json") == 0) &&
		strcmp(check_text(spec->params_table, spec->params, "pagination_data_map_to_array", "disabled"), "enabled") == 0)
		return "map";
	if (open && json == NULL)
	{
		if (keys_value_in("arrow|avro|vortex", extension))
			refuse_format(parser, from_line, "file_format", extension);
		if (keys_value_in(CSV_FORMATS "|parquet", extension))
			return extension;
		if (keys_value_in(JSON_LINES, extension))
			return "jsonl";
		return strcmp(extension, "json") == 0 || has_pointer(spec) ? "auto" : "detect";
	}
	if (csv || parquet)
	{
		if (json != NULL)
			parse_problem(parser, MANIFEST_ERROR, json->line, "take one of the two out",
						  "json_format contradicts file_format %s", file->text);
		return file->text;
	}
	if (json == NULL || strcmp(json->text, "auto") == 0)
		return lines ? "jsonl" : "auto";
	if (keys_value_in(JSON_LINES, json->text))
		return "jsonl";
	if (lines)
		parse_problem(parser, MANIFEST_ERROR, json->line, "take one of the two out",
					  "json_format %s contradicts file_format %s",
					  json->text, file->text);
	return keys_value_in("map|columns|document", json->text) ? json->text : "json";
}

static char *
parse_pointer(Parser *parser, const DatasetSpec *spec)
{
	static const char *const others[] = {"json_path", "pagination_data_pointer"};
	const DocNode *pointer = check_value(spec->params_table, spec->params, "json_pointer");
	const char *format = spec->definition.format;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		const DocNode *other = check_value(spec->params_table, spec->params, others[i]);

		if (pointer != NULL && other != NULL && strcmp(pointer->text, other->text) != 0)
			parse_problem(parser, MANIFEST_ERROR, other->line,
						  arena_printf(parser->arena, "%s is another name of json_pointer: keep one", others[i]),
						  "%s contradicts json_pointer", others[i]);
		if (pointer == NULL)
			pointer = other;
	}
	if (pointer == NULL || pointer->text[0] == '\0')
		return NULL;
	if (strcmp(format, "jsonl") == 0 || keys_value_in(CSV_FORMATS, format))
		parse_problem(parser, MANIFEST_ERROR, pointer->line, "take one of the two out",
					  "json_pointer has no meaning in %s",
					  strcmp(format, "jsonl") == 0 ? "JSON Lines" : "CSV");
	if (!paging_pointer_is_valid(pointer->text))
		parse_problem(parser, MANIFEST_ERROR, pointer->line,
					  "in a JSON pointer ~ is written ~0 and / inside a name ~1",
					  "json_pointer \"%s\" is not valid",
					  document_excerpt(parser->arena, pointer->text));
	return arena_printf(parser->arena, "%s%s", pointer->text[0] == '/' ? "" : "/", pointer->text);
}

/* The texts that stand for null, each with a line break behind it. */
static char *
parse_null_values(Parser *parser, const DatasetSpec *spec)
{
	const DocNode *values = check_value(spec->params_table, spec->params, "null_values");
	char	   *lines = "";

	if (values == NULL)
		return NULL;
	for (size_t i = 0; i < values->count; i++)
	{
		const DocNode *value = values->items[i];

		if (value->kind == DOC_SCALAR && strchr(value->text, '\n') == NULL)
			lines = arena_printf(parser->arena, "%s%s\n", lines, value->text);
		else
			parse_problem(parser, MANIFEST_ERROR, value->line, "write texts as in [NA, \"-\"]",
						  "an entry of null_values is not a text of one line");
	}
	if (strcmp(spec->definition.format, "parquet") == 0)
		parse_problem(parser, MANIFEST_WARNING, values->line, "take it out",
					  "null_values has no effect: the response is Parquet");
	return lines;
}

/* path: what names the file or folder, whose extension may tell the format */
static void
parse_format_params(Parser *parser, DatasetSpec *spec, const char *path, int from_line)
{
	Definition *definition = &spec->definition;

	definition->format = (char *) parse_format(parser, spec, path, from_line);
	definition->json_pointer = parse_pointer(parser, spec);
	definition->null_values = parse_null_values(parser, spec);
	csv_options_parse(parser, spec);
}

static void
check_s3(Parser *parser, const DatasetSpec *spec, const DocNode *from)
{
	const DocNode *params = spec->params;
	const char *auth = check_text(&keys_of_s3, params, "s3_auth", "");
	bool		key = document_given(params, "s3_key") != NULL;
	bool		secret = document_given(params, "s3_secret") != NULL;
	const char *bucket = from->text + strlen("s3://");

	if (strcspn(bucket, "/") == 0 || strcspn(bucket, "/") > MAX_BUCKET ||
		bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-_")] != (strchr(bucket, '/') ? '/' : '\0'))
		parse_problem(parser, MANIFEST_ERROR, from->line, "write s3://bucket/key",
					  "from names no bucket of small letters, digits, points and hyphens");
	if (key != secret || (strcmp(auth, "key") == 0 && !key))
		parse_problem(parser, MANIFEST_ERROR, params->line,
					  "write s3_key and s3_secret, with the secret as ${secrets:KEY}",
					  "s3_key and s3_secret belong together");
	else if (key && auth[0] != '\0' && strcmp(auth, "key") != 0)
		parse_problem(parser, MANIFEST_WARNING, document_line(params, "s3_key"),
					  "write s3_auth: key, or take them out",
					  "s3_key and s3_secret have no effect with s3_auth %s", auth);
}

/* whether a column of the place is asked for by either of its names, "_size" or "size" */
static const char *
parse_place_column(const DatasetSpec *spec, const char *name)
{
	const DocNode *metadata = document_given(spec->entry, "metadata");
	const char *const names[] = {name, name + 1};

	for (size_t i = 0; metadata != NULL && metadata->kind == DOC_MAPPING && i < 2; i++)
	{
		const DocNode *node = document_given(metadata, names[i]);

		if (node != NULL && node->kind == DOC_SCALAR && keys_value_in("enabled|true", node->text))
			return names[i];
	}
	return NULL;
}

/* time_column: last_modified means the files' own times, which are a column then. */
static void
parse_place_columns(DatasetSpec *spec)
{
	Definition *definition = &spec->definition;
	const char *time = definition->time_column;

	definition->location_column = (char *) parse_place_column(spec, "_location");
	definition->size_column = (char *) parse_place_column(spec, "_size");
	definition->last_modified_column = (char *) parse_place_column(spec, "_last_modified");
	if (time != NULL && keys_value_in("_last_modified|last_modified", time))
		definition->last_modified_column = (char *) time;
	definition->hive_partitioning =
		keys_value_in("true", check_text(spec->params_table, spec->params, "hive_partitioning_enabled", "false"));
}

static bool
parse_place(Parser *parser, const DocNode *from, DatasetSpec *spec)
{
	const PlaceKind *kind = NULL;
	const char *path;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		if (strncmp(from->text, places[i].scheme, strlen(places[i].scheme)) == 0)
			kind = &places[i];
	}
	if (kind == NULL)
		return false;
	spec->definition.connector = (char *) kind->connector;
	spec->params_table = kind->params;
	check_mapping(parser, kind->params, spec->params);
	check_fill(kind->params, spec->params, &spec->definition);
	if (kind->params == &keys_of_s3)
		check_s3(parser, spec, from);
	path = from->text + strlen(kind->scheme);
	path += strcmp(kind->scheme, "file:") == 0 && strncmp(path, "//", 2) == 0 ? 2 : 0;
	if (path[0] == '\0')
		parse_problem(parser, MANIFEST_ERROR, from->line, kind->usage, "from names no path");
	else if (path_extension(parser, path)[0] == '\0' &&
			 document_given(spec->params, "file_format") == NULL &&
			 document_given(spec->params, "json_format") == NULL)
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  "write file_format: parquet, csv, tsv, json or jsonl under params",
					  "file_format is missing, and no extension in from stands for it");
	parse_format_params(parser, spec, path, from->line);
	parse_place_columns(spec);
	return true;
}

static void
parse_http(Parser *parser, const DocNode *from, DatasetSpec *spec)
{
	static const DocNode no_params = {.kind = DOC_MAPPING};
	Definition *definition = &spec->definition;

	definition->connector = "http";
	spec->params_table = &keys_of_http;
	check_url(parser, from->text, from->line);

	/* params of another connector would only add noise to its error */
	if (strncmp(from->text, "http", 4) != 0)
		spec->params = &no_params;
	request_keys_flatten(parser, spec->params);
	check_mapping(parser, &keys_of_http, spec->params);
	check_fill(&keys_of_http, spec->params, definition);
	token_keys_check(parser, spec);
	parse_format_params(parser, spec,
						arena_strndup(parser->arena, from->text, strcspn(from->text, "?#")), from->line);
	paging_check(parser, spec);
}

void
connection_parse(Parser *parser, DatasetSpec *spec)
{
	const DocNode *from = check_value(&keys_of_dataset, spec->entry, "from");

	if (from == NULL || from->text[0] == '\0')
	{
		/* check_mapping() has reported a value of the wrong kind */
		if (from != NULL || document_given(spec->entry, "from") == NULL)
			parse_problem(parser, MANIFEST_ERROR, spec->entry->line,
						  "write from: http://host/path", "from is missing");
	}
	else if (!database_parse(parser, from, spec) && !parse_place(parser, from, spec))
		parse_http(parser, from, spec);
}
