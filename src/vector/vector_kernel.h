/*-------------------------------------------------------------------------
 *
 * vector_kernel.h
 *		Loops for the server's functions on numbers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_KERNEL_H
#define SPICE_VECTOR_KERNEL_H

#include "vector/vector_value.h"

typedef enum KernelOperation
{
	KERNEL_ADD,
	KERNEL_SUBTRACT,
	KERNEL_MULTIPLY,
	KERNEL_DIVIDE,
	KERNEL_MODULO,
	KERNEL_CAST,				/* one argument */
	/* comparisons */
	KERNEL_EQUAL,
	KERNEL_NOT_EQUAL,
	KERNEL_LESS,
	KERNEL_LESS_EQUAL,
	KERNEL_GREATER,
	KERNEL_GREATER_EQUAL
} KernelOperation;

typedef struct KernelFunction
{
	Oid			function;
	KernelOperation operation;
	Oid			result;			/* type */
} KernelFunction;

extern const KernelFunction *kernel_find(Oid function);
extern bool kernel_integers(const KernelFunction *kernel, int count, const int64 *a,
							const int64 *b, int64 *out);
extern bool kernel_floats(const KernelFunction *kernel, int count, const double *a,
						  const double *b, double *out);
extern void kernel_compare_integers(KernelOperation operation, int count, const int64 *a,
									const int64 *b, bool *out);
extern void kernel_compare_integer(KernelOperation operation, int count, const int64 *a, int64 b,
								   bool *out);
extern void kernel_compare_floats(KernelOperation operation, int count, const double *a,
								  const double *b, bool *out);
extern void kernel_compare_float(KernelOperation operation, int count, const double *a, double b,
								 bool *out);
extern void kernel_to_floats(int count, const int64 *integers, double *out);

#endif
