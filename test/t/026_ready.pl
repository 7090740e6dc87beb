# Readiness: what is waited for, and what answers before the first load.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $node;

sub value { return $node->safe_psql('postgres', $_[0]); }

# how often a path was asked for
sub requests { return scalar(my @seen = $source->log($_[0])); }

my @columns = ({ name => 'id', type => 'bigint', nullable => JSON::PP::false }, { name => 'name', type => 'text' });

# answers before it is loaded, if it can; one failure is all that the schedule tries
sub registered
{
	my ($name, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url("/$name"), refresh_retry_enabled => JSON::PP::false,
		primary_key => 'id', %keys);

	$dataset->{ready_state} = 'on_registration';
	return $dataset;
}

my $early = registered('early');
$early->{columns} = \@columns;
my $undeclared = registered('undeclared');
my $late = Spice::dataset('late', $source->url('/late'), refresh_check_interval => '1s');

$source->set("/$_", status => 404) for qw(early undeclared late);
$node = Spice::new_node('ready', Spice::manifest([ $early, $undeclared, $late ]));
Spice::wait_for($node, q{SELECT count(*) = 3 FROM spice.datasets WHERE status = 'error'}, 'each first refresh fails');

# --- the source answers for a table that is not loaded

my @rows = map { { id => $_, name => "row $_" } } 1 .. 5;
$source->set('/early', body => \@rows);
is(value('SELECT count(*) FROM early'), '5', 'before the first load the source answers a query');
is(value('SELECT name FROM early WHERE id = 3'), 'row 3', 'a condition is evaluated before the first load');
like(value('EXPLAIN SELECT * FROM early'), qr/Foreign Scan on spice_source\.early|Foreign Scan on early/,
	'the plan shows the foreign scan');
value('CREATE ROLE reader LOGIN; GRANT SELECT ON early TO reader');
is(value('SET ROLE reader; SELECT count(*) FROM early'), '5', 'a role that may read the table may read it before the first load');
my $session = Spice::Session->new($node);
$session->query('PREPARE q AS SELECT sum(id) FROM early');
is($session->query('EXECUTE q'), '15', 'a prepared statement reads the source');

my ($status, $out, $error) = $node->psql('postgres', 'SELECT * FROM undeclared');
like($error, qr/relation "undeclared" does not exist/, 'without declared columns the table does not exist yet');
like(value(q{SELECT warnings FROM spice.datasets WHERE dataset = 'undeclared'}),
	qr/line \d+: ready_state on_registration has no effect without columns/, 'a warning says that columns have to be declared');

# --- readiness

is(value('SELECT spice_ready()'), 'f', 'spice_wait_ready() waits for two of three datasets');
is(value(q{SELECT spice_wait_ready('200 ms')}), 'f', 'spice_wait_ready() ends with its timeout');
$session->send('SELECT spice_wait_ready()');
Spice::wait_for($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%wait_ready()%' AND state = 'active'
	AND wait_event = 'Extension' AND pid <> pg_backend_pid()}, 'a session waits');
$source->set("/$_", body => \@rows) for qw(undeclared late);
value(q{SELECT spice_refresh('undeclared')});
is($session->answer, 't', 'spice_wait_ready() ends when the last dataset is loaded');
is(value('SELECT spice_ready()'), 't', 'on_registration is ready without rows of its own');
is(value(q{SELECT rows IS NULL FROM spice.datasets WHERE dataset = 'early'}), 't', 'the on_registration table has no rows of its own');
(undef, undef, $error) =
  $node->psql('postgres', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT spice_wait_ready()');
like($error, qr/cannot see what happens in a transaction of this isolation level/, 'spice_wait_ready() is refused in a REPEATABLE READ transaction');

# --- the first load takes over

value(q{SELECT spice_refresh('early')});
my $before = requests('/early');
is(value('SELECT count(*) FROM early'), '5', 'the loaded table has each row once');
is($session->query('EXECUTE q'), '15', 'the prepared statement reads the table');
is(requests('/early'), $before, 'the source gets no request for a query any more');
is(value(q{SELECT count(*) FROM pg_inherits}), '0', 'the table has no child any more');
is(value(q{SELECT count(*) FROM pg_depend WHERE refobjid = 'early'::regclass AND objid = 'spice_source.early'::regclass}),
	'0', 'no trace of the inheritance is left');
is(value(q{SELECT attnotnull FROM pg_attribute WHERE attrelid = 'early'::regclass AND attname = 'id'}), 't',
	'NOT NULL comes with the first load');
is(value(q{SELECT count(*) FROM pg_index WHERE indrelid = 'early'::regclass AND indisprimary}), '1', 'the primary key comes with the first load');
is(value(q{SELECT sum(attinhcount) FROM pg_attribute WHERE attrelid = 'spice_source.early'::regclass}), '0',
	'the foreign table\'s columns are its own');
value(q{DROP TABLE early});
is(value(q{SELECT count(*) FROM spice_source.early}), '5', 'DROP TABLE keeps the foreign table');
value(q{SELECT spice_refresh('early')});
is(value('SELECT count(*) FROM early'), '5', 'the next refresh makes the table again');

# --- a definition that changes before anything was loaded

$source->set('/second', status => 404);
my $second = registered('second');
$second->{columns} = [ { name => 'id', type => 'bigint' } ];
Spice::write_manifest($node, Spice::manifest([ $early, $second ]));
Spice::wait_for($node, q{SELECT count(*) = 1 FROM spice.datasets WHERE dataset = 'second' AND status = 'error'}, 'the second dataset fails');
$second->{columns} = \@columns;
Spice::write_manifest($node, Spice::manifest([ $early, $second ]));
$source->set('/second', body => \@rows, status => 404);
Spice::wait_for($node, q{SELECT count(*) = 2 FROM information_schema.columns WHERE table_schema = 'public'
	AND table_name = 'second'}, 'a changed definition is registered again');
$source->set('/second', body => \@rows);
is(value('SELECT max(name) FROM second'), 'row 5', 'the registered table has the new columns');
Spice::write_manifest($node, Spice::manifest([$early]));
Spice::wait_for($node, q{SELECT status = 'removed' FROM spice.datasets WHERE dataset = 'second'}, 'the dataset leaves the manifest');
value(q{SELECT spice_drop('second')});
is(value(q{SELECT to_regclass('second') IS NULL AND to_regclass('spice_source.second') IS NULL}), 't', 'spice_drop() drops the dataset');
$session->quit;

# --- privileges of the owner's tables

$node->stop;
$node = Spice::start_node('defaults', undef, q{spice.role = 'keeper'});
value(q{CREATE ROLE keeper; CREATE ROLE app;
	ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO app;
	ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT USAGE ON SCHEMAS TO app;
	CREATE EXTENSION spice});
$source->set('/granted', body => \@rows);
my $live = { name => 'live', from => $source->url('/granted') };
Spice::write_manifest($node,
	Spice::manifest([ Spice::dataset('granted', $source->url('/granted')), Spice::dataset('shop.granted', $source->url('/granted')), $live ]));
Spice::wait_for($node, 'SELECT spice_ready()', 'ready');
Spice::wait_for($node, q{SELECT status = 'ready' FROM spice.datasets WHERE dataset = 'live'}, 'the dataset without acceleration is registered');
is(value("SET ROLE app; SELECT count(*) FROM $_"), '5', "default privileges of the owner hold for $_")
  for qw(granted shop.granted live);
(undef, undef, $error) = $node->psql('postgres', 'SET ROLE app; DELETE FROM granted');
like($error, qr/permission denied for table granted/, 'no other rows are visible');
(undef, undef, $error) = $node->psql('postgres', 'SET ROLE app; SELECT * FROM spice_source.granted');
like($error, qr/permission denied for schema spice_source/, 'the source is not the reader\'s');
value('DROP OWNED BY app; DROP ROLE app');
is(value(q{SELECT count(*) FROM granted}), '5', 'the reader\'s role can be dropped');
$node->stop;
done_testing;
