# When datasets are refreshed: at start, by interval, on demand, and when not.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $source = Spice::Source->new;
my @two = ({ id => 1 }, { id => 2 });

$source->set("/$_", body => \@two) for qw(digest once always hourly);
$source->set('/etag', body => \@two, etag => $true);

my $node = Spice::start_node(
	'schedule',
	Spice::manifest(
		[
			Spice::dataset('etag', $source->url('/etag'), refresh_check_interval => '1s'),
			Spice::dataset('digest', $source->url('/digest'), refresh_check_interval => '1s'),
			Spice::dataset('once', $source->url('/once')),
			Spice::dataset('always', $source->url('/always'), refresh_on_startup => 'always'),
			Spice::dataset('hourly', $source->url('/hourly'), refresh_check_interval => '1h')
		]),
	'spice.max_refresh_workers = 1');

sub value { return $node->safe_psql('postgres', $_[0]); }

# finished refreshes of a dataset that meet a condition
sub count_of
{
	my ($dataset, $condition) = @_;

	return value("SELECT count(*) FROM spice.refreshes WHERE dataset = '$dataset'"
		  . ' AND finished IS NOT NULL AND ' . ($condition // 'true'));
}

# until there are that many more of them than now
sub wait_for_more
{
	my ($dataset, $more, $name) = @_;
	my $wanted = $more + count_of($dataset);

	return Spice::wait_for($node, "SELECT count(*) >= $wanted FROM spice.refreshes"
		  . " WHERE dataset = '$dataset' AND finished IS NOT NULL", $name);
}

# --- the extension comes after the launcher

Spice::wait_for($node,
	q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher'},
	'the launcher runs without the extension');
is(scalar $source->log, 0, 'without the extension the launcher asks no source');
value('CREATE EXTENSION spice');
Spice::wait_for($node, 'SELECT spice_ready()', 'CREATE EXTENSION is noticed: all datasets are loaded');
is( value(q{SELECT string_agg(DISTINCT trigger || ' ' || outcome, ', ') FROM
	(SELECT DISTINCT ON (dataset) * FROM spice.refreshes ORDER BY dataset, started) f}),
	'manifest loaded', 'the manifest triggers the first load');
is( value(q{SELECT count(*) FROM spice.refreshes a JOIN spice.refreshes b
	ON a.started < b.started AND b.started < a.finished}),
	'0', 'spice.max_refresh_workers = 1: no two refreshes at the same time');

# --- intervals

my %storage = map { $_ => Spice::storage_of($node, $_) } qw(etag digest);
for my $dataset (qw(etag digest))
{
	wait_for_more($dataset, 2, "$dataset: the interval triggers refreshes");
	is(count_of($dataset, q{(outcome <> 'unchanged' OR trigger <> 'schedule')}),
		'1', "$dataset: each of these refreshes finds the source unchanged");
	is(Spice::storage_of($node, $dataset), $storage{$dataset}, "$dataset: an unchanged source leaves the storage as it is");
}
is(count_of('etag', q{outcome = 'unchanged' AND http_status <> 304}), '0', 'a source with an ETag answers 304');
is(count_of('digest', q{outcome = 'unchanged' AND http_status <> 200}), '0', 'a source without an ETag is recognized by its digest');

$source->set('/digest', body => \@two, etag => $true);
Spice::wait_for($node, q{SELECT count(*) > 0 FROM spice.refreshes WHERE dataset = 'digest' AND http_status = 304},
	'an ETag that comes later with the same bytes is kept');

my $oid = value(q{SELECT 'digest'::regclass::oid});
$source->set('/digest', body => [ @two, { id => 3 } ]);
Spice::wait_for($node, 'SELECT count(*) = 3 FROM digest', 'the interval\'s refresh loads a change');
isnt(Spice::storage_of($node, 'digest'), $storage{digest}, 'a load gives the table new storage');
is(value(q{SELECT 'digest'::regclass::oid}), $oid, 'the table keeps its OID');

is(count_of('once'), '1', 'a dataset without an interval is loaded once');
is(value(q{SELECT next_refresh IS NULL FROM spice.datasets WHERE dataset = 'once'}),
	't', 'a dataset without an interval has no next refresh');

# --- restart

$node->restart;
Spice::wait_for($node, q{SELECT count(*) = 1 FROM spice.refreshes
	WHERE dataset = 'always' AND trigger = 'startup' AND finished IS NOT NULL},
	'refresh_on_startup always: the dataset is refreshed at the start');
wait_for_more('etag', 2, 'intervals continue after a restart');
is(count_of('once'), '1', 'refresh_on_startup auto: a loaded dataset is not refreshed at the start');
is(count_of('hourly'), '1', 'a dataset whose interval has not passed is not refreshed at the start');
is(value('SELECT count(*) FROM once'), '2', 'the rows survive the restart');

# --- on demand

my $next = value(q{SELECT next_refresh FROM spice.datasets WHERE dataset = 'hourly'});
my $row = value(q{SELECT ctid, xmin FROM spice_catalog.dataset WHERE name = 'hourly'});
is(value(q{SELECT spice_refresh('hourly')}), '0', 'spice_refresh returns 0 for an unchanged source');
is(value("SELECT next_refresh > '$next' AND next_refresh > last_refresh AND staleness < '1 min'
	FROM spice.datasets WHERE dataset = 'hourly'"), 't', 'spice_refresh of an unchanged source restarts the interval');
is(value(q{SELECT ctid, xmin FROM spice_catalog.dataset WHERE name = 'hourly'}), $row, 'a refresh that finds nothing new writes only its history row');
$source->set('/hourly', body => [ { id => 1 } ]);
is(value(q{SELECT spice_refresh('hourly')}), '1', 'spice_refresh returns the rows of a changed source');
is(value(q{SELECT next_refresh > last_refresh FROM spice.datasets WHERE dataset = 'hourly'}), 't', 'spice_refresh of a changed source restarts the interval');
is(value(q{SELECT spice_refresh('hourly')}), '0', 'spice_refresh returns 0 when the source is unchanged again');
is(count_of('hourly', q{trigger = 'manual' AND outcome IN ('unchanged', 'loaded')}),
	'3', 'history has each refresh on demand');

# --- handed to the launcher

$node->safe_psql('postgres', q{BEGIN; SELECT spice_refresh('once', wait => false); ROLLBACK});
wait_for_more('etag', 2, 'the launcher has looked around');
is(count_of('once'), '1', 'wait => false, rolled back: nothing is refreshed');

$source->set('/once', body => [ @two, { id => 3 } ]);
my $session = Spice::Session->new($node);
is($session->query(q{BEGIN; SELECT spice_refresh('once', wait => false) IS NULL}),
	't', 'wait => false answers at once');
wait_for_more('etag', 2, 'the launcher has looked around');
is(count_of('once'), '1', 'wait => false: nothing happens before the commit');
$session->query('COMMIT');
Spice::wait_for($node, 'SELECT count(*) = 3 FROM once', 'the commit hands the refresh to the launcher');
is(count_of('once', q{trigger = 'request' AND outcome = 'loaded'}), '1', 'the launcher\'s refresh is shown as a request');
is(value('SELECT count(*) FROM spice_catalog.refresh_request'), '0', 'the launcher has taken the request');

value(q{SELECT spice_refresh('once', refresh_sql => 'SELECT * FROM once WHERE id > 2', wait => false)});
Spice::wait_for($node, 'SELECT array_agg(id) = ARRAY[3]::bigint[] FROM once', 'a request uses its own refresh_sql');
value(q{SELECT spice_refresh('once', wait => false)});
Spice::wait_for($node, 'SELECT count(*) = 3 FROM once', 'the next request uses the manifest\'s refresh_sql');

# --- pause

value(q{SELECT spice_pause('digest')});
Spice::wait_for($node, q{SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity
	WHERE application_name = 'spice refresh digest')}, 'a paused dataset\'s refresh ends');
my $before = count_of('digest');
is(value(q{SELECT status FROM spice.datasets WHERE dataset = 'digest'}), 'paused', 'spice.datasets shows the dataset as paused');
wait_for_more('etag', 3, 'other datasets are refreshed while one is paused');
is(count_of('digest'), $before, 'a paused dataset is not refreshed');
$source->set('/digest', body => \@two);
is(value(q{SELECT spice_refresh('digest')}), '2', 'a paused dataset is refreshed on demand');
$source->set('/digest', body => [ { id => 4 } ]);
value(q{SELECT spice_resume('digest')});
Spice::wait_for($node, 'SELECT array_agg(id) = ARRAY[4]::bigint[] FROM digest', 'spice_resume refreshes the dataset');
wait_for_more('digest', 2, 'spice_resume restarts the schedule');

# --- what moves a clock outlives history_retention

my $moved = value(q{SELECT next_refresh FROM spice.datasets WHERE dataset = 'hourly'});
value(q{UPDATE spice_catalog.refresh_history SET started = started - interval '8 days'});
$node->restart;
Spice::wait_for($node, q{SELECT count(*) <= 1 FROM spice.refreshes WHERE dataset = 'hourly'}, 'the launcher deletes expired history');
is(value(q{SELECT next_refresh FROM spice.datasets WHERE dataset = 'hourly'}), $moved, 'the deletion of history leaves next_refresh as it was');

$session->quit;
$node->stop;
done_testing();
