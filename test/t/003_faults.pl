# What a source can do to a refresh.  Whatever it is, the table stays as it was, the
# dataset says what happened and in which phase, and the next refresh heals it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $false = JSON::PP::false;
my $source = Spice::Source->new;
my $other = Spice::Source->new;
my @rows = map { { id => $_, text => 'some text to fill a row' } } 1 .. 20;
my %good = (body => \@rows);

$source->set($_, %good) for qw(/items /retried /limited /missing /single);
$other->set('/gone', %good);

my %credentials = (http_username => 'user', http_password => '${env:PASSWORD}', http_headers => 'X-Key: ${env:KEY}');
$ENV{SPICE_PASSWORD} = 'a passphrase';
$ENV{SPICE_KEY} = 'a key';

my $node = Spice::new_node(
	'faults',
	Spice::manifest(
		[
			Spice::dataset('items', $source->url('/items'), refresh_retry_enabled => $false,
				params => { client_timeout => '1s', %credentials }),
			Spice::dataset('spooled', $source->url('/spooled'), refresh_retry_enabled => $false),
			Spice::dataset('gone', $other->url('/gone'), refresh_retry_enabled => $false),
			Spice::dataset('retried', $source->url('/retried')),
			Spice::dataset('limited', $source->url('/limited'), refresh_retry_max_attempts => 1,
				refresh_check_interval => '1h'),
			Spice::dataset('missing', $source->url('/missing'), refresh_check_interval => '1h'),
			Spice::dataset('single', $source->url('/single'), refresh_retry_enabled => $false,
				refresh_check_interval => '1h')
		]),
	'spice.fetch_max_size = 2MB', 'spice.fetch_memory = 64kB');

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { return Spice::wait_for($node, @_); }

sub no_temporary_file
{
	my ($name) = @_;

	return ok($node->poll_query_until('postgres',
			q{SELECT count(*) = 0 FROM pg_ls_tmpdir()}), $name);
}

# hands a refresh to the launcher and waits for its outcome
sub refresh
{
	my ($dataset) = @_;
	my $last = value('SELECT coalesce(max(id), 0) FROM spice_catalog.refresh_history');

	value("SELECT spice_refresh('$dataset', wait => false)");
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM spice_catalog.refresh_history WHERE id > $last"
		  . " AND dataset = '$dataset' AND finished IS NOT NULL AND trigger = 'request'")
	  or die "no refresh of $dataset";
	return value("SELECT outcome FROM spice_catalog.refresh_history WHERE id > $last AND dataset = '$dataset'"
		  . ' AND finished IS NOT NULL ORDER BY id LIMIT 1');
}

# a dataset that is failing: its table and what it says
sub failed
{
	my ($name, $dataset, $pattern, $storage) = @_;

	is(Spice::storage_of($node, $dataset), $storage, "$name: the table keeps its rows");
	is(value("SELECT count(*) FROM $dataset"), scalar @rows, "$name: the table still answers");
	like(value("SELECT status || ' ' || last_error FROM spice.datasets WHERE dataset = '$dataset'"),
		qr/^error .*$pattern/s, "$name: the error names the cause");
	return;
}

wait_for(q{SELECT count(*) = 6 FROM spice.datasets WHERE status = 'ready'}, 'every dataset is loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));

# --- one fault after the other

my @faults = (
	[ 'not found', { status => 404, body => { title => 'no such thing', detail => 'look elsewhere' } },
		qr/status 404.*Phase status, .*no such thing: look elsewhere/ ],
	[ 'unauthorized', { %good, basic => [ 'user', 'another' ] }, qr/status 401.*Phase status.*http_password/ ],
	[ 'server error', { status => 500, body => '<html><script>x</script><h1>Sorry</h1></html>',
		headers => { 'Content-Type' => 'text/html' } }, qr/status 500.*Phase status, .*answer begins: Sorry/ ],
	[ 'truncated', { %good, truncate_after => 200 }, qr/truncated; Phase transfer/ ],
	[ 'truncated chunks', { %good, chunked => $true, truncate_after => 200 }, qr/Phase transfer/ ],
	[ 'reset', { %good, reset_after => 200 }, qr/Phase transfer/ ],
	[ 'stall', { %good, stall_after => 200 }, qr/source stopped sending; Phase transfer/ ],
	[ 'late answer', { %good, delay => 60 }, qr/did not answer in time; Phase status/ ],
	[ 'no JSON', { body => '[{"id": 1, "text": "x"}, {"id": ]' }, qr/invalid response: .*Dataset "items", record 2, byte/ ],
	[ 'wrong type', { body => [ { id => 'a word', text => 'x' } ] }, qr/id.*a word/ ],
	[ 'partial content', { %good, status => 206 }, qr/status 206/ ],
	[ 'unasked 304', { %good, status => 304 }, qr/status 304/ ],
	[ 'redirect loop', { redirect => $source->url('/items') }, qr/redirect is refused: .*more than 10/ ],
	[ 'redirect to a file', { redirect => 'file:///etc/passwd' }, qr/redirect is refused/ ],
	[ 'redirect to nowhere', { status => 302 }, qr/redirect is refused/ ],
	[ 'too large', { generate => { kind => 'repeat', text => '{"id":1},', count => 300000, prefix => '[', suffix => '{"id":1}]' } },
		qr/larger than spice.fetch_max_size; Phase transfer/ ],
	[ 'too large in the end', { gzip => $true, chunked => $true,
		generate => { kind => 'repeat', text => '{"id":1},', count => 300000, prefix => '[', suffix => '{"id":1}]' } },
		qr/larger than spice.fetch_max_size; Phase transfer/ ]);

foreach my $fault (@faults)
{
	my ($name, $answer, $pattern) = @$fault;
	my $storage = Spice::storage_of($node, 'items');

	$source->set('/items', %$answer);
	is(refresh('items'), 'failed', $name);
	failed($name, 'items', $pattern, $storage);
	is(value(q{SELECT next_refresh IS NULL AND failures = 1 FROM spice.datasets WHERE dataset = 'items'}), 't',
		"$name: refresh_retry_enabled: false makes no retry");
	$source->set('/items', %good);
	is(refresh('items'), 'unchanged', "$name: the next refresh succeeds");
}
is(value(q{SELECT status || failures || coalesce(last_error, '') FROM spice.datasets WHERE dataset = 'items'}),
	'ready0', 'the last error is cleared');
no_temporary_file('no temporary file is left');

my $storage = Spice::storage_of($node, 'gone');
$other->stop;
is(refresh('gone'), 'failed', 'a refused connection is a transient failure');
failed('a refused connection is a transient failure', 'gone', qr/connection could not be made; Phase connect/, $storage);

# --- redirects and credentials

# Another origin has to have a public address, which a test cannot offer.
$other = Spice::Source->new;
$other->set('/landing', %good);
$storage = Spice::storage_of($node, 'items');
$source->set('/items', redirect => $other->url('/landing'));
is(refresh('items'), 'failed', 'a redirect to another origin is followed');
failed('a redirect to another origin is followed', 'items', qr/loopback address is refused; .*a redirect led there/, $storage);
is(scalar $other->log, 0, 'the other origin gets no credentials and no headers');

my @landed = (@rows, { id => 21, text => 'landed' });
$source->clear_log;
$source->set('/landing', body => \@landed, basic => [ 'user', 'a passphrase' ]);
$source->set('/items', redirect => '/landing');
is(refresh('items'), 'loaded', 'a redirect within the origin is answered');
is(value('SELECT text FROM items WHERE id = 21'), 'landed', 'the redirect is followed');
my ($landing) = $source->log('/landing');
is($landing->{user}, 'user', 'a redirect within the origin gets the credentials');
ok((grep { lc eq 'x-key' } keys %{ $landing->{headers} }), 'a redirect within the origin gets the headers');

# --- compressed

$source->set('/items', body => [ @rows, { id => 21, text => 'packed' } ], gzip => $true);
is(refresh('items'), 'loaded', 'a compressed response is loaded');
is(value('SELECT text FROM items WHERE id = 21'), 'packed', 'the response was compressed');

# --- spools that do not fit memory

$source->set('/spooled', generate => { kind => 'products', count => 4000 }, stall_after => 500000);
value(q{SELECT spice_refresh('spooled', wait => false)});
$source->wait('/spooled', 'held');
wait_for('SELECT count(*) = 1 FROM pg_ls_tmpdir()', 'a large response is written to a temporary file');
$source->release('/spooled');
wait_for('SELECT count(*) = 4000 FROM spooled', 'the response is loaded from the temporary file');
no_temporary_file('the temporary file is removed after the load');

$source->set('/spooled', generate => { kind => 'products', count => 4000, seed => 1 }, stall_after => 500000);
my $session = Spice::Session->new($node);
my $pid = $session->query('SELECT pg_backend_pid()');
$session->send(q{SELECT spice_refresh('spooled')});
$source->wait('/spooled', 'held');
wait_for('SELECT count(*) = 1 FROM pg_ls_tmpdir()', 'a session\'s refresh writes a temporary file, too');
value("SELECT pg_cancel_backend($pid)");
$session->answer;
like($session->errors, qr/canceling statement due to user request/, 'the session\'s refresh is cancelled');
is($session->query('SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'a cancelled refresh removes its temporary file');
$session->send(q{SELECT spice_refresh('spooled')});
$source->wait('/spooled', 'held');
wait_for('SELECT count(*) = 1 FROM pg_ls_tmpdir()', 'the session refreshes once more');
value("SELECT pg_terminate_backend($pid)");
no_temporary_file('a session that ends removes its temporary file');
is(value('SELECT count(*) FROM spooled'), '4000', 'the table keeps its rows');

$source->set('/spooled', generate => { kind => 'products', count => 3000 });
my (undef, undef, $limit_error) = $node->psql('postgres',
	"SET temp_file_limit = '300kB'; SELECT spice_refresh('spooled')");

like($limit_error, qr/temporary file size exceeds "?temp_file_limit/, 'temp_file_limit ends a refresh');
no_temporary_file('a cancelled refresh removes its temporary file');

# --- retries

$source->set('/retried', body => [ { id => 1, text => 'x' } ], fail_times => 2);
is(refresh('retried'), 'failed', 'a transient failure is shown');
wait_for('SELECT count(*) = 1 FROM retried', 'a transient failure is retried until the refresh succeeds');
is( value(q{SELECT string_agg(trigger || ' ' || attempt || ' ' || outcome, ', ' ORDER BY started) FROM spice.refreshes
	WHERE dataset = 'retried' AND trigger <> 'manifest'}),
	'request 1 failed, retry 2 failed, retry 3 loaded', 'history counts the attempts');
is(value(q{SELECT failures || coalesce(last_error, '') FROM spice.datasets WHERE dataset = 'retried'}),
	'0', 'a success resets the dataset\'s attempts');

$source->set('/retried', %good, fail_times => 1, fail_status => 429, retry_after => 600);
is(refresh('retried'), 'failed', 'status 429 is a transient failure');
my $waits = q{SELECT d.next_refresh >= r.finished + interval '%s' AND d.next_refresh < r.finished + interval '%s'
	FROM spice.datasets d, LATERAL (SELECT * FROM spice.refreshes r WHERE r.dataset = d.dataset LIMIT 1) r
	WHERE d.dataset = '%s'};
is(value(sprintf $waits, '599 s', '1 h', 'retried'), 't', 'the next attempt waits for Retry-After');

is(value(q{SELECT spice_refresh('retried')}), '20', 'a refresh on demand does not wait for Retry-After');
is(value(q{SELECT next_refresh IS NULL FROM spice.datasets WHERE dataset = 'retried'}), 't', 'a refresh on demand that succeeds ends the retries');

$source->set('/missing', status => 404, body => '');
is(refresh('missing'), 'failed', 'a permanent failure is shown');
is(value(sprintf $waits, '59 min', '61 min', 'missing'), 't', 'the next attempt waits for the interval');

$source->set('/single', status => 503, body => '');
is(refresh('single'), 'failed', 'refresh_retry_enabled: false: a transient failure is shown');
is(value(sprintf $waits, '59 min', '61 min', 'single'), 't', 'the next attempt waits for the interval');

$source->set('/limited', status => 503, body => '');
is(refresh('limited'), 'failed', 'refresh_retry_max_attempts: 1: a transient failure is shown');
wait_for(q{SELECT failures = 2 FROM spice.datasets WHERE dataset = 'limited'}, 'refresh_retry_max_attempts: 1 makes one retry');
is(value(sprintf $waits, '59 min', '61 min', 'limited'), 't', 'after the last retry the dataset waits for its interval');
is( value(q{SELECT string_agg(trigger || ' ' || attempt, ', ' ORDER BY started) FROM spice.refreshes
	WHERE dataset = 'limited' AND outcome = 'failed'}),
	'request 1, retry 2', 'history shows one retry');

$node->stop;
done_testing();
