/*-------------------------------------------------------------------------
 *
 * parquet_decode.h
 *		Decoders of what a page holds: levels, numbers, lengths.
 *
 * Includes no server header.  Each decoder streams: it is begun over the bytes
 * of a page and asked for so many values at a time.  A function that returns
 * bool says false when the bytes end too early or are no such encoding.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_DECODE_H
#define SPICE_PARQUET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* runs of equal values and of bit-packed ones (RLE_DICTIONARY, levels, booleans) */
typedef struct HybridDecoder
{
	const uint8_t *position;
	const uint8_t *end;
	int			bits;			/* of a value, 0 to 32 */
	uint32_t	run_value;
	uint64_t	run_left;		/* values left in the run of equal ones */
	uint64_t	packed_left;	/* values left in the bit-packed run */
	uint64_t	bit;			/* position in the bit-packed run */
	const uint8_t *packed;
	size_t		packed_size;	/* its bytes */
} HybridDecoder;

extern void hybrid_begin(HybridDecoder *decoder, const uint8_t *start, const uint8_t *end, int bits);
extern bool hybrid_read(HybridDecoder *decoder, uint32_t *values, size_t n);

/* DELTA_BINARY_PACKED */
typedef struct DeltaDecoder
{
	const uint8_t *position;
	const uint8_t *end;
	uint64_t	left;			/* values that are left */
	uint64_t	value;			/* the one before */
	bool		first;			/* value itself is the next */
	uint64_t	min_delta;
	uint32_t	miniblocks;		/* in a block */
	uint32_t	miniblock_values;
	uint32_t	miniblock;		/* the current one in its block */
	uint32_t	miniblock_left;
	const uint8_t *widths;
	uint64_t	bit;
} DeltaDecoder;

extern bool delta_begin(DeltaDecoder *decoder, const uint8_t *start, const uint8_t *end);
extern bool delta_read(DeltaDecoder *decoder, int64_t *values, size_t n);

/* passes over all values; where what follows them begins, or NULL */
extern const uint8_t *delta_end(DeltaDecoder decoder);

#endif
