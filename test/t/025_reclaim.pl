# The space of storage that a swap has replaced is given back by the launcher: whatever
# happens in between, nothing is lost and nothing stays.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $rows = 9_000;		# of 1,500 bytes: more than is given back at once
my $source = Spice::Source->new;
my $body = PostgreSQL::Test::Utils::tempdir() . '/rows';

Spice::write_file($body, '[' . join(',', map { qq({"id":$_,"text":"@{[$_ % 10 x 1500]}"}) } 1 .. $rows) . ']');
$source->set('/rows', body_file => $body);

my $node = Spice::init_node('reclaim', [ allows_streaming => 1 ], "shared_preload_libraries = 'spice'", 'allow_in_place_tablespaces = on');
my $large = Spice::dataset('large', $source->url('/rows'), engine => 'duckdb', mode => 'file');

Spice::write_manifest($node, Spice::manifest([$large]));
$node->start;
sub value { return $node->safe_psql('postgres', $_[0]); }
value(q{CREATE EXTENSION spice; CREATE TABLESPACE other LOCATION ''});
Spice::wait_for($node, 'SELECT spice_ready()', 'the dataset is loaded');

my $right = "$rows|" . value('SELECT sum(hashtext(text)) FROM large');
my $given_back = q{SELECT count(*) = 0 FROM pg_tablespace t, pg_ls_tmpdir(t.oid) WHERE spcname <> 'pg_global'};

sub is_right
{
	my ($name) = @_;

	is(value('SELECT count(*), sum(hashtext(text)) FROM large'), $right, "$name: every row is there");
	return;
}

# files that wait for the launcher, in a tablespace: how many, and are they large?
sub waiting
{
	my ($tablespace) = @_;

	return value(qq{SELECT count(*), coalesce(min(size) > 8 * 1024 * 1024, false) FROM pg_tablespace t, pg_ls_tmpdir(t.oid)
		WHERE spcname = '$tablespace' AND name LIKE 'pgsql_tmp.spice.%'});
}

# the launcher stops in its tracks
sub halt
{
	my $launcher = Spice::pid_of($node, 'spice launcher');

	kill 'STOP', $launcher;
	return $launcher;
}

sub refresh { return value(q{SELECT spice_refresh('large', 'SELECT * FROM large')}); }

# --- as ever

Spice::wait_for($node, $given_back, 'nothing waits');
my $launcher = halt();
my $old = value(q{SELECT pg_relation_filepath('large')});
refresh();
is(waiting('pg_default'), '1|t', 'the old storage waits, whole');
is(-s $node->data_dir . "/$old", 0, 'an empty file has its name');
is_right('before it is given back');
value('CHECKPOINT');
ok(!-e $node->data_dir . "/$old", 'which a checkpoint takes away, as always');
kill 'CONT', $launcher;
Spice::wait_for($node, $given_back, 'the launcher gives it back');
is_right('afterwards');

# --- transactions that do not commit

$launcher = halt();
my $path = value(q{SELECT pg_relation_filepath('large')});
value(q{BEGIN; SELECT spice_refresh('large', 'SELECT * FROM large'); ROLLBACK});
is(waiting('pg_default'), '0|f', 'nothing waits after a rollback');
value(q{BEGIN; SAVEPOINT a; SELECT spice_refresh('large', 'SELECT * FROM large'); ROLLBACK TO a; CREATE TABLE mine (); COMMIT});
is(waiting('pg_default'), '0|f', 'nor after that of a part');
is(value(q{SELECT pg_relation_filepath('large')}), $path, 'the table has the storage that it had');
is_right('after rollbacks');
# one that is refused at the last moment
value('CREATE TABLE here (i int); CREATE TABLE there (i int)');
my ($first, $second) = map { Spice::Session->new($node) } 1 .. 2;
$first->query('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM here; INSERT INTO there VALUES (1)');
$second->query('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM there; INSERT INTO here VALUES (1)');
$first->query(q{SELECT spice_refresh('large', 'SELECT * FROM large')});
$second->query('COMMIT');
$first->query('COMMIT');
like($first->errors, qr/could not serialize access/, 'a transaction fails in its commit');
is(waiting('pg_default'), '0|f', 'nothing waits then');
is(value(q{SELECT pg_relation_filepath('large')}), $path, 'and the table has the storage that it had');
is_right('after that');
$_->quit for $first, $second;

# --- a launcher that ends

refresh();
is(waiting('pg_default'), '1|t', 'the old storage waits for a launcher');
my $next = value(q{SELECT pg_relation_filepath('large')});
refresh();
is(waiting('pg_default'), '1|t', 'meanwhile no other does');
is(-s $node->data_dir . "/$next", 0, 'as it is removed at once');
kill 'TERM', $launcher;
kill 'CONT', $launcher;
Spice::wait_for($node, qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $launcher},
	'another launcher comes');
Spice::wait_for($node, $given_back, 'and gives it back');

# --- a crash in between

$launcher = halt();
refresh();
is(waiting('pg_default'), '1|t', 'the old storage waits at a crash');
kill 'CONT', $launcher;
$node->stop('immediate');
$node->start;
Spice::wait_for($node, $given_back, 'it is gone after the crash');
is_right('after a crash');

# --- another tablespace

value('ALTER TABLE large SET TABLESPACE other');
$launcher = halt();
refresh();
is(waiting('other') . ' ' . waiting('pg_default'), '1|t 0|f', 'the old storage waits in its own tablespace');
kill 'CONT', $launcher;
Spice::wait_for($node, $given_back, 'it is given back there, too');
is_right('in a tablespace');

# --- a standby removes what the log says, by itself

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('reclaim_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
refresh();
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', 'SELECT count(*), sum(hashtext(text)) FROM large'), $right, 'a standby has every row');
$standby->stop;

# --- nothing of all this is left

Spice::wait_for($node, $given_back, 'nothing waits at the end');
value('CHECKPOINT');
is(join(' ', Spice::unclaimed_files($node)), '', 'no file is left that no relation has');
$node->stop;

done_testing();
