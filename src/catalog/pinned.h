/*-------------------------------------------------------------------------
 *
 * pinned.h
 *		Settings that decide which rows a query gives.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PINNED_H
#define SPICE_PINNED_H

/* sets a setting until the end of the caller's GUC nest level */
extern void catalog_pin_setting(const char *name, const char *value);

/* the same for all that could change rows, whatever the session has set */
extern void catalog_pin_settings(void);

#endif
