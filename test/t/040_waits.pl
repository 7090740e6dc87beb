# A table that other sessions hold keeps no other dataset from its refreshes.
#
# The workers are two, the tables that are held are eight, and spice.swap_timeout never ends.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my @held = map { "held$_" } 1 .. 8;
my $held = join ', ', @held;

# Each refresh has other rows than the one before.
sub moving
{
	my ($name, %keys) = @_;

	$source->set("/$name", body => [ { id => 1 } ]);
	return Spice::dataset($name, $source->url("/$name"), refresh_check_interval => '1s',
		refresh_sql => "SELECT id, clock_timestamp() AS at, pg_advisory_unlock_all()::text AS released FROM $name", %keys);
}

my $node = Spice::new_node('waits',
	Spice::manifest([ map { moving($_) } @held, 'free' ]),
	'spice.swap_timeout = 1h', 'max_worker_processes = 20');

sub value { return $node->safe_psql('postgres', $_[0]); }

sub loads
{
	my ($dataset) = @_;

	return value("SELECT count(*) FROM spice.refreshes WHERE dataset = '$dataset' AND outcome = 'loaded'");
}

# Until the dataset has been loaded so many times more; an assertion.
sub goes_on
{
	my ($dataset, $n, $name) = @_;
	my $loads = loads($dataset) + $n;

	return Spice::wait_for($node, "SELECT count(*) >= $loads FROM spice.refreshes
		WHERE dataset = '$dataset' AND outcome = 'loaded'", $name);
}

my $holder = Spice::Session->new($node);
my $count = join ' + ', map { "(SELECT count(*) FROM $_)" } @held;
my $waiting = q{SELECT count(*) >= 8 FROM spice.datasets WHERE dataset LIKE 'held%' AND status = 'refreshing'};

Spice::wait_for($node, 'SELECT spice_ready()', 'all datasets are loaded');

# --- an idle transaction that has read eight tables

is($holder->query("BEGIN; SELECT $count"), '8', 'a transaction has read eight tables');
Spice::wait_for($node, $waiting, 'each of their refreshes waits for its swap');
is(value(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 83 AND objid IN
	(SELECT id FROM spice_catalog.dataset WHERE name LIKE 'held%')}), '8',
	'a refresh_sql that releases all advisory locks does not release the refresh');
goes_on('free', 3, 'a dataset whose table is free is refreshed again and again');
is(value("SELECT $count"), '8', 'and readers of the others have their rows');
$holder->query('COMMIT');
goes_on($_, 1, "$_ is refreshed once its reader is gone") for @held;

# --- tables that are locked

$holder->query("BEGIN; LOCK TABLE $held");
goes_on('free', 3, 'a dataset whose table is free is refreshed while others are locked');
is(value(q{SET lock_timeout = '1ms'; SELECT spice_ready()}), 't', 'spice_ready() asks for no lock of a table');
is(value(q{SET lock_timeout = '1ms'; SELECT count(*) FROM spice.datasets WHERE bytes IS NOT NULL}), '9',
	'and neither does spice.datasets');

my $launcher = Spice::pid_of($node, 'spice launcher');
value("SELECT pg_terminate_backend($launcher)");
Spice::wait_for($node, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $launcher",
	'another launcher starts');
goes_on('free', 3, 'and serves the dataset whose table is free');
$holder->query('COMMIT');
goes_on($_, 1, "$_ is refreshed once its lock is gone") for @held;

# --- more tables than workers may wait for

$node->append_conf('postgresql.conf', 'max_worker_processes = 5');
$node->restart;
$holder = Spice::Session->new($node);
goes_on('free', 1, 'with few processes');
$holder->query("BEGIN; SELECT $count");
goes_on('free', 5, 'a worker that waits gives way to one that need not');
$holder->query('COMMIT');
goes_on($_, 1, "$_ is refreshed again") for @held;

# --- a session that has read the table, and refreshes it while a worker waits for that

my $session = Spice::Session->new($node);
$session->query('BEGIN; SELECT count(*) FROM held1');
Spice::wait_for($node, q{SELECT status FROM spice.datasets WHERE dataset = 'held1'}, 'a worker waits for a reader', 'refreshing');
$session->query(q{SELECT spice_refresh('held1')});
like($session->errors, qr/dataset "held1" is being refreshed by another process/, 'the reader cannot wait for the worker');
unlike($session->errors, qr/deadlock detected/, 'which is no deadlock');
$session->query('ROLLBACK');
goes_on('held1', 1, 'the worker goes on');

$holder->quit;
$session->quit;
$node->stop;
done_testing();
