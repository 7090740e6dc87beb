/*-------------------------------------------------------------------------
 *
 * s3_credentials.c
 *		Credentials for S3.
 *
 * Without s3_auth the places are those of AWS's own programs, in their order: the manifest,
 * the server's environment, the shared credentials file of the server's user.  Where none
 * has a key, public objects can be read without one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/store/s3_credentials.h"

#include "storage/fd.h"

#define MAX_LINE	8192

static const char *
nonempty_env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static S3Credentials
from_manifest(const Dataset *dataset, Resolver *resolver)
{
	return (S3Credentials)
	{
		.key = resolve_value(resolver, "s3_key", catalog_param(dataset, "s3_key")),
			.secret = resolve_secret(resolver, "s3_secret", catalog_param(dataset, "s3_secret")),
			.token = resolve_secret(resolver, "s3_session_token", catalog_param(dataset, "s3_session_token"))
	};
}

static S3Credentials
from_environment(Resolver *resolver)
{
	return (S3Credentials)
	{
		.key = nonempty_env("AWS_ACCESS_KEY_ID"),
			.secret = resolve_secret(resolver, "AWS_SECRET_ACCESS_KEY", nonempty_env("AWS_SECRET_ACCESS_KEY")),
			.token = resolve_secret(resolver, "AWS_SESSION_TOKEN", nonempty_env("AWS_SESSION_TOKEN"))
	};
}

/* the text without blanks around it, in place */
static char *
trim(char *text)
{
	char	   *end = text + strlen(text);

	while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
		*--end = '\0';
	return text + strspn(text, " \t");
}

/* one "name = value" of the wanted profile */
static void
read_setting(char *line, Resolver *resolver, S3Credentials *credentials)
{
	char	   *equals = strchr(line, '=');
	char	   *name;
	char	   *value;

	if (equals == NULL)
		return;
	*equals = '\0';
	name = trim(line);
	value = trim(equals + 1);
	if (strcmp(name, "aws_access_key_id") == 0)
		credentials->key = resolve_value(resolver, name, value);
	else if (strcmp(name, "aws_secret_access_key") == 0)
		credentials->secret = resolve_secret(resolver, name, value);
	else if (strcmp(name, "aws_session_token") == 0)
		credentials->token = resolve_secret(resolver, name, value);
}

/* AWS's own programs keep keys in this file, in sections that are called profiles. */
static S3Credentials
from_shared_file(Resolver *resolver)
{
	S3Credentials credentials = {0};
	const char *profile = nonempty_env("AWS_PROFILE");
	const char *path = nonempty_env("AWS_SHARED_CREDENTIALS_FILE");
	const char *home = nonempty_env("HOME");
	bool		wanted = false;
	char		line[MAX_LINE];
	FILE	   *file;

	if (path == NULL && home == NULL)
		return credentials;
	file = AllocateFile(path != NULL ? path : psprintf("%s/.aws/credentials", home), "r");
	if (file == NULL)
		return credentials;
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char	   *text = trim(line);

		if (text[0] == '[')
		{
			text[strcspn(text, "]")] = '\0';
			wanted = strcmp(trim(text + 1), profile != NULL ? profile : "default") == 0;
		}
		else if (wanted && text[0] != '#' && text[0] != ';')
			read_setting(text, resolver, &credentials);
	}
	FreeFile(file);
	explicit_bzero(line, sizeof(line));
	return credentials;
}

static bool
is_complete(const S3Credentials *credentials)
{
	return credentials->key != NULL && credentials->secret != NULL;
}

S3Credentials
s3_credentials_find(const Dataset *dataset, Resolver *resolver)
{
	S3Credentials found = {0};
	const char *auth = catalog_param(dataset, "s3_auth");
	bool		anonymous = auth != NULL && strcmp(auth, "public") == 0;
	bool		role = auth != NULL && strcmp(auth, "iam_role") == 0;

	if (anonymous)
		return found;
	if (!role)
		found = from_manifest(dataset, resolver);
	if (!is_complete(&found) && (auth == NULL || role))
		found = from_environment(resolver);
	if (!is_complete(&found) && (auth == NULL || role))
		found = from_shared_file(resolver);
	if (is_complete(&found))
		return found;
	if (auth != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("dataset \"%s\" has no credentials for s3_auth %s", dataset->name, auth),
				 role ? errhint("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's environment, or write a credentials file for the server's user.") :
				 errhint("Write s3_key and s3_secret under params.")));
	return (S3Credentials) {0};
}
