/*-------------------------------------------------------------------------
 *
 * dotenv.c
 *		Files of KEY=value lines, and small files that hold a secret.
 *
 * A line that is not understood is reported by its number instead of being
 * passed over: the secret that it was meant to set would be missing later,
 * far from the cause.  Everything read is wiped before it is freed, and
 * nothing here goes through stdio, whose buffers cannot be wiped.
 *
 *-------------------------------------------------------------------------
 */
#include "secret/dotenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES		(1024 * 1024)

void
secret_wipe(char *text)
{
	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

/* Fills text up to length or the end of the file; -1 on errors. */
static ssize_t
read_fully(int fd, char *text, size_t length)
{
	size_t		done = 0;

	while (done < length)
	{
		ssize_t		got = read(fd, text + done, length - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t) got;
	}
	return (ssize_t) done;
}

static FileOutcome
read_open_file(int fd, char **text)
{
	struct stat status;
	size_t		size;
	ssize_t		got;
	char	   *buffer;

	if (fstat(fd, &status) != 0)
		return FILE_REFUSED;
	errno = 0;
	if (!S_ISREG(status.st_mode) || status.st_size > MAX_FILE_BYTES)
		return FILE_REFUSED;
	size = (size_t) status.st_size;
	buffer = calloc(1, size + 1);
	if (buffer == NULL)
		return FILE_OUT_OF_MEMORY;
	got = read_fully(fd, buffer, size);
	if (got < 0 || memchr(buffer, '\0', (size_t) got) != NULL)
	{
		int			saved = got < 0 ? errno : 0;

		explicit_bzero(buffer, size);
		free(buffer);
		errno = saved;
		return FILE_REFUSED;
	}
	*text = buffer;
	return FILE_READ;
}

FileOutcome
secret_file_read(const char *path, char **text)
{
	/* O_NONBLOCK: the open of a FIFO without a writer would hang */
	int			fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FileOutcome outcome;
	int			saved;

	*text = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? FILE_MISSING : FILE_REFUSED;
	outcome = read_open_file(fd, text);
	saved = errno;
	close(fd);
	errno = saved;
	return outcome;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static const char *
skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/*
 * Copies a quoted value to "to" and returns what follows the closing quote,
 * or NULL when there is none.  Backslashes count in double quotes only.
 */
static const char *
copy_quoted(const char *p, char *to)
{
	char		quote = *p++;

	for (; *p != quote; p++)
	{
		if (*p == '\0')
			return NULL;
		if (quote == '"' && *p == '\\' && p[1] != '\0')
		{
			p++;
			*to++ = *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p == 't' ? '\t' : *p;
		}
		else
			*to++ = *p;
	}
	*to = '\0';
	return p + 1;
}

/* Copies a bare value: to the end of the line or a " #", without end blanks. */
static const char *
copy_bare(const char *p, char *to)
{
	char	   *begin = to;

	for (const char *first = p; *p != '\0' && *p != '\n'; p++)
	{
		if (*p == '#' && (p == first || is_blank(p[-1])))
			break;
		*to++ = *p;
	}
	while (to > begin && is_blank(to[-1]))
		to--;
	*to = '\0';
	return p;
}

/*
 * How far a value reaches at most.  A quoted one may run over lines, a bare
 * one may not.
 */
static size_t
value_extent(const char *value)
{
	const char *p = value + 1;

	if (*value != '"' && *value != '\'')
		return strcspn(value, "\n");
	for (; *p != '\0' && *p != *value; p++)
	{
		if (*value == '"' && *p == '\\' && p[1] != '\0')
			p++;
	}
	return (size_t) (p - value);
}

static bool
dotenv_add(Dotenv *dotenv, char *key, char *value)
{
	if (dotenv->count == dotenv->capacity)
	{
		size_t		wanted = dotenv->capacity == 0 ? 16 : dotenv->capacity * 2;
		DotenvEntry *bigger = realloc(dotenv->entries, wanted * sizeof(DotenvEntry));

		if (bigger == NULL)
			return false;
		dotenv->entries = bigger;
		dotenv->capacity = wanted;
	}
	dotenv->entries[dotenv->count].key = key;
	dotenv->entries[dotenv->count].value = value;
	dotenv->count++;
	return true;
}

/* One KEY=value; returns what follows, or NULL when it is not understood. */
static const char *
parse_entry(Dotenv *dotenv, const char *p, bool *memory)
{
	const char *begin;
	char	   *key;
	char	   *value;
	size_t		key_length;

	if (strncmp(p, "export", 6) == 0 && is_blank(p[6]))
		p = skip_blanks(p + 6);
	begin = p;
	while (is_key_char(*p))
		p++;
	key_length = (size_t) (p - begin);
	p = skip_blanks(p);
	if (key_length == 0 || *p != '=')
		return NULL;
	p = skip_blanks(p + 1);

	key = strndup(begin, key_length);
	value = calloc(1, value_extent(p) + 1);
	*memory = key != NULL && value != NULL;
	if (*memory)
	{
		p = *p == '"' || *p == '\'' ? copy_quoted(p, value) : copy_bare(p, value);
		if (p != NULL)
			*memory = dotenv_add(dotenv, key, value);
	}
	if (!*memory || p == NULL)
	{
		free(key);
		secret_wipe(value);
		return NULL;
	}
	p = skip_blanks(p);
	if (*p == '#')
		p += strcspn(p, "\n");
	return *p == '\n' || *p == '\0' ? p : NULL;
}

int
dotenv_parse(Dotenv *dotenv, const char *text)
{
	int			line = 1;
	const char *p = text;

	if (strncmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (*p != '\0')
	{
		const char *begin;
		bool		memory = true;

		p = skip_blanks(p);
		if (*p == '#')
			p += strcspn(p, "\n");
		begin = p;
		if (*p != '\n' && *p != '\0')
			p = parse_entry(dotenv, p, &memory);
		if (!memory)
			return -1;
		if (p == NULL)
			return line;
		for (; begin < p; begin++)
			line += *begin == '\n';
		if (*p == '\n')
		{
			p++;
			line++;
		}
	}
	return 0;
}

const char *
dotenv_get(const Dotenv *dotenv, const char *key)
{
	for (size_t i = dotenv->count; i > 0; i--)
	{
		if (strcmp(dotenv->entries[i - 1].key, key) == 0)
			return dotenv->entries[i - 1].value;
	}
	return NULL;
}

void
dotenv_free(Dotenv *dotenv)
{
	for (size_t i = 0; i < dotenv->count; i++)
	{
		free(dotenv->entries[i].key);
		secret_wipe(dotenv->entries[i].value);
	}
	free(dotenv->entries);
	memset(dotenv, 0, sizeof(*dotenv));
}
