/*-------------------------------------------------------------------------
 *
 * http_transfer.c
 *		One request and its answer: libcurl driven by the process's latch.
 *
 * A server process that waits in libcurl hears neither cancel nor shutdown,
 * and one that leaves libcurl by an error leaves it in pieces.  So:
 *
 *	 - libcurl never waits.  Its multi interface tells us which sockets it waits
 *	   for; we wait for these in a WaitEventSet that also holds the latch and
 *	   the postmaster's death, and serve interrupts after each wait.  How long
 *	   we may wait is asked before each wait instead of kept from a callback:
 *	   libcurl does not repeat a moment it has named before, so a timer of ours
 *	   that was cleared too early would never come back.
 *	 - Callbacks record and nothing else, and no error passes through libcurl.  What
 *	   exceeds the spool's memory is written to its file outside of libcurl.
 *	 - Handles belong to the memory context: its reset releases them, whatever
 *	   the reason, and never from inside libcurl.
 *	 - libcurl resolves names in a thread of its own.  Threads inherit the
 *	   signal mask, and a signal handler of the server's that ran in a foreign
 *	   thread would corrupt the process.  So all signals are blocked around
 *	   every call that may start a thread.
 *
 * States of a transfer and their successors:
 *
 *		idle	-> running		(http_transfer_run)
 *		running -> idle			(libcurl reports the end)
 *		any		-> released		(the context is reset)
 *
 * HTTP/1.1 is asked for even where HTTP/2 is to be had: one request needs no
 * multiplexing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/http_transfer.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"

#include "compat.h"
#include "secret/wiping.h"
#include "source/http/http.h"
#include "source/http/http_header.h"
#include "source/http/page_link.h"

#define MAX_SOCKETS			16	/* two racing connects and a resolver need 3 */
#define RESERVED_FDS		3
#define MAX_HEADER_BYTES	(256 * 1024)
#define STALL_SECONDS		30L

/* what is read at once: every read costs an acknowledgement, and a look at the socket */
#define READ_SIZE			(256 * 1024)

typedef struct HttpSocket
{
	curl_socket_t fd;
	uint32		events;
} HttpSocket;

typedef struct HttpTransferState
{
	MemoryContextCallback callback;
	HttpTransfer *transfer;
	CURLM	   *multi;
	CURL	   *easy;			/* NULL: idle */
	struct curl_slist *headers;
	WaitEventSet *wait_set;
	HttpSocket	sockets[MAX_SOCKETS];
	int			n_sockets;
	bool		sockets_changed;
	bool		too_many_sockets;
	bool		fds_reserved;
	bool		connecting;		/* the name is resolved */
	int			header_bytes;
	double		moved_ms;		/* when a byte came last, since the fetch began */
} HttpTransferState;

bool
http_transfer_succeeded(const HttpTransfer *transfer)
{
	/* 203: the same, by way of a proxy that changed something */
	return transfer->status == 200 || transfer->status == 203 ||
		(transfer->status == 206 && transfer->ranged);
}

/*
 * Blocks what the server handles, but not what a fault of the program itself
 * raises: blocked, these would kill the process without a trace.
 */
static void
block_signals(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGTRAP);
	pthread_sigmask(SIG_SETMASK, &all, saved);
}

static void
restore_signals(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

static double
elapsed_ms(const HttpTransfer *transfer)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, transfer->fetch_start);
	return INSTR_TIME_GET_MILLISEC(now);
}

int
http_transfer_time_left(const HttpTransfer *transfer, int limit_ms)
{
	return Max(1, limit_ms - (int) elapsed_ms(transfer));
}

void
http_transfer_report(const HttpTransfer *transfer)
{
	transfer->report->status = transfer->status;
	transfer->report->bytes = transfer->bytes_before + transfer->body.bytes;
	transfer->report->fetch_ms = transfer->ms_before + elapsed_ms(transfer);
}

/* ---- callbacks: record, never raise ---- */

static int
socket_callback(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	HttpTransfer *transfer = arg;
	HttpTransferState *state = transfer->state;
	int			i = 0;

	(void) easy;
	(void) socket_arg;
	state->sockets_changed = true;
	while (i < state->n_sockets && state->sockets[i].fd != fd)
		i++;
	if (what == CURL_POLL_REMOVE)
	{
		if (i < state->n_sockets)
			state->sockets[i] = state->sockets[--state->n_sockets];
		return 0;
	}
	if (i == MAX_SOCKETS)
	{
		state->too_many_sockets = true;
		return -1;
	}
	/* a socket that is still connecting is waited for to become writable */
	if (state->connecting && (what & CURL_POLL_IN) != 0)
		transfer->reached = true;
	if (i == state->n_sockets)
		state->n_sockets++;
	state->sockets[i].fd = fd;
	state->sockets[i].events =
		((what & CURL_POLL_IN) ? WL_SOCKET_READABLE : 0) |
		((what & CURL_POLL_OUT) ? WL_SOCKET_WRITEABLE : 0);
	return 0;
}

/* the address is known now, whatever the name or the redirect promised */
static curl_socket_t
open_socket_callback(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	HttpTransfer *transfer = arg;
	UrlAddress	kind = url_address_class(&address->addr, address->addrlen);
	curl_socket_t fd;

	(void) purpose;
	if (!url_address_allowed(&transfer->url, transfer->own_origin, kind))
	{
		transfer->refused = kind;
		return CURL_SOCKET_BAD;
	}
	transfer->state->connecting = true;
	fd = socket(address->family, address->socktype, address->protocol);
	if (fd >= 0)
		(void) fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static void
forget_headers(HttpTransfer *transfer)
{
	transfer->etag[0] = '\0';
	transfer->last_modified[0] = '\0';
	transfer->date[0] = '\0';
	transfer->content_type[0] = '\0';
	memset(&transfer->pause, 0, sizeof(transfer->pause));
	transfer->location[0] = '\0';
	transfer->transfer_encoding[0] = '\0';
	transfer->content_range[0] = '\0';
	transfer->next_link[0] = '\0';
	transfer->body.encoding[0] = '\0';
}

static size_t
header_callback(char *line, size_t size, size_t count, void *arg)
{
	HttpTransfer *transfer = arg;
	size_t		length = size * count;

	transfer->state->moved_ms = elapsed_ms(transfer);
	transfer->state->header_bytes += (int) length;
	if (transfer->state->header_bytes > MAX_HEADER_BYTES)
	{
		transfer->too_many_headers = true;
		return 0;
	}
	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
	{
		long		status = 0;

		/* an interim answer (1xx) may have come before: start over */
		forget_headers(transfer);
		curl_easy_getinfo(transfer->state->easy, CURLINFO_RESPONSE_CODE, &status);
		transfer->status = (int) status;
	}
	http_header_keep(line, length, "ETag", transfer->etag, sizeof(transfer->etag));
	http_header_keep(line, length, "Last-Modified", transfer->last_modified,
					 sizeof(transfer->last_modified));
	http_header_keep(line, length, "Date", transfer->date, sizeof(transfer->date));
	http_header_keep(line, length, "Content-Type", transfer->content_type,
					 sizeof(transfer->content_type));
	http_pause_keep(&transfer->pause, line, length);
	http_header_keep(line, length, "Location", transfer->location, sizeof(transfer->location));
	http_header_keep(line, length, "Transfer-Encoding", transfer->transfer_encoding,
					 sizeof(transfer->transfer_encoding));
	http_header_keep(line, length, "Content-Range", transfer->content_range,
					 sizeof(transfer->content_range));
	page_link_keep(line, length, transfer->next_link, sizeof(transfer->next_link));
	http_body_keep_encoding(&transfer->body, line, length);
	return length;
}

static size_t
write_callback(char *data, size_t size, size_t count, void *arg)
{
	HttpTransfer *transfer = arg;
	size_t		length = size * count;

	transfer->state->moved_ms = elapsed_ms(transfer);
	return http_body_receive(&transfer->body, http_transfer_succeeded(transfer),
							 data, length) ? length : 0;
}

/* ---- life of the handles ---- */

static void
release_headers(HttpTransferState *state)
{
	curl_slist_free_all(state->headers);
	state->headers = NULL;
}

static void
release_easy(HttpTransferState *state)
{
	sigset_t	saved;

	if (state->easy == NULL)
		return;
	block_signals(&saved);
	if (state->multi != NULL)
		curl_multi_remove_handle(state->multi, state->easy);
	curl_easy_cleanup(state->easy);
	restore_signals(&saved);
	state->easy = NULL;
}

/* runs when the context goes, also in the middle of an error */
static void
transfer_release(void *arg)
{
	HttpTransferState *state = arg;
	sigset_t	saved;

	release_easy(state);
	release_headers(state);
	http_body_release(&state->transfer->body);
	block_signals(&saved);
	if (state->multi != NULL)
		curl_multi_cleanup(state->multi);
	restore_signals(&saved);
	state->multi = NULL;
	if (state->wait_set != NULL)
		FreeWaitEventSet(state->wait_set);
	state->wait_set = NULL;
	for (int i = 0; state->fds_reserved && i < RESERVED_FDS; i++)
		ReleaseExternalFD();
	state->fds_reserved = false;
	/* a server may have repeated what we sent to it */
	explicit_bzero(state->transfer, sizeof(HttpTransfer));
}

static void
out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("libcurl could not make a handle.")));
}

/* once per process, when the first fetch comes: never in the postmaster */
static void
start_libcurl(void)
{
	static bool started = false;
	sigset_t	saved;
	CURLcode	result;

	if (started)
		return;
	block_signals(&saved);
	result = curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
								  wiping_strdup, wiping_calloc);
	restore_signals(&saved);
	if (result != CURLE_OK)
		elog(ERROR, "could not start libcurl: %s", curl_easy_strerror(result));
	started = true;
}

HttpTransfer *
http_transfer_create(MemoryContext context)
{
	HttpTransfer *transfer = MemoryContextAllocZero(context, sizeof(HttpTransfer));
	HttpTransferState *state = MemoryContextAllocZero(context, sizeof(HttpTransferState));
	sigset_t	saved;

	start_libcurl();
	transfer->state = state;
	state->transfer = transfer;
	transfer->body.context = context;
	state->callback.func = transfer_release;
	state->callback.arg = state;
	MemoryContextRegisterResetCallback(context, &state->callback);

	for (int i = 0; i < RESERVED_FDS; i++)
		ReserveExternalFD();
	state->fds_reserved = true;

	block_signals(&saved);
	state->multi = curl_multi_init();
	restore_signals(&saved);
	if (state->multi == NULL)
		out_of_memory();
	curl_multi_setopt(state->multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
	curl_multi_setopt(state->multi, CURLMOPT_SOCKETDATA, transfer);
	return transfer;
}

void
http_transfer_add_header(HttpTransfer *transfer, const char *name, const char *value)
{
	/* libcurl takes "name:" for a wish to remove the header */
	char	   *line = value[0] == '\0' ? psprintf("%s;", name) :
	psprintf("%s: %s", name, value);
	struct curl_slist *headers = curl_slist_append(transfer->state->headers, line);

	explicit_bzero(line, strlen(line));
	pfree(line);
	if (headers == NULL)
		out_of_memory();
	transfer->state->headers = headers;
}

/* ---- options ---- */

/* libcurl copies it, into memory that it wipes */
#define BLOBL00000000000000000000000000000000000000000000000000000000000000000000000000000

#define SET(option, value) \
	do { \
		CURLcode	code_ = curl_easy_setopt(easy, option, value); \
		if (code_ == CURLE_OUT_OF_MEMORY) \
			out_of_memory(); \
		if (code_ != CURLE_OK) \
			elog(ERROR, "libcurl refuses " #option ": %s", curl_easy_strerror(code_)); \
	} while (0)

static void
set_policy(CURL *easy)
{
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
#if CURL_AT_LEAST_VERSION(7, 85, 0)
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if CURL_AT_LEAST_VERSION(7, 87, 0)
	/* a cancelled fetch does not wait for the resolver's thread */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	/* a proxy from the environment would defeat the check of addresses */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
}

/* libcurl copies the text, into memory that it wipes */
static struct curl_blob
make_blob(const char *text)
{
	return (struct curl_blob)
	{
		(void *) text, text != NULL ? strlen(text) : 0, CURL_BLOB_COPY
	};
}

/*
 * Whom to trust is the machine's business unless the dataset says it; SSL_CERT_FILE is how OpenSSL's
 * users, containers above all, say so, but libcurl does not read it.
 */
static void
set_trust(CURL *easy, const HttpTls *tls)
{
	const char *file = getenv("SSL_CERT_FILE");
	struct curl_blob authorities = make_blob(tls->authorities);
	struct curl_blob certificate = make_blob(tls->certificate);
	struct curl_blob key = make_blob(tls->key);

	if (tls->authorities != NULL)
		SET(CURLOPT_CAINFO_BLOB, &authorities);
	else if (file != NULL && file[0] != '\0')
		SET(CURLOPT_CAINFO, file);
	if (tls->certificate == NULL)
		return;
	SET(CURLOPT_SSLCERT_BLOB, &certificate);
	SET(CURLOPT_SSLKEY_BLOB, &key);
}

static void
set_limits(CURL *easy, const HttpTransfer *transfer)
{
	SET(CURLOPT_TIMEOUT_MS, (long) transfer->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) transfer->connect_timeout_ms);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, transfer->pause_ms > 0 ? 0L : STALL_SECONDS);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) transfer->body.max_size);
	SET(CURLOPT_BUFFERSIZE, (long) READ_SIZE);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
}

static void
set_request(CURL *easy, HttpTransfer *transfer)
{
	SET(CURLOPT_URL, transfer->url.text);
	SET(CURLOPT_USERAGENT, "spice/" SPICE_VERSION);
	/* a part of an encoded body could not be decoded */
	SET(CURLOPT_ACCEPT_ENCODING, transfer->ranged ? "identity" : DECODER_OFFER);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	if (transfer->username != NULL || transfer->password != NULL)
	{
		if (transfer->signature != NULL)
			SET(CURLOPT_AWS_SIGV4, transfer->signature);
		else
			SET(CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, transfer->username != NULL ? transfer->username : "");
		SET(CURLOPT_PASSWORD, transfer->password != NULL ? transfer->password : "");
	}
	if (transfer->post)
	{
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) (transfer->content != NULL ? strlen(transfer->content) : 0));
		SET(CURLOPT_POSTFIELDS, transfer->content != NULL ? transfer->content : "");
	}
	if (transfer->state->headers != NULL)
		SET(CURLOPT_HTTPHEADER, transfer->state->headers);
	SET(CURLOPT_ERRORBUFFER, transfer->error_text);
	SET(CURLOPT_WRITEFUNCTION, write_callback);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, header_callback);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket_callback);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
}

/* ---- driving ---- */

static void
check_multi(CURLMcode code)
{
	if (code != CURLM_OK)
		elog(ERROR, "libcurl failed: %s", curl_multi_strerror(code));
}

static void
drive(HttpTransferState *state, curl_socket_t fd, int events)
{
	sigset_t	saved;
	int			running;
	CURLMcode	code;

	block_signals(&saved);
	code = curl_multi_socket_action(state->multi, fd, events, &running);
	restore_signals(&saved);
	check_multi(code);
}

/*
 * A descriptor that was closed and opened again looks unchanged, so the set is
 * built anew after every word from libcurl about its sockets.
 */
static void
rebuild_wait_set(HttpTransferState *state)
{
	WaitEventSet *old = state->wait_set;

	state->wait_set = NULL;
	if (old != NULL)
		FreeWaitEventSet(old);
	state->wait_set = spice_create_wait_event_set(MAX_SOCKETS + 2);
	AddWaitEventToSet(state->wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	if (IsUnderPostmaster)
		AddWaitEventToSet(state->wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int i = 0; i < state->n_sockets; i++)
	{
		if (state->sockets[i].events != 0)
			AddWaitEventToSet(state->wait_set, state->sockets[i].events,
							  state->sockets[i].fd, NULL, NULL);
	}
	state->sockets_changed = false;
}

static long
time_to_wait(HttpTransferState *state)
{
	long		timeout = -1;

	check_multi(curl_multi_timeout(state->multi, &timeout));
	return timeout;
}

static uint32
fetch_wait_event(void)
{
	static uint32 event = 0;

	if (event == 0)
		event = spice_wait_event("SpiceFetch");
	return event;
}

static double
pause_left_ms(const HttpTransfer *transfer)
{
	return transfer->pause_ms - (elapsed_ms(transfer) - transfer->state->moved_ms);
}

/* Has no byte come for too long? */
static bool
is_paused(HttpTransfer *transfer)
{
	if (transfer->pause_ms == 0 || pause_left_ms(transfer) > 0)
		return false;
	transfer->result = CURLE_OPERATION_TIMEDOUT;
	snprintf(transfer->error_text, CURL_ERROR_SIZE, "No byte came for %d ms", transfer->pause_ms);
	return true;
}

static void
wait_and_drive(HttpTransfer *transfer)
{
	HttpTransferState *state = transfer->state;
	WaitEvent	events[MAX_SOCKETS + 2];
	long		timeout;
	int			n;

	if (state->sockets_changed || state->wait_set == NULL)
		rebuild_wait_set(state);
	timeout = time_to_wait(state);
	if (transfer->pause_ms > 0)
	{
		long		left = (long) Max(0, pause_left_ms(transfer)) + 1;

		timeout = timeout < 0 ? left : Min(timeout, left);
	}
	n = WaitEventSetWait(state->wait_set, timeout, events, lengthof(events), fetch_wait_event());
	ResetLatch(MyLatch);
	http_transfer_report(transfer);
	CHECK_FOR_INTERRUPTS();

	for (int i = 0; i < n; i++)
	{
		int			ready = ((events[i].events & WL_SOCKET_READABLE) ? CURL_CSELECT_IN : 0) |
		((events[i].events & WL_SOCKET_WRITEABLE) ? CURL_CSELECT_OUT : 0);

		if (ready != 0)
			drive(state, events[i].fd, ready);
	}
	if (time_to_wait(state) == 0)
		drive(state, CURL_SOCKET_TIMEOUT, 0);
}

static bool
is_done(HttpTransfer *transfer)
{
	CURLMsg    *message;
	int			left;
	bool		done = false;

	while ((message = curl_multi_info_read(transfer->state->multi, &left)) != NULL)
	{
		if (message->msg == CURLMSG_DONE && message->easy_handle == transfer->state->easy)
		{
			transfer->result = message->data.result;
			done = true;
		}
	}
	return done;
}

static int
time_ms(CURL *easy, CURLINFO info)
{
	double		seconds = 0;

	curl_easy_getinfo(easy, info, &seconds);
	return seconds <= 0 ? 0 : Max(1, (int) (seconds * 1000));
}

static void
note_outcome(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->state->easy;

	transfer->times.resolved = time_ms(easy, CURLINFO_NAMELOOKUP_TIME);
	transfer->times.connected = time_ms(easy, CURLINFO_CONNECT_TIME);
	transfer->times.secured = time_ms(easy, CURLINFO_APPCONNECT_TIME);
	transfer->times.answered = time_ms(easy, CURLINFO_STARTTRANSFER_TIME);
	transfer->times.total = (int) (elapsed_ms(transfer) - transfer->run_start_ms);
}

static void
reset_outcome(HttpTransfer *transfer)
{
	transfer->result = CURLE_OK;
	transfer->error_text[0] = '\0';
	transfer->too_many_headers = false;
	transfer->refused = URL_ADDRESS_PUBLIC;
	transfer->status = 0;
	http_body_reset(&transfer->body);
	memset(&transfer->times, 0, sizeof(transfer->times));
	forget_headers(transfer);
	transfer->reached = false;
	transfer->state->connecting = false;
	transfer->state->header_bytes = 0;
}

static void
start(HttpTransfer *transfer)
{
	HttpTransferState *state = transfer->state;
	sigset_t	saved;
	CURLMcode	code;

	reset_outcome(transfer);
	transfer->run_start_ms = state->moved_ms = elapsed_ms(transfer);
	state->easy = curl_easy_init();
	if (state->easy == NULL)
		out_of_memory();
	set_policy(state->easy);
	set_trust(state->easy, &transfer->tls);
	set_limits(state->easy, transfer);
	set_request(state->easy, transfer);

	block_signals(&saved);
	code = curl_multi_add_handle(state->multi, state->easy);
	restore_signals(&saved);
	check_multi(code);
	drive(state, CURL_SOCKET_TIMEOUT, 0);
}

/*
 * Decodes all that has been received.  libcurl keeps the time limit while it is
 * driven; a body that unpacks to gigabytes may exceed the limit here.  The source cannot
 * send as long as this takes.  False: the body is taken no further.
 */
static bool
decode_received(HttpTransfer *transfer)
{
	while (http_body_advance(&transfer->body))
	{
		http_transfer_report(transfer);
		CHECK_FOR_INTERRUPTS();
		transfer->state->moved_ms = elapsed_ms(transfer);
		if (transfer->timeout_ms > 0 && elapsed_ms(transfer) - transfer->run_start_ms > transfer->timeout_ms)
		{
			transfer->result = CURLE_OPERATION_TIMEDOUT;
			strlcpy(transfer->error_text, "Decompression took too long", CURL_ERROR_SIZE);
			return false;
		}
	}
	return transfer->body.fault == HTTP_BODY_FINE;
}

/* a result that libcurl, which has left the body to us, could not know */
static void
judge_body(HttpTransfer *transfer)
{
	if (transfer->body.fault == HTTP_BODY_NO_MEMORY)
		out_of_memory();
	if (transfer->result == CURLE_OK)
		http_body_finish(&transfer->body, http_transfer_succeeded(transfer));
	if (transfer->transfer_encoding[0] != '\0' && pg_strcasecmp(transfer->transfer_encoding, "chunked") != 0 &&
		pg_strcasecmp(transfer->transfer_encoding, "identity") != 0)
		http_body_refuse(&transfer->body, "its Transfer-Encoding is not supported");
	if (transfer->body.fault == HTTP_BODY_DAMAGED)
		transfer->result = CURLE_BAD_CONTENT_ENCODING;
	else if (transfer->result == CURLE_OK && transfer->body.fault != HTTP_BODY_FINE)
		transfer->result = CURLE_WRITE_ERROR;
}

void
http_transfer_run(HttpTransfer *transfer)
{
	HttpTransferState *state = transfer->state;

	start(transfer);
	while (!is_done(transfer) && decode_received(transfer) && !is_paused(transfer))
	{
		if (state->too_many_sockets)
			elog(ERROR, "libcurl wants to wait for more than %d sockets", MAX_SOCKETS);
		wait_and_drive(transfer);
	}
	(void) decode_received(transfer);
	note_outcome(transfer);
	judge_body(transfer);
	http_transfer_report(transfer);
	release_easy(state);
	release_headers(state);
}
