/*-------------------------------------------------------------------------
 *
 * slot_ledger.h
 *		Replication slots that we have made on sources: spice.slot.
 *
 * A row is written, and committed, before its slot is made:
 *
 *		begun		the slot may be there				-> following, leaving
 *		following	a subscription reads it				-> leaving
 *		leaving		it is to be dropped					-> gone: no row
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SLOT_LEDGER_H
#define SPICE_SLOT_LEDGER_H

#include "datatype/timestamp.h"

#include "catalog/dataset.h"
#include "source/changes/slot.h"

typedef struct SlotEntry
{
	int			id;
	int			dataset;
	char	   *name;
	char	   *definition;		/* jsonb as text: where it is */
	char	   *shape;
	Oid			subscription;	/* InvalidOid: none */
	int			attempt;		/* conflicts in a row; of one that is leaving, tries to drop it */
	TimestampTz created;
	TimestampTz stopped;		/* nothing has applied changes since; 0: something does */
} SlotEntry;

/* the one that is not leaving, or NULL; and those that are, of SlotEntry * */
extern SlotEntry *ledger_current(int dataset);
extern List *ledger_leaving(int dataset);

extern int	ledger_begin(const Dataset *dataset, const char *name, const char *shape, int attempt);
extern void ledger_follow(int entry, Oid subscription);

/* the dataset's slots are no longer wanted; unfinished: those that are begun.  How many? */
extern int	ledger_leave(int dataset, bool unfinished);

/* of one that is leaving: the subscription is gone; it could not be dropped; it is gone */
extern void ledger_unsubscribed(int entry);
extern void ledger_failed(int entry, const char *error, int64 delay_ms);
extern void ledger_forget(int entry);

/* what a check has found; quiet: no conflict for long enough to forget those there were */
extern void ledger_checked(const SlotEntry *entry, const SourceSlot *slot, bool in_step,
						   bool running, bool quiet);

/* before the extension is dropped: raises an error if there are slots */
extern void ledger_refuse_loss(void);

#endif
