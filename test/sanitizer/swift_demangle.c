/*-------------------------------------------------------------------------
 *
 * swift_demangle.c
 *		A function that the sanitizers' runtime looks for.
 *
 * gcc 12's runtime looks it up while it starts.  In a program that it was only
 * preloaded into, the search of a name that nobody has never ends.
 *
 *-------------------------------------------------------------------------
 */
#include <stddef.h>

extern char *swift_demangle(void);

char *
swift_demangle(void)
{
	return NULL;
}
