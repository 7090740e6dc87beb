/*-------------------------------------------------------------------------
 *
 * postgres_connector.h
 *		Where a dataset's PostgreSQL is, as libpq wants to know it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_POSTGRES_CONNECTOR_H
#define SPICE_POSTGRES_CONNECTOR_H

#include "source/changes/remote.h"

/* The password in *place is wiped when the current context is reset or deleted. */
extern void postgres_place(const Dataset *dataset, RemotePlace *place);

/*
 * Returns how the server's subscription is to connect, without the password,
 * which goes to the passfile.
 */
extern char *postgres_conninfo(const Dataset *dataset);

#endif
