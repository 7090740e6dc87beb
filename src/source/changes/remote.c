/*-------------------------------------------------------------------------
 *
 * remote.c
 *		A connection of our own to a source's PostgreSQL, which may replicate.
 *
 * postgres_fdw can neither create a replication slot nor read a table as of the
 * slot's start, because both take a connection in the replication protocol.
 * Core's libpqwalreceiver has no time limit for connecting, hides the SQLSTATE of
 * an error, and needs an open transaction for every query.
 *
 * The process waits for its latch together with the socket, so that cancel and
 * shutdown act at once.  libpq allocates its memory itself: a reset callback of
 * the connection's context frees it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <libpq-fe.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "commands/defrem.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "source/changes/remote.h"
#include "source/connector.h"

/*
 * Texts of values mean the same on both sides, and row-level security raises an error
 * where it would hide rows.  client_timeout bounds each statement but the copy.
 */
#define SESSION_OPTIONS \
	"-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c search_path=pg_catalog" \
	" -c row_security=off"

#define MAX_KEYWORDS	48

struct Remote
{
	const Dataset *dataset;
	PGconn	   *connection;
	char	   *copied;			/* libpq's, the bytes that were read last */
	bool		reserved;		/* a file descriptor */
};

const Dataset *
remote_dataset(const Remote *remote)
{
	return remote->dataset;
}

static void
end_connection(void *arg)
{
	Remote	   *remote = arg;

	if (remote->copied != NULL)
		PQfreemem(remote->copied);
	if (remote->connection != NULL)
		PQfinish(remote->connection);
	if (remote->reserved)
		ReleaseExternalFD();
}

/* deadline: DT_NOEND for none; false when it has passed */
static bool
wait_for_socket(const Remote *remote, int events, TimestampTz deadline)
{
	long		left = -1;
	int			happened;

	events |= WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	if (deadline != DT_NOEND)
	{
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		events |= WL_TIMEOUT;
	}
	happened = WaitLatchOrSocket(MyLatch, events, PQsocket(remote->connection), left,
								 PG_WAIT_EXTENSION);
	if (happened & WL_LATCH_SET)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return !(happened & WL_TIMEOUT);
}

/* libpq's texts end in a line break, and may have several lines */
static char *
one_line(const char *text)
{
	char	   *line = pchomp(text ? text : "");

	for (char *p = line; *p != '\0'; p++)
	{
		if (*p == '\n')
			*p = ' ';
	}
	return line;
}

/* what the connector says about an error of this kind, in words of the manifest */
static const char *
cure(int sqlerrcode, const char *detail)
{
	ErrorData	error = {.sqlerrcode = sqlerrcode, .detail = unconstify(char *, detail)};

	return postgres_connector.cure(&error);
}

static void
refuse_connection(const Remote *remote, const char *reason)
{
	const char *detail = one_line(reason);
	const char *hint = cure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, detail);

	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not connect to the source of dataset \"%s\"", remote->dataset->name),
			 errdetail_internal("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

static void
lose_connection(const Remote *remote)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("the connection to the source of dataset \"%s\" was lost", remote->dataset->name),
			 errdetail_internal("%s", one_line(PQerrorMessage(remote->connection)))));
}

static int
collect_keywords(const RemotePlace *place, const char **names, const char **values)
{
	const char *session = SESSION_OPTIONS;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, place->options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, "options") == 0)
			session = psprintf("%s %s", defGetString(option), SESSION_OPTIONS);
		else if (n < MAX_KEYWORDS - 6)
		{
			names[n] = option->defname;
			values[n++] = defGetString(option);
		}
	}
	names[n] = "options";
	values[n++] = session;
	names[n] = "client_encoding";
	values[n++] = GetDatabaseEncodingName();
	names[n] = "replication";
	values[n++] = "database";
	if (place->password != NULL)
	{
		names[n] = "password";
		values[n++] = place->password;
	}
	return n;
}

static void
finish_connecting(const Remote *remote, int n_hosts)
{
	/* each host has its time */
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   (int64) remote->dataset->connect_timeout_ms * n_hosts);
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK)
	{
		if (status == PGRES_POLLING_FAILED || PQstatus(remote->connection) == CONNECTION_BAD)
			refuse_connection(remote, PQerrorMessage(remote->connection));
		if (!wait_for_socket(remote, status == PGRES_POLLING_READING ? WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE,
							 deadline))
			refuse_connection(remote, "timeout expired");
		status = PQconnectPoll(remote->connection);
	}
}

Remote *
remote_connect(const Dataset *dataset, const RemotePlace *place, MemoryContext context)
{
	Remote	   *remote = MemoryContextAllocZero(context, sizeof(Remote));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	const char *names[MAX_KEYWORDS] = {0};
	const char *values[MAX_KEYWORDS] = {0};

	remote->dataset = dataset;
	callback->func = end_connection;
	callback->arg = remote;
	MemoryContextRegisterResetCallback(context, callback);
	(void) collect_keywords(place, names, values);
	remote->reserved = AcquireExternalFD();
	remote->connection = PQconnectStartParams(names, values, false);
	if (remote->connection == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	finish_connecting(remote, Max(list_length(place->hosts), 1));
	if (PQsetnonblocking(remote->connection, 1) != 0)
		lose_connection(remote);
	return remote;
}

/* ------- statements ------- */

static void
flush_statement(const Remote *remote)
{
	int			left;

	while ((left = PQflush(remote->connection)) > 0)
	{
		(void) wait_for_socket(remote, WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, DT_NOEND);
		if (!PQconsumeInput(remote->connection))
			lose_connection(remote);
	}
	if (left < 0)
		lose_connection(remote);
}

/* NULL when the statement's answer is complete */
static PGresult *
next_result(const Remote *remote)
{
	while (PQisBusy(remote->connection))
	{
		(void) wait_for_socket(remote, WL_SOCKET_READABLE, DT_NOEND);
		if (!PQconsumeInput(remote->connection))
			lose_connection(remote);
	}
	return PQgetResult(remote->connection);
}

static void
send_statement(const Remote *remote, const char *statement)
{
	if (!PQsendQuery(remote->connection, statement))
		lose_connection(remote);
	flush_statement(remote);
}

/* takes the result over; false: its error is one of those that are tolerated */
static bool
check_result(const Remote *remote, PGresult *result, const char *statement, const char *tolerated)
{
	ExecStatusType status = PQresultStatus(result);
	const char *state;
	char	   *message,
			   *detail,
			   *hint;
	int			sqlerrcode;

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_COPY_OUT ||
		status == PGRES_EMPTY_QUERY)
		return true;
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (state != NULL && tolerated != NULL && strstr(tolerated, state) != NULL)
		return false;
	if (state == NULL || PQstatus(remote->connection) == CONNECTION_BAD)
	{
		PQclear(result);
		lose_connection(remote);
	}
	sqlerrcode = MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
	message = one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	detail = one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	hint = one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
	if (hint[0] == '\0' && cure(sqlerrcode, message) != NULL)
		hint = pstrdup(cure(sqlerrcode, message));
	PQclear(result);
	ereport(ERROR,
			(errcode(sqlerrcode),
			 errmsg_internal("%s", message),
			 detail[0] ? errdetail_internal("%s", detail) : 0,
			 hint[0] ? errhint("%s", hint) : 0,
			 errcontext("remote SQL command: %s", statement)));
}

static RemoteRows *
copy_rows(const PGresult *result)
{
	RemoteRows *rows = palloc(sizeof(RemoteRows));

	rows->n_rows = PQntuples(result);
	rows->n_columns = PQnfields(result);
	rows->values = palloc0(sizeof(char *) * rows->n_rows * rows->n_columns);
	for (int row = 0; row < rows->n_rows; row++)
	{
		for (int column = 0; column < rows->n_columns; column++)
		{
			if (!PQgetisnull(result, row, column))
				remote_value(rows, row, column) = pstrdup(PQgetvalue(result, row, column));
		}
	}
	return rows;
}

RemoteRows *
remote_query(Remote *remote, const char *statement, const char *tolerated)
{
	RemoteRows *rows = NULL;
	bool		good = true;
	PGresult   *result;

	send_statement(remote, statement);
	/* of several statements in one the last one's rows count */
	while ((result = next_result(remote)) != NULL)
	{
		good &= check_result(remote, result, statement, tolerated);
		if (good)
			rows = copy_rows(result);
		PQclear(result);
	}
	return good ? rows : NULL;
}

void
remote_copy_begin(Remote *remote, const char *statement)
{
	PGresult   *result;

	(void) remote_query(remote, "SET LOCAL statement_timeout = 0", NULL);
	send_statement(remote, statement);
	result = next_result(remote);
	if (result == NULL)
		lose_connection(remote);
	(void) check_result(remote, result, statement, NULL);
	PQclear(result);
}

/* the copy is over: was it whole? */
static void
end_copy(Remote *remote)
{
	PGresult   *result;

	while ((result = next_result(remote)) != NULL)
	{
		(void) check_result(remote, result, "COPY", NULL);
		PQclear(result);
	}
}

int
remote_copy_read(Remote *remote, char **bytes)
{
	int			length;

	if (remote->copied != NULL)
		PQfreemem(remote->copied);
	remote->copied = NULL;
	while ((length = PQgetCopyData(remote->connection, &remote->copied, 1)) == 0)
	{
		(void) wait_for_socket(remote, WL_SOCKET_READABLE, DT_NOEND);
		if (!PQconsumeInput(remote->connection))
			lose_connection(remote);
	}
	if (length == -2)
		lose_connection(remote);
	*bytes = remote->copied;
	if (length > 0)
		return length;
	end_copy(remote);
	return 0;
}
