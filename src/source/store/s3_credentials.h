/*-------------------------------------------------------------------------
 *
 * s3_credentials.h
 *		Credentials for S3.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_S3_CREDENTIALS_H
#define SPICE_S3_CREDENTIALS_H

#include "source/resolve.h"

typedef struct S3Credentials
{
	const char *key;			/* NULL: requests are not signed */
	const char *secret;
	const char *token;			/* of a session, or NULL */
} S3Credentials;

/* Raises an error when s3_auth asks for credentials that are not to be had. */
extern S3Credentials s3_credentials_find(const Dataset *dataset, Resolver *resolver);

#endif
