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
wait_for('SELECT spice_ready()', 'all is loaded');
is(value(q{SELECT string_agg(relpersistence::text, '' ORDER BY relname) FROM pg_class
	WHERE relname IN ('file', 'memory') AND relkind = 'r'}), 'pu', 'a logged and an unlogged table');

my $storage = Spice::storage_of($node, 'file');
my $pid = hold_refresh('file', @rows[ 0 .. 4 ]);
wait_for_ticks(2, 'a held transfer does not stop others');
is(value("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)"),
	'0', 'nor hold back vacuum');
value("SELECT pg_terminate_backend($pid)");
$source->wait('/file', 'aborted');
wait_for(q{SELECT count(*) = 1 FROM spice.refreshes WHERE dataset = 'file' AND outcome = 'interrupted'},
	'a terminated worker has left its trace');
is(value('SELECT count(*) FROM file'), '10', 'the table is as it was');
is(Spice::storage_of($node, 'file'), $storage, 'untouched');
released('file', @rows[ 0 .. 4 ]);
wait_for('SELECT count(*) = 5 FROM file', 'and is refreshed again');

# --- statement cancel in a session

my $session = Spice::Session->new($node);
$pid = $session->query('SELECT pg_backend_pid()');
held('file', @rows);
$source->clear_log;
$session->send(q{SELECT spice_refresh('file')});
$source->wait('/file', 'held');
value("SELECT pg_cancel_backend($pid)");
$session->answer;
like($session->errors, qr/canceling statement due to user request/, 'spice_refresh is cancelled in the transfer');
$source->wait('/file', 'aborted');
is(value('SELECT count(*) FROM file'), '5', 'the table is as it was');
$session->send(q{SET statement_timeout = '300ms'; SELECT spice_refresh('file')});
$session->answer;
like($session->errors, qr/canceling statement due to statement timeout/, 'statement_timeout works as well');
released('file', @rows);
is($session->query(q{SET statement_timeout = 0; SELECT spice_refresh('file')}), '10', 'and the session goes on');

# --- a session that has refreshed and does not commit

$source->set('/memory', body => [ @rows[ 0 .. 2 ] ]);
is($session->query(q{BEGIN; SELECT spice_refresh('memory')}), '3', 'a refresh in an open transaction');
value(q{SELECT spice_refresh('memory', wait => false)});
wait_for_ticks(3, 'does not stop other datasets');
$session->query('ROLLBACK');
wait_for('SELECT count(*) = 3 FROM memory', 'what waited for it goes on');

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
	is(value('SELECT count(*) FROM file'), $before, "$mode shutdown: the table is as it was");
	released('file', @rows[ 1 .. $after ]);
	wait_for("SELECT count(*) = $after FROM file", "$mode shutdown: refreshed after the restart");
	wait_for('SELECT count(*) = 3 FROM memory', "$mode shutdown: the unlogged table has its rows");
	is(value(q{SELECT count(*) FROM spice.refreshes WHERE outcome = 'running' AND dataset = 'file'}), 0,
		"$mode shutdown: nothing runs any more");
}
is(value(q{SELECT count(*) FROM spice.refreshes WHERE dataset = 'file' AND outcome = 'interrupted'}), '3',
	'history has the interrupted refreshes');

# --- crashes

$pid = hold_refresh('file', @rows[ 0 .. 3 ]);
$source->set('/memory', body => [ @rows[ 0 .. 6 ] ]);
kill 'KILL', $pid or die $!;
$source->wait('/file', 'aborted');
wait_for('SELECT count(*) = 7 FROM memory', 'a worker is killed: the unlogged table is loaded again');
released('file', @rows[ 0 .. 3 ]);
wait_for('SELECT count(*) = 4 FROM file', 'and the refresh is done again');

$pid = launcher();
kill 'KILL', $pid or die $!;
wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $pid",
	'the launcher is killed: there is another');
is(value('SELECT count(*) FROM file'), '4', 'the logged table has its rows');
wait_for('SELECT count(*) = 7 FROM memory', 'and the unlogged one again');
wait_for_ticks(2, 'and the schedule goes on');

$pid = launcher();
$session->quit;
value("SELECT pg_terminate_backend($pid)");
wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $pid",
	'the launcher is terminated: there is another');
wait_for_ticks(2, 'and the schedule goes on');

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
	AND application_name = 'spice refresh file'}, 'no refresh of the former extension is left');
is( value(q{SELECT string_agg(dataset || ' ' || "table" || ' ' || status, ', ' ORDER BY dataset) FROM spice.datasets
	WHERE dataset <> 'ticking'}), 'file file ready, memory memory ready', 'each dataset has its own table');

hold_refresh('file', @rows[ 0 .. 7 ]);
value('DROP EXTENSION spice CASCADE; CREATE EXTENSION spice');
wait_for(q{SELECT count(*) = 7 FROM memory}, 'dropped and created during a held refresh: others are loaded');
released('file', @rows[ 0 .. 7 ]);
wait_for(q{SELECT count(*) = 8 FROM file}, 'and the held one after it');
wait_for(q{SELECT string_agg(DISTINCT dataset || ' ' || "table", ', ' ORDER BY dataset || ' ' || "table") =
	'file file, memory memory, ticking ticking' FROM spice.datasets}, 'each dataset has its own table');
is(launcher(), launcher(), 'the launcher lives');
my @crashes = grep { /PANIC|TRAP|was terminated by signal/ } split /\n/, slurp_file($node->logfile, $offset);
is_deeply(\@crashes, [], 'and nothing has crashed');
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
served('made again, it is served again');
is(launcher() > 0, 1, 'by the launcher');
$node->stop;

# --- one worker, one refresh after the other

my @four = map { "four$_" } 1 .. 4;
$source->set("/$_", body => [ { id => 1, at => '2025-01-01T00:00:00Z' } ]) for @four;
my $dated = Spice::dataset('four2', $source->url('/four2'), refresh_mode => 'append');
$dated->{time_column} = 'at';
$node = Spice::new_node('handover',
	Spice::manifest([ $dated, map { Spice::dataset($_, $source->url("/$_")) } @four[ 0, 2, 3 ] ]),
	'spice.max_refresh_workers = 1');
wait_for('SELECT spice_ready()', 'one worker loads four datasets');
is(value('SELECT count(DISTINCT pid) FROM spice_catalog.refresh_history'), '1', 'the same for all');

value(q{SELECT spice_refresh('four3', 'SELECT f.* FROM four3 f, (SELECT pg_advisory_lock(83, 83)) l', wait => false)});
wait_for(q{SELECT outcome = 'loaded' AND trigger = 'request' FROM spice.refreshes WHERE dataset = 'four3' LIMIT 1}, 'a refresh_sql that locks');
is(value(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'leaves no lock to the next refresh');

# --- the limit changes while refreshes run

value(q{ALTER SYSTEM SET spice.max_refresh_workers = 4; SELECT pg_reload_conf()});
held($_, { id => 2 }) for @four[ 0, 2, 3 ];
$source->clear_log;
value("SELECT spice_refresh('$_', wait => false)") for @four[ 0, 2, 3 ];
wait_for(q{SELECT count(*) = 3 FROM spice.datasets WHERE status = 'refreshing'}, 'a raised limit: three at once');
value(q{ALTER SYSTEM SET spice.max_refresh_workers = 1; SELECT pg_reload_conf()});
wait_for('SHOW spice.max_refresh_workers', 'lowered', '1');
value("SELECT spice_refresh('$_', wait => false)") for @four[ 0, 2, 3 ];
released($_, { id => 2 }) for @four[ 0, 2, 3 ];
wait_for(q{SELECT count(*) = 0 FROM spice_catalog.refresh_request}, 'a lowered limit: all that was asked for is done');
wait_for(q{SELECT count(*) = 3 FROM spice.refreshes WHERE outcome = 'unchanged' AND trigger = 'request'}, 'to its end');
is(value(q{SELECT count(*) FROM spice.refreshes a JOIN spice.refreshes b ON a.dataset < b.dataset
	AND a.outcome = 'unchanged' AND b.outcome = 'unchanged' AND a.trigger = 'request' AND b.trigger = 'request'
	AND a.started < b.finished AND b.started < a.finished}), '0', 'one after the other, though there are three workers');
$node->stop;

# --- too few background workers

held($_, @rows) for qw(file memory);
$source->clear_log;
$node = Spice::new_node('slots',
	Spice::manifest([ map { Spice::dataset($_, $source->url("/$_")) } qw(file memory) ]),
	'max_worker_processes = 2', 'max_logical_replication_workers = 0', 'spice.max_refresh_workers = 2');
Spice::wait_for_log($node, qr/no free background worker for a refresh\n.*HINT:  Raise max_worker_processes/,
	0, 'out of workers: the log says what to do');
wait_for(q{SELECT count(*) = 1 FROM spice.datasets WHERE status = 'refreshing'}, 'one is being refreshed');
is(value(q{SELECT count(*) FROM spice.refreshes}), '1', 'the other one waits');
released($_, @rows) for qw(file memory);
wait_for('SELECT spice_ready()', 'until a worker is free');
my @warnings = slurp_file($node->logfile) =~ /no free background worker/g;
is(scalar @warnings, 1, 'it was said once');
$node->stop;

# --- not preloaded

$source->set('/memory', body => \@rows);
$node = Spice::init_node('unloaded', []);
Spice::write_manifest($node, Spice::manifest([ map { Spice::dataset($_, $source->url("/$_")) } qw(file memory) ]));
$node->start;
value('CREATE EXTENSION spice');
is(value(q{SELECT string_agg(dataset || ' ' || action, ', ' ORDER BY dataset) FROM spice_reload()}),
	'file added, memory added', 'without shared_preload_libraries: spice_reload');
is(value('SELECT spice_ready()'), 'f', 'spice_ready, before the first load');
is(value(qq{SELECT spice_refresh('$_')}), '10', "spice_refresh $_") for qw(file memory);
is(value('SELECT count(*) FROM file'), '10', 'the table is there');
is(value('SELECT spice_ready()'), 't', 'spice_ready');
is(value(q{SELECT spice_pause('file'); SELECT status FROM spice.datasets WHERE dataset = 'file'; SELECT spice_resume('file')}),
	"\npaused\n", 'spice_pause and spice_resume');
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
wait_for('SELECT spice_ready()', 'a primary');
my $primary = $node;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
$node = $standby;
is(value('SELECT count(*) FROM file'), '10', 'a standby has the rows');
is(value(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'spice%'}), '0', 'and refreshes nothing');
(undef, undef, $error) = $node->psql('postgres', q{SELECT spice_refresh('file')});
like($error, qr/cannot execute spice_refresh\(\) during recovery/, 'not even when asked to');
for my $call ('spice_reload()', q{spice_pause('file')}, q{spice_resume('file')}, q{spice_refresh('file', wait => false)})
{
	(undef, undef, $error) = $node->psql('postgres', "SELECT $call");
	like($error, qr/cannot execute .* (?:during recovery|in a read-only transaction)/, "nor $call");
}
is(value('SELECT count(*) FROM spice.datasets'), '3', 'but shows its datasets');
(undef, undef, $error) = $node->psql('postgres', 'SELECT spice_ready()');
is($error, '', 'and whether they are ready');
$primary->stop;
$standby->promote;
wait_for(q{SELECT count(*) = 10 FROM memory}, 'promoted, it loads the unlogged table');
wait_for_ticks(2, 'and keeps the schedule');
$source->set('/file', body => [ @rows[ 0 .. 1 ] ]);
is(value(q{SELECT spice_refresh('file')}), '2', 'and refreshes on demand');
$standby->stop;

done_testing();
