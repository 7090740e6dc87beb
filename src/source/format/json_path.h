/*-------------------------------------------------------------------------
 *
 * json_path.h
 *		Walks down to where a JSON pointer (RFC 6901) points, and out again.
 *
 * Private to the JSON reader, but for the escapes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_PATH_H
#define SPICE_JSON_PATH_H

#include "source/format/window.h"

/* one part of the pointer, unescaped, and a level of the document with it */
typedef struct JsonPathPart
{
	char	   *name;
	size_t		length;
	bool		object;			/* found in an object, not in an array */
} JsonPathPart;

typedef struct JsonPath
{
	char	   *pointer;		/* as given */
	char	   *names;			/* memory of the parts' names */
	JsonPathPart *parts;
	int			length;
	const char *problem;		/* what is wrong with the pointer itself, or NULL */
} JsonPath;

/* Undoes ~0 and ~1 of a part in place, which a NUL ends.  False: it has another ~. */
extern bool json_path_unescape(char *name, size_t *length);

/* pointer: may be NULL; false: out of memory */
extern bool json_path_init(JsonPath *path, const char *pointer);
extern void json_path_free(JsonPath *path);

/* moves the window from the document's value to the one pointed at */
extern bool json_path_enter(const JsonPath *path, DocumentWindow *window);

/* from behind the value pointed at to the end of the document */
extern bool json_path_leave(const JsonPath *path, DocumentWindow *window);

#endif
