/*-------------------------------------------------------------------------
 *
 * window.h
 *		The part of a document that is in memory, and what was wrong.
 *
 * Private to the readers of JSON and CSV.  What begins at position is scanned as if it
 * lay in the window whole; if the window ends first, it moves to the front, at
 * least as many bytes again are read behind it, and it is scanned anew from
 * its start.  So no scanner has to be able to stop at every byte, and as the
 * bytes at least double each time, the work stays linear.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_WINDOW_H
#define SPICE_WINDOW_H

#include "source/format/json_scan.h"

#define JSON_NO_BYTE	(-1)	/* the document ended, or reading failed */

typedef struct JsonWindow
{
	JsonRead	read;
	void	   *arg;
	char	   *bytes;
	size_t		capacity;
	int64_t		offset;			/* of bytes[0] in the document */
	const char *position;
	bool		at_end;			/* read has no more bytes */
	bool		newline;		/* peek skipped a line break */
	int			depth;			/* containers around position */
	int64_t		record;			/* which record an error concerns */
	JsonScan	scan;			/* scan.end is the end of the bytes */
	JsonError  *error;
} JsonWindow;

/* false: out of memory */
extern bool json_window_init(JsonWindow *window, const JsonReaderOptions *options,
							 JsonError *error);
extern int64_t json_window_offset(const JsonWindow *window, const char *p);

/* more bytes behind position; false: not one more, at the end or failed */
extern bool json_window_fill(JsonWindow *window);

/* what is read next is at this offset of the document */
extern void json_window_go(JsonWindow *window, int64_t offset);

/* skips space; the byte at position then, or JSON_NO_BYTE */
extern int	json_window_peek(JsonWindow *window);

/*
 * For a scanner that began at position and returned NULL.  True: there is
 * more in the window now, scan again from position.
 */
extern bool json_window_again(JsonWindow *window);

/* skips the value at position */
extern bool json_window_skip_value(JsonWindow *window);

/*
 * These note the first error, and return false.  json_window_fail_here
 * appends what is found at position.  json_window_fail_shape is for a value
 * of the wrong kind at position: if it is not even a value, it says so.
 */
extern bool json_window_fail(JsonWindow *window, JsonErrorCode code,
							 const char *p, const char *message);
extern bool json_window_fail_here(JsonWindow *window, JsonErrorCode code, const char *what);
extern bool json_window_fail_shape(JsonWindow *window, const char *needed);

/*
 * Copies a printable piece of the text at p for a message: up to a control
 * character or a byte that is not UTF-8, or as much as out holds.  Returns
 * its length.
 */
extern size_t json_printable(char *out, size_t size, const char *p, const char *end);

#endif
