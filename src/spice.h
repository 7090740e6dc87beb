/*-------------------------------------------------------------------------
 *
 * spice.h
 *		Settings, and what the rooms share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_H
#define SPICE_H

/* settings; docs/settings.md says what each does */
extern char *spice_spicepod;
extern char *spice_database;
extern char *spice_role;
extern int	spice_max_refresh_workers;
extern int	spice_fetch_memory; /* kB */
extern int	spice_fetch_max_size;	/* MB */
extern int	spice_history_retention;	/* minutes */
extern int	spice_swap_timeout; /* ms */
extern bool spice_parallel_when_busy;

#endif
