/*-------------------------------------------------------------------------
 *
 * vector_contain.c
 *		LIKE '%literal%': which strings contain some bytes.
 *
 * In UTF-8 and in encodings of one byte a character, characters begin where their bytes
 * do, so the bytes decide.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "vector/vector_contain.h"

/* the literal between two percent signs; false: the pattern is another */
static bool
find_literal(ByteView pattern, ByteView *literal)
{
	if (pattern.length < 4 || pattern.data[0] != '%' || pattern.data[pattern.length - 1] != '%')
		return false;
	*literal = (ByteView) {pattern.data + 1, pattern.length - 2};
	for (uint32 i = 0; i < literal->length; i++)
	{
		if (strchr("%_\\", literal->data[i]) != NULL)
			return false;
	}
	return true;
}

/* Is it such a test of a column?  The literal has two bytes at least. */
bool
contain_is_test(const Expr *node, ContainTest *test)
{
	const OpExpr *operation = (const OpExpr *) node;
	const Const *pattern;
	const Expr *column;
	ValueType	type;

	if (!IsA(node, OpExpr) ||
		(operation->opfuncid != F_TEXTLIKE && operation->opfuncid != F_TEXTNLIKE))
		return false;
	column = linitial(operation->args);
	if (IsA(column, RelabelType))
		column = ((const RelabelType *) column)->arg;
	pattern = lsecond(operation->args);
	if (!IsA(column, Var) || !IsA(pattern, Const) || pattern->constisnull ||
		!OidIsValid(operation->inputcollid) ||
		!get_collation_isdeterministic(operation->inputcollid))
		return false;
	if (GetDatabaseEncoding() != PG_UTF8 && pg_database_encoding_max_length() > 1)
		return false;
	type = value_type(TEXTOID, -1, InvalidOid);
	test->negated = operation->opfuncid == F_TEXTNLIKE;
	return find_literal(value_to_bytes(&type, pattern->constvalue), &test->literal);
}

static inline bool
contains(ByteView bytes, ByteView literal)
{
	const char *last = bytes.data + bytes.length - literal.length;
	uint16		wanted;

	if (bytes.length < literal.length)
		return false;
	memcpy(&wanted, literal.data, sizeof(wanted));
	for (const char *at = bytes.data; at <= last; at++)
	{
		uint16		here;

		memcpy(&here, at, sizeof(here));
		if (here == wanted && memcmp(at + 2, literal.data + 2, literal.length - 2) == 0)
			return true;
	}
	return false;
}

void
contain_test(const ContainTest *test, int count, const ByteView *bytes, const bool *nulls,
			 int64 *out)
{
	for (int i = 0; i < count; i++)
		out[i] = (nulls == NULL || !nulls[i]) && contains(bytes[i], test->literal) != test->negated;
}
