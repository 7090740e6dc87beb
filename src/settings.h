/*-------------------------------------------------------------------------
 *
 * settings.h
 *		The extension's settings.  docs/settings.md describes each.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SETTINGS_H
#define SPICE_SETTINGS_H

extern char *spice_spicepod;
extern char *spice_database;
extern char *spice_role;
extern char *spice_file_roots;
extern int	spice_max_refresh_workers;
extern int	spice_fetch_memory; /* kB */
extern int	spice_fetch_max_size;	/* MB */
extern int	spice_history_retention;	/* minutes */
extern int	spice_swap_timeout; /* ms */
extern bool spice_parallel_when_busy;

extern void settings_define(void);

#endif
