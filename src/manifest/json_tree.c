/*-------------------------------------------------------------------------
 *
 * json_tree.c
 *		JSON that a parser of a manifest writes.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/json_tree.h"

/*
 * The server exports a function json_object(), which a call from this library
 * would reach instead of jansson's.
 */
json_t *
json_tree_new_object(void)
{
	return json_pack("{}");
}

json_t *
json_tree_begin(Parser *parser, json_t *root)
{
	if (root == NULL)
		arena_out_of_memory(parser->arena);
	parser->json = root;
	return root;
}

char *
json_tree_finish(Parser *parser)
{
	/* 15 digits, so that 0.1 is not printed as 0.10000000000000001 */
	const size_t flags = JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(15);
	size_t		size = json_dumpb(parser->json, NULL, 0, flags);
	char	   *text = arena_alloc(parser->arena, size + 1);

	if (size == 0 || json_dumpb(parser->json, text, size, flags) != size)
		arena_out_of_memory(parser->arena);
	json_decref(parser->json);
	parser->json = NULL;
	return text;
}

void
json_tree_put(Parser *parser, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		arena_out_of_memory(parser->arena);
}

void
json_tree_put_text(Parser *parser, json_t *object, const char *key, const char *text)
{
	json_tree_put(parser, object, key, text ? json_string(text) : json_null());
}

json_t *
json_tree_put_list(Parser *parser, json_t *object, const char *key)
{
	json_tree_put(parser, object, key, json_array());
	return json_object_get(object, key);
}

json_t *
json_tree_add(Parser *parser, json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) != 0)
		arena_out_of_memory(parser->arena);
	return value;
}
