# A secret is in the request and nowhere else, whatever becomes of the request and
# however much the server is told to log.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $source = Spice::Source->new;

# made at run time, so that no file of the test has them
my %mark = map { $_ => "mark$_" . join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 16) } qw(password header);
my $basic = encode_base64("user:$mark{password}", '');
my %forbidden = (%mark, basic => $basic);
my @good = (body => [ { id => 1 } ], basic => [ 'user', $mark{password} ]);
my $told = "password $mark{password}, header $mark{header}, Bearer $mark{header}, Basic $basic";

sub manifest
{
	my ($timeout) = @_;
	my %params = (
		client_timeout => $timeout, http_username => 'user', http_password => '${secrets:PASSWORD}',
		http_headers => 'X-Token: Bearer ${secrets:HEADER}, X-Key: ${secrets:HEADER}');

	return Spice::manifest(
		[
			Spice::dataset('items', $source->url('/items'), refresh_retry_enabled => JSON::PP::false,
				params => \%params),
			{
				name => 'live', from => $source->url('/items'),
				params => \%params,
				acceleration => { enabled => JSON::PP::false }
			},
			{
				name => 'crooked', from => $source->url('/items'),
				params => { http_headers => '${secrets:HEADER}: x, X-Key: ${secrets:HEADER}' },
				acceleration => { enabled => JSON::PP::false }
			},
			{
				name => 'refused', from => "postgres:public.none",
				params => { pg_connection_string => 'host=127.0.0.1 port=1 user=x x=${secrets:PASSWORD}', pg_pass => '${secrets:PASSWORD}' },
				acceleration => { enabled => JSON::PP::false }
			}
		]);
}

$source->set('/items', @good);
my $node = Spice::start_node(
	'secrets',
	manifest('60s'),
	'log_min_messages = debug5', 'log_min_error_statement = debug5', 'log_error_verbosity = verbose',
	'log_duration = on');
Spice::write_beside_manifest($node, '.env', "SPICE_PASSWORD=$mark{password}\nSPICE_HEADER=$mark{header}\n");
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
ok($node->poll_query_until('postgres', 'SELECT spice_ready()'), 'each dataset is loaded with its secret');

# everything a text may have leaked into, one after the other
my %seen;

sub look
{
	my ($where, $text) = @_;

	foreach my $name (sort keys %forbidden)
	{
		$seen{$name}{$where} = 1 if index($text, $forbidden{$name}) >= 0;
	}
	return;
}

sub value { return $node->safe_psql('postgres', $_[0]); }

sub look_at_catalog
{
	look('pg_stat_activity', value('SELECT string_agg(to_jsonb(a)::text, chr(10)) FROM pg_stat_activity a'));
	look($_, value("SELECT string_agg(to_jsonb(t)::text, chr(10)) FROM $_ t"))
	  for split /\n/, value(q{SELECT oid::regclass FROM pg_class
		WHERE relnamespace IN ('spice'::regnamespace, 'spice_catalog'::regnamespace) AND relkind IN ('r', 'v')});
	return;
}

# in a session, whose messages are looked at too, and by a worker
sub refresh
{
	my ($outcome, $name) = @_;
	my $verbose = 'SET client_min_messages = debug5';
	my ($status, $answer, $errors) = $node->psql('postgres', "$verbose; SELECT spice_refresh('items')");

	look("the session's messages: $name", $answer . $errors);
	($status, $answer, $errors) = $node->psql('postgres', "$verbose; SELECT * FROM live");
	look("the session's messages, read live: $name", $answer . $errors);
	my $last = value('SELECT max(id) FROM spice_catalog.refresh_history');
	value(q{SELECT spice_refresh('items', wait => false)});
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM spice_catalog.refresh_history WHERE id > $last AND finished IS NOT NULL");
	is(value("SELECT outcome FROM spice_catalog.refresh_history WHERE id > $last AND dataset = 'items' ORDER BY id LIMIT 1"), $outcome, $name);
	look_at_catalog();
	return;
}

look_at_catalog();
refresh('unchanged', 'unchanged');
$source->set('/items', @good, body => [ { id => 2 } ], hold => $true);
$source->clear_log;
value(q{SELECT spice_refresh('items', wait => false)});
$source->wait('/items', 'held');
look_at_catalog();
$source->set('/items', @good, body => [ { id => 2 } ]);
$source->release('/items');
$node->poll_query_until('postgres', 'SELECT min(id) = 2 FROM items');
my ($request) = $source->log('/items');
is($request->{user}, 'user', 'the source gets the credentials');

my %json = (body => { title => 'refused', detail => $told });
my %html = (body => "<html><body><p>$told</p></body></html>", headers => { 'Content-Type' => 'text/html' });
my @failures = (
	[ 'status 401', status => 401, %json ], [ 'status 404', status => 404, %html ], [ 'status 500', status => 500, body => $told ],
	[ 'status 401 whose secret is cut', status => 401, body => 'x' x 150 . $told x 100 ],
	[ 'redirect', redirect => "/else/$mark{password}?token=$mark{header}" ],
	[ 'redirect elsewhere', redirect => "http://user:$mark{password}\@127.0.0.1:1/$mark{header}" ],
	[ 'redirect loop', redirect => "/items?$mark{header}" ],
	[ 'reset', @good, reset_after => 1 ],
	[ 'status line', @good, headers => { 'Content-Type' => $told, 'Retry-After' => $told }, status => 429 ]);

sub fail_with
{
	my ($name, %answer) = @_;

	$source->set('/items', %answer);
	refresh('failed', $name);
	like(value(q{SELECT last_error FROM spice.datasets WHERE dataset = 'items'}), qr/could not fetch/, "$name is shown in spice.datasets");
	return;
}

fail_with(@$_) for @failures;

# a source that is busy answers later than this, too, so it is for a source that never does
Spice::write_manifest($node, manifest('1s'));
value('SELECT spice_reload()');
fail_with('timeout', @good, stall_after => 1);

foreach my $dataset (qw(crooked refused))
{
	my (undef, $answer, $errors) = $node->psql('postgres', "SET client_min_messages = debug5; SELECT spice_refresh('$dataset')");

	like($errors, qr/ERROR/, "params of $dataset keep references, not secrets");
	look("the session's messages: $dataset", $answer . $errors);
}
look_at_catalog();

look('foreign tables', value('SELECT string_agg(to_jsonb(o)::text, chr(10)) FROM information_schema.foreign_table_options o'));
look('catalog', value(q{SELECT (SELECT string_agg(to_jsonb(t)::text, '') FROM pg_foreign_table t)
	|| (SELECT string_agg(to_jsonb(s)::text, '') FROM pg_foreign_server s)
	|| coalesce((SELECT string_agg(to_jsonb(m)::text, '') FROM pg_user_mappings m), '')
	|| coalesce((SELECT string_agg(to_jsonb(d)::text, '') FROM pg_description d), '')
	|| coalesce((SELECT string_agg(to_jsonb(s)::text, '') FROM pg_settings s), '')}));
my ($dump, $errors);
$node->run_log([ 'pg_dumpall', '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$errors);
like($dump, qr/CREATE EXTENSION.*spice/, 'a dump');
look('dump', $dump);
$node->stop;
my $log = slurp_file($node->logfile);
like($log, qr/could not fetch dataset "items": source answered with status 401/, 'the log has the failures');
like($log, qr/DEBUG: /, 'the log has the statements');
look('log', $log);

# tables, WAL, temporary files, what is left of processes; the passfile of a database is
# in 010_postgres.pl
my $folder = $node->data_dir;
my @files = grep { !m{/\.env$|/pg_stat_tmp/spice_} } split /\n/, `find '$folder' -type f`;
cmp_ok(scalar @files, '>', 900, 'no file of the data directory has a secret');
look("file $_", slurp_file($_)) for @files;

is_deeply(\%seen, {}, 'no catalog, view, log or file has a secret')
  or diag(explain(\%seen));

done_testing();
