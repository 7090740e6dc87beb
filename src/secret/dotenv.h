/*-------------------------------------------------------------------------
 *
 * dotenv.h
 *		Files of KEY=value lines, and small files that hold a secret.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DOTENV_H
#define SPICE_DOTENV_H

#include <stdbool.h>
#include <stddef.h>

typedef struct DotenvEntry
{
	char	   *key;
	char	   *value;
} DotenvEntry;

typedef struct Dotenv
{
	DotenvEntry *entries;
	size_t		count;
	size_t		capacity;
} Dotenv;

typedef enum FileOutcome
{
	FILE_READ,
	FILE_MISSING,
	FILE_REFUSED,				/* errno says why; 0: not a small text file */
	FILE_OUT_OF_MEMORY
} FileOutcome;

/* The text of a file, to be given back with secret_wipe(). */
extern FileOutcome secret_file_read(const char *path, char **text);
extern void secret_wipe(char *text);

/*
 * Adds the entries of text.  Returns 0, the number of the first line that is
 * not understood, or -1 when out of memory.
 */
extern int	dotenv_parse(Dotenv *dotenv, const char *text);

/* the value of a key, the last one given, or NULL */
extern const char *dotenv_get(const Dotenv *dotenv, const char *key);
extern void dotenv_free(Dotenv *dotenv);

#endif
