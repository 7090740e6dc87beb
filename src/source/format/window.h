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

#include "source/format/bytes.h"
#include "source/format/json_scan.h"

#define JSON_NO_BYTE	(-1)	/* the document ended, or reading failed */

typedef struct DocumentWindow
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
} DocumentWindow;

/* false: out of memory */
extern bool window_init(DocumentWindow *window, JsonRead read, void *arg, JsonError *error);
extern int64_t window_offset(const DocumentWindow *window, const char *p);

/* more bytes behind position; false: not one more, at the end or failed */
extern bool window_fill(DocumentWindow *window);

/* Skips one byte order mark of UTF-8 at the start of the document.  False: there is none. */
extern bool window_skip_mark(DocumentWindow *window);

/* what is read next is at this offset of the document */
extern void window_go(DocumentWindow *window, int64_t offset);

/* skips space; the byte at position then, or JSON_NO_BYTE */
extern int	window_peek(DocumentWindow *window);

/*
 * For a scanner that began at position and returned NULL.  True: there is
 * more in the window now, scan again from position.
 */
extern bool window_again(DocumentWindow *window);

/* skips the value at position */
extern bool window_skip_value(DocumentWindow *window);

/*
 * These note the first error, and return false.  window_fail_here
 * appends what is found at position.  window_fail_shape is for a value
 * of the wrong kind at position: if it is not even a value, it says so.
 * window_fail_place is the same for what leads to the records, where null means none.
 */
extern bool window_fail(DocumentWindow *window, JsonErrorCode code,
						const char *p, const char *message);
extern bool window_fail_here(DocumentWindow *window, JsonErrorCode code, const char *what);
extern bool window_fail_shape(DocumentWindow *window, const char *needed);
extern bool window_fail_place(DocumentWindow *window, const char *needed);

/*
 * Copies a printable piece of the text at p for a message: up to a control
 * character or a byte that is not UTF-8, or as much as out holds.  Returns
 * its length.
 */
extern size_t window_printable(char *out, size_t size, const char *p, const char *end);

#endif
