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

#include "manifest/check.h"
#include "manifest/csv_options.h"
#include "manifest/database.h"

#define JSON_LINES	"jsonl|ndjson|ldjson"
#define CSV_FORMATS	"csv|tsv"

static void
check_connector(Parser *parser, const char *from, int line)
{
	size_t		length = strcspn(from, ":/");
	const char *hint = "connectors that work: http, https, file, postgres, mysql, table";
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
					  "secrets are replaced in params only: use http_password or http_headers",
					  "from holds a reference to a secret");
	else if (length == 0 || host[0] == ':')
		parse_problem(parser, MANIFEST_ERROR, line, "write http://host/path",
					  "from names no host");
	else if (has_control_or_blank(url))
		parse_problem(parser, MANIFEST_ERROR, line, "write a blank as %20",
					  "from holds a blank or a control character");
}

/* The extension of the file that a path names, or "". */
static const char *
path_extension(const char *path)
{
	const char *point = strrchr(path, '.');

	if (point == NULL || strchr(point, '/') != NULL)
		return "";
	return point + 1;
}

static void
refuse_format(Parser *parser, int line, const char *setting, const char *format)
{
	parse_problem(parser, MANIFEST_ERROR, line,
				  "formats that work: json, jsonl, ndjson, ldjson, csv, tsv, parquet",
				  "%s %s is not supported yet", setting, format);
}

/*
 * file_format is the format of the response, json_format the layout of its
 * records.  Without either the path's extension decides, and without an extension
 * the reader looks at the first bytes.
 */
static const char *
parse_format(Parser *parser, const DatasetSpec *spec, const char *path, int from_line)
{
	const DocNode *file = check_value(spec->params_table, spec->params, "file_format");
	const DocNode *json = check_value(spec->params_table, spec->params, "json_format");
	const char *extension = path_extension(path);
	bool		lines = file != NULL && keys_value_in(JSON_LINES, file->text);
	bool		csv = file != NULL && keys_value_in(CSV_FORMATS, file->text);
	bool		parquet = file != NULL && strcmp(file->text, "parquet") == 0;

	if (file != NULL && !lines && !csv && !parquet && strcmp(file->text, "json") != 0)
		refuse_format(parser, file->line, "file_format", file->text);
	if (json != NULL && keys_value_in("soda|socrata", json->text))
		refuse_format(parser, json->line, "json_format", json->text);
	if (file == NULL && json == NULL)
	{
		if (keys_value_in("arrow|avro|vortex", extension))
			refuse_format(parser, from_line, "file_format", extension);
		if (keys_value_in(CSV_FORMATS "|parquet", extension))
			return extension;
		return keys_value_in(JSON_LINES, extension) ? "jsonl" : "auto";
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
	return "json";
}

static bool
pointer_is_valid(const char *pointer)
{
	for (const char *p = strchr(pointer, '~'); p != NULL; p = strchr(p + 1, '~'))
	{
		if (p[1] != '0' && p[1] != '1')
			return false;
	}
	return true;
}

static char *
parse_pointer(Parser *parser, const DatasetSpec *spec)
{
	const DocNode *pointer = check_value(spec->params_table, spec->params, "json_pointer");
	const DocNode *path = check_value(spec->params_table, spec->params, "json_path");
	const char *format = spec->definition.format;

	if (pointer != NULL && path != NULL && strcmp(pointer->text, path->text) != 0)
		parse_problem(parser, MANIFEST_ERROR, path->line,
					  "json_path is another name of json_pointer: keep one",
					  "json_path contradicts json_pointer");
	if (pointer == NULL)
		pointer = path;
	if (pointer == NULL || pointer->text[0] == '\0')
		return NULL;
	if (strcmp(format, "jsonl") == 0 || keys_value_in(CSV_FORMATS, format))
		parse_problem(parser, MANIFEST_ERROR, pointer->line, "take one of the two out",
					  "json_pointer has no meaning in %s",
					  strcmp(format, "jsonl") == 0 ? "JSON Lines" : "CSV");
	if (!pointer_is_valid(pointer->text))
		parse_problem(parser, MANIFEST_ERROR, pointer->line,
					  "in a JSON pointer ~ is written ~0 and / inside a name ~1",
					  "json_pointer \"%s\" is not valid",
					  document_excerpt(parser->arena, pointer->text));
	return arena_printf(parser->arena, "%s%s", pointer->text[0] == '/' ? "" : "/", pointer->text);
}

/* path: what names the file or folder, whose extension may tell the format */
static void
parse_format_params(Parser *parser, DatasetSpec *spec, const char *path, int from_line)
{
	Definition *definition = &spec->definition;

	definition->format = (char *) parse_format(parser, spec, path, from_line);
	definition->json_pointer = parse_pointer(parser, spec);
	csv_options_parse(parser, spec);
}

static bool
parse_file(Parser *parser, const DocNode *from, DatasetSpec *spec)
{
	const char *path = from->text + strlen("file:");

	if (strncmp(from->text, "file:", strlen("file:")) != 0)
		return false;
	spec->definition.connector = "file";
	spec->params_table = &keys_of_file_source;
	check_mapping(parser, &keys_of_file_source, spec->params);
	check_fill(&keys_of_file_source, spec->params, &spec->definition);
	path += strncmp(path, "//", 2) == 0 ? 2 : 0;
	if (path[0] == '\0')
		parse_problem(parser, MANIFEST_ERROR, from->line, "write file:path", "from names no path");
	else if (path_extension(path)[0] == '\0' &&
			 document_given(spec->params, "file_format") == NULL &&
			 document_given(spec->params, "json_format") == NULL)
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  "write file_format: parquet, csv, tsv, json or jsonl under params",
					  "file_format is missing, and no extension in from stands for it");
	parse_format_params(parser, spec, path, from->line);
	return true;
}

static void
parse_http(Parser *parser, const DocNode *from, DatasetSpec *spec)
{
	static const DocNode no_params = {.kind = DOC_MAPPING};
	Definition *definition = &spec->definition;
	const DocNode *headers;

	definition->connector = "http";
	spec->params_table = &keys_of_http;
	check_url(parser, from->text, from->line);

	/* params of another connector would only add noise to its error */
	if (strncmp(from->text, "http", 4) != 0)
		spec->params = &no_params;
	check_mapping(parser, &keys_of_http, spec->params);
	check_fill(&keys_of_http, spec->params, definition);
	headers = check_value(&keys_of_http, spec->params, "http_headers");
	if (headers != NULL && strpbrk(headers->text, "\r\n") != NULL)
		parse_problem(parser, MANIFEST_ERROR, headers->line,
					  "write http_headers: \"Name: value, Other: value\"",
					  "http_headers holds a line break");
	parse_format_params(parser, spec,
						arena_strndup(parser->arena, from->text, strcspn(from->text, "?#")), from->line);
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
	else if (!database_parse(parser, from, spec) && !parse_file(parser, from, spec))
		parse_http(parser, from, spec);
}
