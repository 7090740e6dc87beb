/*-------------------------------------------------------------------------
 *
 * vector_kernel.c
 *		Loops for the server's functions on numbers.
 *
 * A loop ends with false if the server's function might raise an error for one of its
 * rows, or might have another result than the loop.  The caller then calls the server's
 * function, row by row.  So a loop need not know of nulls either: a null has some value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/float.h"
#include "utils/fmgroids.h"

#include "vector/vector_kernel.h"

#define ARITHMETIC(name, type) \
	{F_##name##PL, KERNEL_ADD, type}, {F_##name##MI, KERNEL_SUBTRACT, type}, \
	{F_##name##MUL, KERNEL_MULTIPLY, type}, {F_##name##DIV, KERNEL_DIVIDE, type}
#define COMPARISONS(name) \
	{F_##name##EQ, KERNEL_EQUAL, BOOLOID}, {F_##name##NE, KERNEL_NOT_EQUAL, BOOLOID}, \
	{F_##name##LT, KERNEL_LESS, BOOLOID}, {F_##name##LE, KERNEL_LESS_EQUAL, BOOLOID}, \
	{F_##name##GT, KERNEL_GREATER, BOOLOID}, {F_##name##GE, KERNEL_GREATER_EQUAL, BOOLOID}

static const KernelFunction kernels[] = {
	ARITHMETIC(INT2, INT2OID), ARITHMETIC(INT4, INT4OID), ARITHMETIC(INT8, INT8OID),
	ARITHMETIC(INT24, INT4OID), ARITHMETIC(INT42, INT4OID), ARITHMETIC(INT28, INT8OID),
	ARITHMETIC(INT82, INT8OID), ARITHMETIC(INT48, INT8OID), ARITHMETIC(INT84, INT8OID),
	{F_INT2MOD, KERNEL_MODULO, INT2OID}, {F_INT4MOD, KERNEL_MODULO, INT4OID},
	{F_INT8MOD, KERNEL_MODULO, INT8OID},
	ARITHMETIC(FLOAT4, FLOAT4OID), ARITHMETIC(FLOAT8, FLOAT8OID),
	ARITHMETIC(FLOAT48, FLOAT8OID), ARITHMETIC(FLOAT84, FLOAT8OID),
	{F_INT4_INT2, KERNEL_CAST, INT4OID}, {F_INT8_INT2, KERNEL_CAST, INT8OID},
	{F_INT8_INT4, KERNEL_CAST, INT8OID},
	{F_INT2_INT4, KERNEL_CAST, INT2OID}, {F_INT2_INT8, KERNEL_CAST, INT2OID},
	{F_INT4_INT8, KERNEL_CAST, INT4OID},
	{F_FLOAT8_INT2, KERNEL_CAST, FLOAT8OID}, {F_FLOAT8_INT4, KERNEL_CAST, FLOAT8OID},
	{F_FLOAT8_INT8, KERNEL_CAST, FLOAT8OID}, {F_FLOAT8_FLOAT4, KERNEL_CAST, FLOAT8OID},
	COMPARISONS(INT2), COMPARISONS(INT4), COMPARISONS(INT8), COMPARISONS(INT24), COMPARISONS(INT42),
	COMPARISONS(INT28), COMPARISONS(INT82), COMPARISONS(INT48), COMPARISONS(INT84),
	COMPARISONS(FLOAT4), COMPARISONS(FLOAT8), COMPARISONS(FLOAT48), COMPARISONS(FLOAT84),
	COMPARISONS(DATE_), COMPARISONS(TIMESTAMP_), COMPARISONS(TIMESTAMPTZ_), COMPARISONS(TIME_),
	COMPARISONS(BOOL),
};

const KernelFunction *
kernel_find(Oid function)
{
	for (size_t i = 0; i < lengthof(kernels); i++)
	{
		if (kernels[i].function == function)
			return &kernels[i];
	}
	return NULL;
}

/* ---------------------------------------------------------------- integers */

static bool
fit(Oid type, int count, const int64 *values)
{
	int64		least = type == INT2OID ? PG_INT16_MIN : PG_INT32_MIN;
	int64		most = type == INT2OID ? PG_INT16_MAX : PG_INT32_MAX;
	bool		bad = false;

	if (type == INT8OID)
		return true;
	for (int i = 0; i < count; i++)
		bad |= (values[i] < least) | (values[i] > most);
	return !bad;
}

/* are all values below 2^31 in size?  Then no sum or product of two overflows */
static bool
are_small(int count, const int64 *values)
{
	uint64		all = 0;

	for (int i = 0; i < count; i++)
		all |= (uint64) (values[i] ^ (values[i] >> 63));
	return all < UINT64CONST(1) << 31;
}

static bool
checked(const KernelFunction *kernel, int count, const int64 *a, const int64 *b, int64 *out)
{
	bool		bad = false;

	for (int i = 0; i < count; i++)
	{
		if (kernel->operation == KERNEL_ADD)
			bad |= pg_add_s64_overflow(a[i], b[i], &out[i]);
		else if (kernel->operation == KERNEL_SUBTRACT)
			bad |= pg_sub_s64_overflow(a[i], b[i], &out[i]);
		else
			bad |= pg_mul_s64_overflow(a[i], b[i], &out[i]);
	}
	return !bad;
}

static bool
add_multiply(const KernelFunction *kernel, int count, const int64 *a, const int64 *b, int64 *out)
{
	if (!are_small(count, a) || !are_small(count, b))
		return checked(kernel, count, a, b, out);
	switch (kernel->operation)
	{
		case KERNEL_ADD:
			for (int i = 0; i < count; i++)
				out[i] = a[i] + b[i];
			break;
		case KERNEL_SUBTRACT:
			for (int i = 0; i < count; i++)
				out[i] = a[i] - b[i];
			break;
		default:
			for (int i = 0; i < count; i++)
				out[i] = a[i] * b[i];
			break;
	}
	return true;
}

/*
 * By one divisor.  A double has the quotient of numbers below 2^52 but for the last digit,
 * and is several times faster than the division of 64 bits.
 */
static bool
divide_by_one(bool modulo, int count, const int64 *a, int64 divisor, int64 *out)
{
	double		factor = 1.0 / (double) divisor;
	uint64		all = 0;

	for (int i = 0; i < count; i++)
		all |= (uint64) a[i];
	if (divisor <= 0 || all >= UINT64CONST(1) << 52)
		return false;
	for (int i = 0; i < count; i++)
	{
		int64		quotient = (int64) ((double) a[i] * factor);
		int64		rest = a[i] - quotient * divisor;
		int64		more = rest >= divisor;
		int64		less = rest < 0;

		quotient += more - less;
		rest += (less - more) * divisor;
		out[i] = modulo ? rest : quotient;
	}
	return true;
}

static bool
divide(bool modulo, int count, const int64 *a, const int64 *b, int64 *out)
{
	bool		differ = false;

	for (int i = 1; i < count; i++)
		differ |= b[i] != b[0];
	if (!differ && count > 0 && divide_by_one(modulo, count, a, b[0], out))
		return true;
	for (int i = 0; i < count; i++)
	{
		/* the least number by -1 is another case of the server */
		if (b[i] == 0 || b[i] == -1)
			return false;
		out[i] = modulo ? a[i] % b[i] : a[i] / b[i];
	}
	return true;
}

bool
kernel_integers(const KernelFunction *kernel, int count, const int64 *a, const int64 *b, int64 *out)
{
	bool		done = true;

	switch (kernel->operation)
	{
		case KERNEL_CAST:
			memcpy(out, a, count * sizeof(int64));
			break;
		case KERNEL_DIVIDE:
		case KERNEL_MODULO:
			done = divide(kernel->operation == KERNEL_MODULO, count, a, b, out);
			break;
		default:
			done = add_multiply(kernel, count, a, b, out);
			break;
	}
	return done && fit(kernel->result, count, out);
}

/* ---------------------------------------------------------------- floats */

#define FLOAT_LOOP(type, limit, op, suspect) \
	for (int i = 0; i < count; i++) \
	{ \
		type		x = (type) a[i]; \
		type		y = (type) b[i]; \
		type		z = x op y; \
		bad |= !(z >= -(limit) && z <= (limit)) || (suspect); \
		out[i] = z; \
	}

#define FLOAT_LOOPS(type, limit) \
	switch (kernel->operation) \
	{ \
		case KERNEL_ADD: \
			FLOAT_LOOP(type, limit, +, false); \
			break; \
		case KERNEL_SUBTRACT: \
			FLOAT_LOOP(type, limit, -, false); \
			break; \
		case KERNEL_MULTIPLY: \
			FLOAT_LOOP(type, limit, *, (z == 0) & (x != 0) & (y != 0)); \
			break; \
		default: \
			FLOAT_LOOP(type, limit, /, (y == 0) | ((z == 0) & (x != 0))); \
			break; \
	}

bool
kernel_floats(const KernelFunction *kernel, int count, const double *a, const double *b,
			  double *out)
{
	bool		bad = false;

	if (kernel->operation == KERNEL_CAST)
	{
		memcpy(out, a, count * sizeof(double));
		return true;
	}
	if (kernel->result == FLOAT4OID)
	{
		FLOAT_LOOPS(float, FLT_MAX);
	}
	else
	{
		FLOAT_LOOPS(double, DBL_MAX);
	}
	return !bad;
}

void
kernel_to_floats(int count, const int64 *integers, double *out)
{
	for (int i = 0; i < count; i++)
		out[i] = (double) integers[i];
}

/* ---------------------------------------------------------------- comparisons */

#define COMPARE_LOOP(expression) \
	for (int i = 0; i < count; i++) \
		out[i] = (expression); \
	break

#define COMPARE(x, y) \
	switch (operation) \
	{ \
		case KERNEL_EQUAL: \
			COMPARE_LOOP(x == y); \
		case KERNEL_NOT_EQUAL: \
			COMPARE_LOOP(x != y); \
		case KERNEL_LESS: \
			COMPARE_LOOP(x < y); \
		case KERNEL_LESS_EQUAL: \
			COMPARE_LOOP(x <= y); \
		case KERNEL_GREATER: \
			COMPARE_LOOP(x > y); \
		default: \
			COMPARE_LOOP(x >= y); \
	}

void
kernel_compare_integers(KernelOperation operation, int count, const int64 *a, const int64 *b,
						bool *out)
{
	COMPARE(a[i], b[i])
}

void
kernel_compare_integer(KernelOperation operation, int count, const int64 *a, int64 b, bool *out)
{
	COMPARE(a[i], b)
}

/* NaN equals NaN and is more than any other */
void
kernel_compare_floats(KernelOperation operation, int count, const double *a, const double *b,
					  bool *out)
{
	switch (operation)
	{
		case KERNEL_EQUAL:
			COMPARE_LOOP(float8_eq(a[i], b[i]));
		case KERNEL_NOT_EQUAL:
			COMPARE_LOOP(float8_ne(a[i], b[i]));
		case KERNEL_LESS:
			COMPARE_LOOP(float8_lt(a[i], b[i]));
		case KERNEL_LESS_EQUAL:
			COMPARE_LOOP(float8_le(a[i], b[i]));
		case KERNEL_GREATER:
			COMPARE_LOOP(float8_gt(a[i], b[i]));
		default:
			COMPARE_LOOP(float8_ge(a[i], b[i]));
	}
}

/* the same with one number, which decides how each operator takes a NaN */
void
kernel_compare_float(KernelOperation operation, int count, const double *a, double b, bool *out)
{
	if (isnan(b))
	{
		/* x <= NaN and x < NaN turn into conditions on x */
		for (int i = 0; i < count; i++)
		{
			bool		nan = isnan(a[i]);

			out[i] = operation == KERNEL_LESS_EQUAL ||
				(nan && (operation == KERNEL_EQUAL || operation == KERNEL_GREATER_EQUAL)) ||
				(!nan && (operation == KERNEL_NOT_EQUAL || operation == KERNEL_LESS));
		}
		return;
	}
	switch (operation)
	{
		case KERNEL_EQUAL:
			COMPARE_LOOP(a[i] == b);
		case KERNEL_NOT_EQUAL:
			COMPARE_LOOP(a[i] != b);
		case KERNEL_LESS:
			COMPARE_LOOP(a[i] < b);
		case KERNEL_LESS_EQUAL:
			COMPARE_LOOP(a[i] <= b);
		case KERNEL_GREATER:
			COMPARE_LOOP(!(a[i] <= b));
		default:
			COMPARE_LOOP(!(a[i] < b));
	}
}
