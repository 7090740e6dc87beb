/*-------------------------------------------------------------------------
 *
 * feed.h
 *		Bytes in memory as what a reader reads, in pieces of a chosen size.
 *
 * For the unit tests and fuzzers of the readers: what goes wrong in a reader
 * with a window goes wrong where the window ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TEST_FEED_H
#define SPICE_TEST_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Feed
{
	const char *bytes;
	size_t		left;
	size_t		chunk;			/* 0: as much as fits */
	bool		broken;			/* fails instead of ending */
} Feed;

/* a JsonRead */
static int64_t
feed_read(void *arg, char *buffer, size_t size)
{
	Feed	   *feed = arg;

	if (feed->left == 0 && feed->broken)
		return -1;
	if (feed->chunk != 0 && size > feed->chunk)
		size = feed->chunk;
	if (size > feed->left)
		size = feed->left;
	if (size > 0)
		memcpy(buffer, feed->bytes, size);
	feed->bytes += size;
	feed->left -= size;
	return (int64_t) size;
}

#endif
