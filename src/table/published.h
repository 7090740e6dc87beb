/*-------------------------------------------------------------------------
 *
 * published.h
 *		What publications say of a table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PUBLISHED_H
#define SPICE_PUBLISHED_H

#include "utils/relcache.h"

extern bool published_table(Oid table);

/* Can subscribers be told which row has changed or left, or need not be? */
extern bool published_has_identity(Relation table);
extern bool published_lacks_identity(Oid table);

#endif
