/*-------------------------------------------------------------------------
 *
 * parquet_codec.h
 *		Unpacks the pages of a Parquet file.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_CODEC_H
#define SPICE_PARQUET_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#define PARQUET_UNCOMPRESSED	0

/*
 * Unpacks a page into exactly out_length bytes.  False if the page is damaged; if
 * the codec is unknown, *unknown is its name or NULL.
 */
extern bool parquet_unpack(int codec, const char *in, size_t in_length,
						   char *out, size_t out_length, const char **unknown);

#endif
