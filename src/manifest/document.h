/*-------------------------------------------------------------------------
 *
 * document.h
 *		One YAML document as a tree that remembers its lines.
 *
 * Includes no server header.  The tree lives in the arena it was read into.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DOCUMENT_H
#define SPICE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "manifest/arena.h"

typedef enum DocKind
{
	DOC_SCALAR,
	DOC_SEQUENCE,
	DOC_MAPPING
} DocKind;

typedef struct DocNode DocNode;

typedef struct DocPair
{
	const DocNode *key;			/* always a scalar */
	const DocNode *value;
} DocPair;

/*
 * Aliases share the node that they name, so one node may hang in several
 * places; a node is therefore read-only once built.
 */
struct DocNode
{
	DocKind		kind;
	int			line;			/* from 1 */
	bool		plain;			/* scalar without quotes, block or !!str */
	bool		block;			/* scalar whose text begins on the next line */
	const char *text;			/* of a scalar; holds no NUL byte */
	const DocNode **items;		/* of a sequence */
	DocPair    *pairs;			/* of a mapping, merge keys already resolved */
	size_t		count;			/* of items or pairs */
	size_t		weight;			/* nodes below and including this one */
};

typedef struct DocError
{
	int			line;			/* 0 when unknown */
	const char *message;		/* lower case, no full stop */
	const char *hint;			/* or NULL */
} DocError;

/*
 * Reads text, which need not end in a NUL.  Returns NULL and fills *error
 * when it is not one well-formed document within the limits.
 */
extern const DocNode *document_parse(Arena *arena, const char *text,
									 size_t length, DocError *error);

/* the value of a key, or NULL; document_given() takes a null for no value */
extern const DocNode *document_get(const DocNode *mapping, const char *key);
extern const DocNode *document_given(const DocNode *mapping, const char *key);

/* The line of a key, or of the mapping without it.  A block begins on a later line. */
extern int	document_line(const DocNode *mapping, const char *key);

/* whether a scalar stands for "nothing": empty, ~ or null, without quotes */
extern bool document_is_null(const DocNode *node);
extern bool document_is_false(const DocNode *node);

/* text fit to be quoted in a message: shortened, without control characters */
extern const char *document_excerpt(Arena *arena, const char *text);

#endif
