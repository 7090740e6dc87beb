/*-------------------------------------------------------------------------
 *
 * parquet_codec.c
 *		Unpacks the pages of a Parquet file.
 *
 * A page says how long it is when unpacked, so each codec runs once, into
 * memory of that length, and anything shorter or longer is damage.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_codec.h"

#include <brotli/decode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* codecs, as the format numbers them */
enum
{
	CODEC_SNAPPY = 1, CODEC_GZIP = 2, CODEC_LZO = 3, CODEC_BROTLI = 4, CODEC_LZ4_HADOOP = 5,
	CODEC_ZSTD = 6, CODEC_LZ4 = 7
};

#define HADOOP_HEADER	8		/* unpacked and packed length of a frame, big-endian */

static bool
unpack_snappy(const char *in, size_t in_length, char *out, size_t out_length)
{
	size_t		length;

	if (snappy_uncompressed_length(in, in_length, &length) != SNAPPY_OK || length != out_length)
		return false;
	return snappy_uncompress(in, in_length, out, &length) == SNAPPY_OK && length == out_length;
}

/* The format allows several gzip members, one after the other. */
static bool
unpack_gzip(const char *in, size_t in_length, char *out, size_t out_length)
{
	z_stream	stream = {0};
	int			result = Z_OK;

	/* 15 bits of window; 32: a zlib or gzip header */
	if (inflateInit2(&stream, 15 + 32) != Z_OK)
		return false;
	stream.next_in = (Bytef *) (uintptr_t) in;
	stream.avail_in = (uInt) in_length;
	stream.next_out = (Bytef *) out;
	stream.avail_out = (uInt) out_length;
	for (;;)
	{
		result = inflate(&stream, Z_FINISH);
		if (result != Z_STREAM_END || stream.avail_in == 0)
			break;
		if (inflateReset(&stream) != Z_OK)
			break;
	}
	inflateEnd(&stream);
	return result == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
}

static bool
unpack_brotli(const char *in, size_t in_length, char *out, size_t out_length)
{
	size_t		length = out_length;

	return BrotliDecoderDecompress(in_length, (const uint8_t *) in, &length, (uint8_t *) out) ==
		BROTLI_DECODER_RESULT_SUCCESS && length == out_length;
}

static bool
unpack_zstd(const char *in, size_t in_length, char *out, size_t out_length)
{
	return ZSTD_decompress(out, out_length, in, in_length) == out_length;
}

static bool
unpack_lz4(const char *in, size_t in_length, char *out, size_t out_length)
{
	return LZ4_decompress_safe(in, out, (int) in_length, (int) out_length) == (int) out_length;
}

static size_t
big_endian(const char *bytes)
{
	const uint8_t *b = (const uint8_t *) bytes;

	return (size_t) b[0] << 24 | (size_t) b[1] << 16 | (size_t) b[2] << 8 | b[3];
}

/* Hadoop's frames, each with the lengths before it */
static bool
unpack_hadoop_frames(const char *in, size_t in_length, char *out, size_t out_length)
{
	while (in_length >= HADOOP_HEADER)
	{
		size_t		unpacked = big_endian(in);
		size_t		packed = big_endian(in + 4);

		if (packed > in_length - HADOOP_HEADER || unpacked > out_length ||
			!unpack_lz4(in + HADOOP_HEADER, packed, out, unpacked))
			return false;
		in += HADOOP_HEADER + packed;
		in_length -= HADOOP_HEADER + packed;
		out += unpacked;
		out_length -= unpacked;
	}
	return in_length == 0 && out_length == 0;
}

/* Writers mean Hadoop's frames or a bare block by the old codec. */
static bool
unpack_lz4_hadoop(const char *in, size_t in_length, char *out, size_t out_length)
{
	return unpack_hadoop_frames(in, in_length, out, out_length) ||
		unpack_lz4(in, in_length, out, out_length);
}

bool
parquet_unpack(int codec, const char *in, size_t in_length, char *out, size_t out_length,
			   const char **unknown)
{
	*unknown = NULL;
	switch (codec)
	{
		case PARQUET_UNCOMPRESSED:
			if (in_length != out_length)
				return false;
			memcpy(out, in, out_length);
			return true;
		case CODEC_SNAPPY:
			return unpack_snappy(in, in_length, out, out_length);
		case CODEC_GZIP:
			return unpack_gzip(in, in_length, out, out_length);
		case CODEC_BROTLI:
			return unpack_brotli(in, in_length, out, out_length);
		case CODEC_ZSTD:
			return unpack_zstd(in, in_length, out, out_length);
		case CODEC_LZ4_HADOOP:
			return unpack_lz4_hadoop(in, in_length, out, out_length);
		case CODEC_LZ4:
			return unpack_lz4(in, in_length, out, out_length);
		default:
			*unknown = codec == CODEC_LZO ? "LZO" : "an unknown codec";
			return false;
	}
}
