# A response is unchanged only if it answers the same request: validators are sent with the
# request that they came with, and with no other.  And a request is what the manifest says:
# no secret adds to it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $early = 'Mon, 01 Jan 2024 00:00:00 GMT';
my $later = 'Mon, 01 Jan 2024 00:00:01 GMT';
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);
my %secret = (TENANT => 'a', SEPARATED => 'abc;xyz:123', HOSTILE => 'abc,Host:evil');
my %keys;    # of each dataset: keys of its acceleration, and params
my %rest;    # and others

sub manifest
{
	return Spice::manifest(
		[ map { { %{ Spice::dataset($_, $source->url("/$_"), %slow, %{ $keys{$_} }) }, %{ $rest{$_} // {} } } } sort keys %keys ],
		secrets => [ { from => 'env', name => 'env' }, { from => 'file:secrets', name => 'folder' } ]);
}

sub write_secrets
{
	my ($node) = @_;

	Spice::write_beside_manifest($node, '.env', join '', map { "$_='$secret{$_}'\n" } sort keys %secret);
	return;
}

%keys = (
	header => { params => { http_headers => 'X-Tenant: a' } },
	login => { params => { http_username => 'alice', http_password => 'x' } },
	secret => { params => { http_headers => 'X-Tenant: ${secrets:TENANT}' } },
	recent => {},
	columns => {},
	comment => {},
	latest => {},
	dated => {},
	crooked => { params => { http_headers => 'X-Key: ${env:SEPARATED}, X-Other: ${env:HOSTILE}; X-Last: a;b' } },
	folder => { params => { http_username => 'user', http_password => '${folder:PASSWORD}' } },
	rows => { refresh_mode => 'append' },
	asking => {},
	part_of => {},
	whole => { refresh_sql => 'SELECT w.id FROM whole w WHERE w.id IN (SELECT p.id FROM spice_source.part p)' },
	part => {});
$rest{$_} = { time_column => 'at' } for qw(recent rows asking part_of);
$rest{asking}{from} = $source->url('/asking') . '?#part';
$rest{part_of}{from} = $source->url('/part_of') . '#part';
$rest{$_}{acceleration} = { %slow, refresh_mode => 'append', params => { http_append_query => 'since={watermark}' } } for qw(asking part_of);
my @rows = map { { id => $_, at => "2024-01-0${_}T00:00:00Z" } } 1, 2;
my %good = (body => \@rows, etag => '"1"');
$source->set("/$_", %good) for keys %keys;
$source->set('/latest', redirect => '/v2');
$source->set('/v2', body => [ { id => 2 } ], etag => '"1"', last_modified => $later);
$source->set('/v1', body => [ { id => 1 } ], etag => '"1"', last_modified => $early);
$source->set('/dated', body => [ { id => 1 } ], last_modified => $early, headers => { Date => $early });
$source->set('/folder', %good, basic => [ 'user', 'a password' ]);
$source->set('/whole', body => [ map { { id => $_ } } 1 .. 1000 ]);

my $node = Spice::start_node('request', undef);
mkdir $node->data_dir . '/secrets' or die $!;
Spice::write_beside_manifest($node, 'secrets/password', "a password\r\n");
write_secrets($node);
Spice::write_manifest($node, manifest());
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));

sub value { return $node->safe_psql('postgres', $_[0]); }

# The newest request that a refresh of the dataset has made.
sub request_of
{
	my ($dataset, $path) = @_;

	$source->clear_log;
	value("SELECT spice_refresh('$dataset')");
	return ($source->log($path // "/$dataset"))[-1];
}

sub is_conditional
{
	my ($request) = @_;

	return scalar grep { /^if-/i } keys %{ $request->{headers} };
}

sub change_manifest
{
	Spice::write_manifest($node, manifest());
	$source->clear_log;
	value('SELECT spice_reload()');
	return;
}

# --- the same request

ok(is_conditional(request_of($_)), "$_: a request like the one before has its validators")
  for qw(header login secret columns comment rows);
ok(is_conditional(request_of('latest', '/v2')), 'also where a redirect leads');

# --- another one

$keys{header}{params}{http_headers} = 'X-Tenant: b';
$keys{login}{params}{http_username} = 'bob';
$keys{recent}{refresh_data_window} = '1d';
$rest{columns} = { on_schema_change => 'append_new_columns' };
$keys{comment}{refresh_check_interval} = '2h';
$rest{comment} = { description => 'another one' };
my @others = map { { id => $_, at => "2024-01-0${_}T00:00:00Z", more => 'x' } } 3, 4;
$source->set("/$_", %good, body => \@others) for qw(header login secret recent columns);
change_manifest();
foreach my $case ([ 'header', 'a changed header' ], [ 'login', 'a changed user name' ])
{
	my ($dataset, $name) = @$case;

	Spice::wait_for($node, "SELECT min(id) = 3 FROM $dataset", "$name: the table has what the source answers to it");
	ok(!is_conditional(($source->log("/$dataset"))[0]), "$name: no validator is sent");
}
Spice::wait_for($node, 'SELECT count(*) = 0 FROM recent', 'a window: rows before it are gone');
Spice::wait_for($node, q{SELECT count(*) = 2 FROM columns c WHERE to_jsonb(c) ? 'more'},
	'changed on_schema_change: the new column is there');
ok(is_conditional(request_of('comment')), 'a changed description and schedule: the same request');

$secret{TENANT} = 'b';
write_secrets($node);
ok(!is_conditional(request_of('secret')), 'a changed secret behind the same reference: no validator is sent');
is(value('SELECT min(id) FROM secret'), '3', 'and the table has what the source answers to it');

$source->set('/latest', redirect => '/v1');
ok(!is_conditional(request_of('latest', '/v1')), 'another target of a redirect: no validator is sent');
is(value('SELECT id FROM latest'), '1', 'and the table has what is there');
$source->set('/v1', body => [ { id => 1 } ], etag => '"2"', last_modified => $early);
request_of('latest', '/v1');
is((request_of('latest', '/v1'))->{headers}{'If-None-Match'}, '"2"', 'a new tag of the same bytes is sent from then on');

# --- what tells versions apart

ok(!is_conditional(request_of('dated')), 'a Last-Modified in the second of the answer may be of the version before');
$source->set('/dated', body => [ { id => 2 } ], last_modified => $early, headers => { Date => $later });
value(q{SELECT spice_refresh('dated')});
is((request_of('dated'))->{headers}{'If-Modified-Since'}, $early, 'a second later it cannot');
$source->set('/dated', body => [ { id => 3 } ], etag => "\"caf\x{e9}\"");
value(q{SELECT spice_refresh('dated')});
is(value(q{SELECT etag IS NULL FROM spice_catalog.dataset WHERE name = 'dated'}), 't', 'a tag that is no ASCII is none');
is(value('SELECT id FROM dated'), '3', 'and its rows are loaded');
is(value(q{SELECT count(*) FROM spice_catalog.dataset WHERE request IS NOT NULL AND octet_length(request) <> 16}), '0',
	'of a request a hash is kept');

# --- rows that are gone from the table

value(q{DELETE FROM rows WHERE id = 2});
value(q{SELECT spice_refresh('rows')});
is(value('SELECT max(id) FROM rows'), '2', 'an append begins with the newest row that is there, also if the source is unchanged');

# --- what is asked

my $asked = request_of('crooked');
is($asked->{headers}{'X-Key'}, 'abc;xyz:123', 'a secret with a semicolon is one value');
is($asked->{headers}{'X-Other'}, 'abc,Host:evil', 'with a comma, too');
is($asked->{headers}{'X-Last'}, 'a;b', 'the manifest itself separates');
isnt($asked->{headers}{Host}, 'evil', 'and no secret makes a header');
ok(!$asked->{headers}{xyz}, 'none at all');
is(value(q{SELECT count(*) FROM folder}), '2', 'a line break of CR and LF does not belong to a secret');
foreach my $case ([ 'asking', 'behind a question mark' ], [ 'part_of', 'without one' ])
{
	my ($dataset, $name) = @$case;

	value("SELECT spice_refresh('$dataset')");
	like((request_of($dataset))->{query}, qr/^since=2024-01-02/, "a query is added before the fragment, $name");
}

# --- what is recorded

value(q{SELECT spice_refresh('whole')});
$source->set('/whole', body => [ map { { id => $_ } } 1 .. 2000 ]);
value(q{SELECT spice_refresh('whole')});
cmp_ok(value(q{SELECT bytes FROM spice_catalog.refresh_history WHERE dataset = 'whole' ORDER BY id DESC LIMIT 1}), '>', 10000,
	'a refresh counts its own bytes, not those of a source that its query reads');

$node->stop;
done_testing();
