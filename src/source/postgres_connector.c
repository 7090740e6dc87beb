/*-------------------------------------------------------------------------
 *
 * postgres_connector.c
 *		Connector postgres: a relation of another PostgreSQL, by postgres_fdw.
 *
 * The params of the manifest become options of a foreign server, except for the
 * password, which goes into a passfile.  Keepalives and timeouts bound how long
 * a refresh waits for a network that is lost.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <libpq-fe.h>

#include "access/xact.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "source/connector.h"
#include "source/foreign_option.h"
#include "source/foreign_server.h"
#include "source/passfile.h"
#include "source/postgres_columns.h"
#include "source/postgres_connector.h"
#include "source/resolve.h"

/*
 * Rows that come in one message.  100, the wrapper's own default, costs a
 * round trip for each; a batch of wide rows has to fit in memory.
 */
#define FETCH_SIZE	"1000"

#define APPLICATION_NAME	"spice"

typedef struct Settings
{
	List	   *options;		/* of DefElem *: the foreign server's */
	char	   *host;			/* or NULL */
	char	   *hostaddr;		/* or NULL */
	char	   *user;			/* or NULL */
	char	   *password;		/* or NULL */
	char	   *session;		/* libpq's options, or NULL */
	bool		has_sslmode;
} Settings;

static void
set_option(Settings *settings, const char *name, const char *value)
{
	settings->options = lappend(settings->options, foreign_option_make(name, value));
}

/* what a connection string must not say, because it is said elsewhere */
static bool
is_ours(const char *keyword)
{
	static const char *const ours[] = {
		"passfile", "service", "servicefile", "sslpassword", "client_encoding",
		"fallback_application_name", "replication", "connect_timeout"
	};

	for (size_t i = 0; i < lengthof(ours); i++)
	{
		if (strcmp(keyword, ours[i]) == 0)
			return true;
	}
	return false;
}

static void
take_keyword(Settings *settings, const Dataset *dataset, const char *keyword, const char *value)
{
	if (is_ours(keyword))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pg_connection_string of dataset \"%s\" must not hold %s", dataset->name, keyword),
				 errhint(strcmp(keyword, "connect_timeout") == 0 ? "Write connect_timeout: under params." :
						 "Take it out.")));
	if (strcmp(keyword, "password") == 0)
		settings->password = pstrdup(value);
	else if (strcmp(keyword, "user") == 0)
		settings->user = pstrdup(value);
	else if (strcmp(keyword, "options") == 0)
		settings->session = pstrdup(value);
	else
	{
		if (strcmp(keyword, "host") == 0)
			settings->host = pstrdup(value);
		else if (strcmp(keyword, "hostaddr") == 0)
			settings->hostaddr = pstrdup(value);
		settings->has_sslmode |= strcmp(keyword, "sslmode") == 0;
		set_option(settings, keyword, value);
	}
}

static void
free_conninfo(void *arg)
{
	for (PQconninfoOption *option = arg; option->keyword != NULL; option++)
	{
		if (option->val != NULL)
			explicit_bzero(option->val, strlen(option->val));
	}
	PQconninfoFree(arg);
}

/* in a context of its own, which wipes what was parsed */
static void
take_connection_string(Settings *settings, const Dataset *dataset, const char *text, bool has_param[3])
{
	static const char *const also_params[] = {"password", "sslmode", "sslrootcert"};
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	char	   *error = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &error);

	/* its text quotes what it does not understand, which may be the password */
	PQfreemem(error);
	if (options == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pg_connection_string of dataset \"%s\" is not a connection string", dataset->name),
				 errhint("Write for instance host=db.example.com dbname=shop user=reader, or postgresql://reader@db.example.com/shop.")));
	callback->func = free_conninfo;
	callback->arg = options;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	for (PQconninfoOption *option = options; option->keyword != NULL; option++)
	{
		bool		by_param = false;

		for (size_t i = 0; i < lengthof(also_params); i++)
			by_param |= has_param[i] && strcmp(option->keyword, also_params[i]) == 0;
		if (option->val != NULL && option->val[0] != '\0' && !by_param)
			take_keyword(settings, dataset, option->keyword, option->val);
	}
}

static char *
resolved_param(Resolver *resolver, const Dataset *dataset, const char *name)
{
	return resolve_value(resolver, name, catalog_param(dataset, name));
}

static void
take_place(Settings *settings, Resolver *resolver, const Dataset *dataset)
{
	static const char *const params[][2] = {
		{"pg_host", "host"}, {"pg_port", "port"}, {"pg_db", "dbname"}, {"pg_user", "user"},
		{"pg_pass", "password"}, {"pg_sslmode", "sslmode"}
	};
	char	   *text = resolved_param(resolver, dataset, "pg_connection_string");
	char	   *certificate = resolved_param(resolver, dataset, "pg_sslrootcert");
	bool		has_param[3] = {catalog_param(dataset, "pg_pass"),
	catalog_param(dataset, "pg_sslmode"), certificate};

	if (text != NULL)
		take_connection_string(settings, dataset, text, has_param);
	for (size_t i = 0; i < lengthof(params); i++)
	{
		char	   *value = resolved_param(resolver, dataset, params[i][0]);

		if (value != NULL)
			take_keyword(settings, dataset, params[i][1], value);
	}
	/* libpq looks for the password by host, which the server's environment may set */
	if (settings->host == NULL && settings->hostaddr != NULL)
		take_keyword(settings, dataset, "host", settings->hostaddr);
	if (!settings->has_sslmode)
		set_option(settings, "sslmode", "verify-full");
	if (certificate != NULL)
		set_option(settings, "sslrootcert", strcmp(certificate, "system") == 0 ? certificate :
				   resolve_path(dataset, certificate));
	if (settings->password != NULL)
		resolver_hide(resolver, "pg_pass", settings->password);
}

static void
add_defaults(Settings *settings, const Dataset *dataset)
{
	static const char *const defaults[][2] = {
		{"application_name", APPLICATION_NAME},
		/* a peer that is gone without a word is noticed within a minute */
		{"keepalives_idle", "30"}, {"keepalives_interval", "10"}, {"keepalives_count", "3"},
		{"tcp_user_timeout", "60000"},
		{"fetch_size", FETCH_SIZE}, {"updatable", "false"}, {"truncatable", "false"}
	};

	for (size_t i = 0; i < lengthof(defaults); i++)
	{
		if (foreign_option_find(settings->options, defaults[i][0]) == NULL)
			set_option(settings, defaults[i][0], defaults[i][1]);
	}
	set_option(settings, "connect_timeout", psprintf("%d", (dataset->connect_timeout_ms + 999) / 1000));
	if (dataset->client_timeout_ms > 0)
		settings->session = psprintf("%s%s-c statement_timeout=%d", settings->session ? settings->session : "",
									 settings->session ? " " : "", dataset->client_timeout_ms);
	if (settings->session != NULL)
		set_option(settings, "options", settings->session);
}

/* those to which the password goes; a connection string may name several */
static List *
host_list(const char *host)
{
	List	   *hosts = NIL;
	char	   *rest = pstrdup(host ? host : "localhost");

	for (char *next; rest != NULL; rest = next)
	{
		next = strchr(rest, ',');
		if (next != NULL)
			*next++ = '\0';
		hosts = lappend(hosts, rest[0] ? rest : "localhost");
	}
	return hosts;
}

/* where libpq finds it by itself */
static void
keep_password(Settings *settings, const Dataset *dataset)
{
	if (settings->password != NULL)
	{
		passfile_write(dataset->id, host_list(settings->host), settings->user, settings->password);
		explicit_bzero(settings->password, strlen(settings->password));
		set_option(settings, "passfile", passfile_path(dataset->id));
	}
	else
		passfile_remove(dataset->id);
}

/* the wrapper's options among the server's, which libpq does not know */
static bool
is_of_wrapper(const DefElem *option)
{
	static const char *const names[] = {"fetch_size", "updatable", "truncatable"};

	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (strcmp(option->defname, names[i]) == 0)
			return true;
	}
	return false;
}

static List *
libpq_options(const Settings *settings)
{
	List	   *options = NIL;
	ListCell   *cell;

	foreach(cell, settings->options)
	{
		if (!is_of_wrapper(lfirst(cell)))
			options = lappend(options, lfirst(cell));
	}
	if (settings->user != NULL)
		options = lappend(options, foreign_option_make("user", settings->user));
	return options;
}

void
postgres_place(const Dataset *dataset, RemotePlace *place)
{
	Settings	settings = {0};

	take_place(&settings, resolver_open(dataset, CurrentMemoryContext), dataset);
	add_defaults(&settings, dataset);
	place->options = libpq_options(&settings);
	place->password = settings.password;
	place->hosts = host_list(settings.host);
}

/* a connection string keeps to libpq's quotes */
static void
append_keyword(StringInfo text, const DefElem *option)
{
	appendStringInfo(text, "%s%s='", text->len ? " " : "", option->defname);
	for (const char *p = defGetString((DefElem *) option); *p != '\0'; p++)
	{
		if (*p == '\'' || *p == '\\')
			appendStringInfoChar(text, '\\');
		appendStringInfoChar(text, *p);
	}
	appendStringInfoChar(text, '\'');
}

char *
postgres_conninfo(const Dataset *dataset)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice secrets",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Settings	settings = {0};
	StringInfoData text;
	ListCell   *cell;
	char	   *conninfo;

	take_place(&settings, resolver_open(dataset, context), dataset);
	add_defaults(&settings, dataset);
	keep_password(&settings, dataset);
	initStringInfo(&text);
	foreach(cell, libpq_options(&settings))
	{
		const DefElem *option = lfirst(cell);

		/*
		 * The walreceiver sets "options" itself, and without an application_name it uses the
		 * subscription's name.
		 */
		if (strcmp(option->defname, "options") != 0 &&
			(strcmp(option->defname, "application_name") != 0 || strcmp(defGetString((DefElem *) option), APPLICATION_NAME) != 0))
			append_keyword(&text, option);
	}
	conninfo = MemoryContextStrdup(old, text.data);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return conninfo;
}

static void
setup_server(const Dataset *dataset)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice secrets",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Settings	settings = {0};
	List	   *mapping;

	take_place(&settings, resolver_open(dataset, context), dataset);
	add_defaults(&settings, dataset);
	keep_password(&settings, dataset);
	foreign_server_ensure(dataset, "postgres_fdw", "part of the server's package, else postgresql-contrib",
						  settings.options);
	mapping = list_make1(foreign_option_make("password_required", "false"));
	if (settings.user != NULL)
		mapping = lappend(mapping, foreign_option_make("user", settings.user));
	foreign_server_ensure_mapping(dataset, mapping);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	CommandCounterIncrement();
}

static List *
table_options(const Dataset *dataset)
{
	return list_make2(foreign_option_make("schema_name", dataset->remote_schema),
					  foreign_option_make("table_name", dataset->remote_table));
}

static List *
find_columns(const Dataset *dataset, Spool *spool pg_attribute_unused(), SourceRelation *relation)
{
	return postgres_columns(dataset, relation);
}

static const char *
cure(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION:
			if (error->detail != NULL && strstr(error->detail, "password") != NULL)
				return "Correct pg_user and pg_pass, or the secret behind it.";
			if (error->detail != NULL && (strstr(error->detail, "walsender") != NULL ||
										  strstr(error->detail, "WAL sender") != NULL))
				return "refresh_mode changes needs ALTER ROLE ... REPLICATION for the user of pg_user, in the source.";
			if (error->detail != NULL && strstr(error->detail, "max_wal_senders") != NULL)
				return "Raise max_wal_senders on the source, and restart it: refresh_mode changes takes one for each dataset, and one more while it is checked.";
			if (error->detail != NULL && (strstr(error->detail, "SSL") != NULL ||
										  strstr(error->detail, "no encryption") != NULL ||
										  strstr(error->detail, "certificate") != NULL))
				return "pg_sslmode is verify-full unless the manifest says otherwise; pg_sslrootcert names the file of the authority's certificate.";
			return "Check that the source's server runs and may be reached, and pg_host, pg_port and pg_db.";
		case ERRCODE_UNDEFINED_TABLE:
			return "Correct from, or make the relation again in the source.";
		case ERRCODE_UNDEFINED_COLUMN:
		case ERRCODE_UNDEFINED_FUNCTION:
		case ERRCODE_DATATYPE_MISMATCH:
			return "The source's columns have changed: on_schema_change: sync_all_columns follows them, and so does any change of from or columns.";
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			return "GRANT SELECT on the relation to the user of pg_user, in the source.";
		case ERRCODE_QUERY_CANCELED:
			return "If it was the timeout, raise client_timeout.";
		default:
			return NULL;
	}
}

const Connector postgres_connector = {
	.name = "postgres",
	.options = table_options,
	.setup = setup_server,
	.find = find_columns,
	.cure = cure,
};
