/*-------------------------------------------------------------------------
 *
 * private_file.h
 *		Files of secrets that the server writes for itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PRIVATE_FILE_H
#define SPICE_PRIVATE_FILE_H

/* base backups and pg_rewind leave it out */
#define PRIVATE_FOLDER	"pg_stat_tmp"

/*
 * Writes a file of mode 0600, which is there whole or not at all, as other processes may read
 * it at any time.
 */
extern void private_file_replace(const char *path, const char *text, size_t length);

#endif
