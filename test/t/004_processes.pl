# The launcher and its workers: what may end them, and what they must not stop.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $source = Spice::Source->new;
my @rows = map { { id => $_ } } 1 .. 10;
my ($node, $error);

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { return Spice::wait_for($node, @_); }

sub held
{
	my ($name, @rows) = @_;

	$source->set("/$name", body => \@rows, hold => $true);
	return;
}

# from now on, and what waits
sub released
{
	my ($name, @rows) = @_;

	$source->set("/$name", body => \@rows);
	$source->release("/$name");
	return;
}

# the launcher that is there now
sub launcher
{
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher'})
	  or die 'no launcher';
	return Spice::pid_of($node, 'spice launcher');
}

# until another dataset has been refreshed that many times more
sub wait_for_ticks
{
	my ($more, $name) = @_;
	my $wanted = $more
	  + value(q{SELECT count(*) FROM spice.refreshes WHERE dataset = 'ticking' AND finished IS NOT NULL});

	return wait_for("SELECT count(*) >= $wanted FROM spice.refreshes"
		  . q{ WHERE dataset = 'ticking' AND finished IS NOT NULL}, $name);
}

# hands a refresh to the launcher and waits until its transfer is held
sub hold_refresh
{
	my ($name, @rows) = @_;

	held($name, @rows);
	$source->clear_log;
	value("SELECT spice_refresh('$name', wait => false)");
	$source->wait("/$name", 'held');
	my $pid = value("SELECT pid FROM pg_stat_activity WHERE application_name = 'spice refresh $name'");
	is(value("SELECT status FROM spice.datasets WHERE dataset = '$name'"), 'refreshing', "$name is being refreshed");
	return $pid;
}

$source->set("/$_", body => \@rows) for qw(file memory ticking);
my @datasets = (
	Spice::dataset('file', $source->url('/file'), engine => 'duckdb', mode => 'file'),
	Spice::dataset('memory', $source->url('/memory'), engine => 'duckdb', mode => 'memory'),
	Spice::dataset('ticking', $source->url('/ticking'), refresh_check_interval => '1s'));

# --- the death of a worker

$node = Spice::new_node('processes', Spice::manifest(\@datasets), 'restart_after_crash = on');
wait_for('SELECT spice_ready()', 'every dataset is loaded');
is(value(q{SELECT string_agg(relpersistence::text, '' ORDER BY relname) FROM pg_class
	WHERE relname IN ('file', 'memory') AND relkind = 'r'}), 'pu', 'mode file makes a logged table and mode memory an unlogged one');

my $storage = Spice::storage_of($node, 'file');
my $pid = hold_refresh('file', @rows[ 0 .. 4 ]);
wait_for_ticks(2, 'a held transfer does not stop other datasets');
is(value("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)"),
	'0', 'a held transfer does not hold back vacuum');
value("SELECT pg_terminate_backend($pid)");
$source->wait('/file', 'aborted');
wait_for(q{SELECT count(*) = 1 FROM spice.refreshes WHERE dataset = 'file' AND outcome = 'interrupted'},
	'history shows a terminated worker\'s refresh as interrupted');
is(value('SELECT count(*) FROM file'), '10', 'the table keeps its rows');
is(Spice::storage_of($node, 'file'), $storage, 'the table keeps its storage');
released('file', @rows[ 0 .. 4 ]);
wait_for('SELECT count(*) = 5 FROM file', 'the interrupted refresh is made again');

# --- statement cancel in a session

my $session = Spice::Session->new($node);
$pid = $session->query('SELECT pg_backend_pid()');
held('file', @rows);
$source->clear_log;
$session->send(q{SELECT spice_refresh('file')});
$source->wait('/file', 'held');
value("SELECT pg_cancel_backend($pid)");
$session->answer;
like($session->errors, qr/canceling statement due to user request/, 'spice_refresh() is cancelled during its transfer');
$source->wait('/file', 'aborted');
is(value('SELECT count(*) FROM file'), '5', 'the table keeps its rows');
$session->send(q{SET statement_timeout = '300ms'; SELECT spice_refresh('file')});
$session->answer;
like($session->errors, qr/canceling statement due to statement timeout/, 'statement_timeout ends a transfer');
released('file', @rows);
is($session->query(q{SET statement_timeout = 0; SELECT spice_refresh('file')}), '10', 'the session works after the timeout');

# --- a session that has refreshed and does not commit

$source->set('/memory', body => [ @rows[ 0 .. 2 ] ]);
is($session->query(q{BEGIN; SELECT spice_refresh('memory')}), '3', 'spice_refresh() works in an open transaction');
value(q{SELECT spice_refresh('memory', wait => false)});
wait_for_ticks(3, 'an open transaction that has refreshed a dataset does not stop other datasets');
$session->query('ROLLBACK');
wait_for('SELECT count(*) = 3 FROM memory', 'a refresh that waited for the open transaction continues');

# --- restarts in the middle of a transfer

foreach my $mode (qw(fast immediate))
{
	my $before = value('SELECT count(*) FROM file');
	my $after = $before - 1;

	hold_refresh('file', @rows[ 1 .. $after ]);
	# that it has begun is on disk with the next commit, or a moment later
	value('CREATE TABLE committed (); DROP TABLE committed');
	$node->stop($mode);
	$source->wait('/file', 'aborted');
	$node->start;
	is(value('SELECT count(*) FROM file'), $before, "$mode shutdown: the table keeps its rows");
	released('file', @rows[ 1 .. $after ]);
	wait_for("SELECT count(*) = $after FROM file", "$mode shutdown: the interrupted refresh is made after the restart");
	wait_for('SELECT count(*) = 3 FROM memory', "$mode shutdown: the unlogged table has its rows");
	is(value(q{SELECT count(*) FROM spice.refreshes WHERE outcome = 'running' AND dataset = 'file'}), 0,
		"$mode shutdown: history has no running refresh");
}
is(value(q{SELECT count(*) FROM spice.refreshes WHERE dataset = 'file' AND outcome = 'interrupted'}), '3',
	'history has each interrupted refresh');

# --- crashes

$pid = hold_refresh('file', @rows[ 0 .. 3 ]);
$source->set('/memory', body => [ @rows[ 0 .. 6 ] ]);
kill 'KILL', $pid or die $!;
$source->wait('/file', 'aborted');
wait_for('SELECT count(*) = 7 FROM memory', 'a worker is killed: the unlogged table is loaded again');
released('file', @rows[ 0 .. 3 ]);
wait_for('SELECT count(*) = 4 FROM file', 'a refresh whose worker was killed is made again');

$pid = launcher();
kill 'KILL', $pid or die $!;
wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $pid",
	'another launcher starts after one was killed');
is(value('SELECT count(*) FROM file'), '4', 'the logged table keeps its rows after a crash');
wait_for('SELECT count(*) = 7 FROM memory', 'the unlogged table is loaded again after a crash');
wait_for_ticks(2, 'the schedule continues with the new launcher');

$pid = launcher();
$session->quit;
value("SELECT pg_terminate_backend($pid)");
wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $pid",
	'another launcher starts after one was terminated');
wait_for_ticks(2, 'the schedule continues with the new launcher');

# --- the extension goes and comes

my $offset = -s $node->logfile;
hold_refresh('file', @rows);
value('DROP EXTENSION spice CASCADE');
is(value(q{SELECT count(*) FROM pg_class WHERE relname IN ('file', 'memory', 'ticking')}), '0', 'DROP EXTENSION CASCADE');
Spice::write_manifest($node, Spice::manifest([ reverse @datasets ]));
released('file', @rows);
value('CREATE EXTENSION spice');
wait_for('SELECT spice_ready()', 'CREATE EXTENSION again, during a refresh: all is loaded');
wait_for(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'spice refresh'
	AND application_name = 'spice refresh file'}, 'no refresh of the dropped extension runs on');
is( value(q{SELECT string_agg(dataset || ' ' || "table" || ' ' || status, ', ' ORDER BY dataset) FROM spice.datasets
	WHERE dataset <> 'ticking'}), 'file file ready, memory memory ready', 'each dataset has a table of its own');

hold_refresh('file', @rows[ 0 .. 7 ]);
value('DROP EXTENSION spice CASCADE; CREATE EXTENSION spice');
wait_for(q{SELECT count(*) = 7 FROM memory}, 'DROP and CREATE EXTENSION during a held refresh: other datasets are loaded');
released('file', @rows[ 0 .. 7 ]);
wait_for(q{SELECT count(*) = 8 FROM file}, 'the dataset whose refresh was held is loaded, too');
wait_for(q{SELECT string_agg(DISTINCT dataset || ' ' || "table", ', ' ORDER BY dataset || ' ' || "table") =
	'file file, memory memory, ticking ticking' FROM spice.datasets}, 'each dataset has a table of its own');
is(launcher(), launcher(), 'the launcher runs');
my @crashes = grep { /PANIC|TRAP|was terminated by signal/ } split /\n/, slurp_file($node->logfile, $offset);
is_deeply(\@crashes, [], 'the log has no crash');
$node->stop;

# --- the database goes and comes

$node = Spice::start_node('databases',
	Spice::manifest([ Spice::dataset('ticking', $source->url('/ticking'), refresh_check_interval => '1s'),
			Spice::dataset('file', $source->url('/file')) ]),
	"spice.database = 'served'");
sub served
{
	my ($name) = @_;

	value('CREATE DATABASE served');
	$node->safe_psql('served', 'CREATE EXTENSION spice');
	ok($node->poll_query_until('served', 'SELECT count(*) = 8 FROM file'), $name);
	return;
}
served('a database that comes after the start is served');
held('file', @rows);
$source->clear_log;
$node->safe_psql('served', q{SELECT spice_refresh('file', wait => false)});
$source->wait('/file', 'held');
value('DROP DATABASE served');
is(value(q{SELECT count(*) FROM pg_database WHERE datname = 'served'}), '0', 'DROP DATABASE during a refresh');
released('file', @rows[ 0 .. 7 ]);
served('a database that is made again is served again');
is(launcher() > 0, 1, 'the launcher serves the new database');
$node->stop;

# --- one worker, one refresh after the other

my @four = map { "four$_" } 1 .. 4;
$source->set("/$_", body => [ { id => 1, at => '2025-01-01T00:00:00Z' } ]) for @four;
my $dated = Spice::dataset('four2', $source->url('/four2'), refresh_mode => 'append');
$dated->{time_column} = 'at';
$node = Spice::new_node('handover',
	Spice::manifest([ $dated, map { Spice::dataset($_, $source->url("/$_")) } @four[ 0, 2, 3 ] ]),
	'spice.max_refresh_workers = 1');
wait_for('SELECT spice_ready()', 'one worker is enough for four datasets');
is(value('SELECT count(DISTINCT pid) FROM spice_catalog.refresh_history'), '1', 'the same worker loads all of them');

value(q{SELECT spice_refresh('four3', 'SELECT f.* FROM four3 f, (SELECT pg_advisory_lock(83, 83)) l', wait => false)});
wait_for(q{SELECT outcome = 'loaded' AND trigger = 'request' FROM spice.refreshes WHERE dataset = 'four3' LIMIT 1}, 'a refresh_sql that takes an advisory lock is loaded');
is(value(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'a worker keeps no advisory lock of a refresh_sql');

# --- the limit changes while refreshes run

value(q{ALTER SYSTEM SET spice.max_refresh_workers = 4; SELECT pg_reload_conf()});
held($_, { id => 2 }) for @four[ 0, 2, 3 ];
$source->clear_log;
value("SELECT spice_refresh('$_', wait => false)") for @four[ 0, 2, 3 ];
wait_for(q{SELECT count(*) = 3 FROM spice.datasets WHERE status = 'refreshing'}, 'a raised spice.max_refresh_workers lets three refreshes run at once');
value(q{ALTER SYSTEM SET spice.max_refresh_workers = 1; SELECT pg_reload_conf()});
wait_for('SHOW spice.max_refresh_workers', 'lowered', '1');
value("SELECT spice_refresh('$_', wait => false)") for @four[ 0, 2, 3 ];
released($_, { id => 2 }) for @four[ 0, 2, 3 ];
wait_for(q{SELECT count(*) = 0 FROM spice_catalog.refresh_request}, 'a lowered spice.max_refresh_workers: every request is taken');
wait_for(q{SELECT count(*) = 3 FROM spice.refreshes WHERE outcome = 'unchanged' AND trigger = 'request'}, 'every requested refresh ends');
is(value(q{SELECT count(*) FROM spice.refreshes a JOIN spice.refreshes b ON a.dataset < b.dataset
	AND a.outcome = 'unchanged' AND b.outcome = 'unchanged' AND a.trigger = 'request' AND b.trigger = 'request'
	AND a.started < b.finished AND b.started < a.finished}), '0', 'a lowered spice.max_refresh_workers lets one refresh run at a time');
$node->stop;

# --- too few background workers

held($_, @rows) for qw(file memory);
$source->clear_log;
$node = Spice::new_node('slots',
	Spice::manifest([ map { Spice::dataset($_, $source->url("/$_")) } qw(file memory) ]),
	'max_worker_processes = 2', 'max_logical_replication_workers = 0', 'spice.max_refresh_workers = 2');
Spice::wait_for_log($node, qr/no free background worker for a refresh\n.*HINT:  Raise max_worker_processes/,
	0, 'the log has a hint when no background worker is free');
wait_for(q{SELECT count(*) = 1 FROM spice.datasets WHERE status = 'refreshing'}, 'one dataset is refreshed when only one worker is free');
is(value(q{SELECT count(*) FROM spice.refreshes}), '1', 'the other dataset waits for a free worker');
released($_, @rows) for qw(file memory);
wait_for('SELECT spice_ready()', 'both datasets are loaded once a worker is free');
my @warnings = slurp_file($node->logfile) =~ /no free background worker/g;
is(scalar @warnings, 1, 'the log says once that no worker is free');
$node->stop;

# --- not preloaded

$source->set('/memory', body => \@rows);
$node = Spice::init_node('unloaded', []);
Spice::write_manifest($node, Spice::manifest([ map { Spice::dataset($_, $source->url("/$_")) } qw(file memory) ]));
$node->start;
value('CREATE EXTENSION spice');
is(value(q{SELECT string_agg(dataset || ' ' || action, ', ' ORDER BY dataset) FROM spice_reload()}),
	'file added, memory added', 'spice_reload() works without shared_preload_libraries');
is(value('SELECT spice_ready()'), 'f', 'spice_ready() is false before the first load');
is(value(qq{SELECT spice_refresh('$_')}), '10', "spice_refresh $_") for qw(file memory);
is(value('SELECT count(*) FROM file'), '10', 'spice_refresh() makes the table');
is(value('SELECT spice_ready()'), 't', 'spice_ready');
is(value(q{SELECT spice_pause('file'); SELECT status FROM spice.datasets WHERE dataset = 'file'; SELECT spice_resume('file')}),
	"\npaused\n", 'spice_pause() and spice_resume() work without a launcher');
is(value(q{SELECT severity FROM spice_validate('nonsense') LIMIT 1}), 'error', 'spice_validate');
(undef, undef, $error) = $node->psql('postgres', q{SELECT spice_refresh('file', wait => false)});
like($error, qr/no launcher in this database.*HINT: .*shared_preload_libraries/s, 'wait => false says what to do');
Spice::write_manifest($node, Spice::manifest([ Spice::dataset('file', $source->url('/file')) ]));
value('SELECT spice_reload()');
value(q{SELECT spice_drop('memory')});
is(value(q{SELECT to_regclass('memory') IS NULL}), 't', 'spice_drop');
$node->stop;

# --- a standby

$node = Spice::init_node('primary', [ allows_streaming => 1 ],
	"shared_preload_libraries = 'spice'", 'autovacuum = off');
Spice::write_manifest($node, Spice::manifest([ @datasets[ 0, 1 ],
		Spice::dataset('ticking', $source->url('/ticking'), refresh_check_interval => '1s', engine => 'duckdb', mode => 'file') ]));
$node->start;
value('CREATE EXTENSION spice');
wait_for('SELECT spice_ready()', 'the primary loads its datasets');
my $primary = $node;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
$node = $standby;
is(value('SELECT count(*) FROM file'), '10', 'a standby has the rows');
is(value(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'spice%'}), '0', 'a standby refreshes nothing');
(undef, undef, $error) = $node->psql('postgres', q{SELECT spice_refresh('file')});
like($error, qr/cannot execute spice_refresh\(\) during recovery/, 'spice_refresh() is refused on a standby');
for my $call ('spice_reload()', q{spice_pause('file')}, q{spice_resume('file')}, q{spice_refresh('file', wait => false)})
{
	(undef, undef, $error) = $node->psql('postgres', "SELECT $call");
	like($error, qr/cannot execute .* (?:during recovery|in a read-only transaction)/, "$call is refused on a standby");
}
is(value('SELECT count(*) FROM spice.datasets'), '3', 'spice.datasets can be read on a standby');
(undef, undef, $error) = $node->psql('postgres', 'SELECT spice_ready()');
like($error, qr/NOTICE:  spice is not ready\nDETAIL:  dataset "memory".*\nHINT:  .*after a promotion/, 'spice_ready() says on a standby what a promotion loads');
is(value('SELECT count(*) FROM spice.datasets WHERE warnings IS NOT NULL'), '0', 'a standby is not warned of a launcher that it does not need');
$primary->stop;
$standby->promote;
wait_for(q{SELECT count(*) = 10 FROM memory}, 'a promoted standby loads the unlogged table');
wait_for_ticks(2, 'a promoted standby keeps the schedule');
$source->set('/file', body => [ @rows[ 0 .. 1 ] ]);
is(value(q{SELECT spice_refresh('file')}), '2', 'a promoted standby refreshes on demand');
$standby->stop;

done_testing();
