/*-------------------------------------------------------------------------
 *
 * apply_error.h
 *		The last error of each subscription's apply worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_APPLY_ERROR_H
#define SPICE_APPLY_ERROR_H

typedef struct ApplyError
{
	int			sqlerrcode;
	char		text[1024];
} ApplyError;

/* Called once, while the library is preloaded. */
extern void apply_error_install(void);
extern Size apply_error_shared_size(void);
extern void apply_error_shared_start(void *memory, bool initialize);

/* Returns false if no error of the subscription is known. */
extern bool apply_error_of(Oid subscription, ApplyError *error);

/* Would the same change fail again?  The apply worker retries the others itself. */
extern bool apply_error_stays(const ApplyError *error);

#endif
