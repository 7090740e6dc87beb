# A crash in the middle of a load leaves no file that no relation has: the launcher
# removes them when it starts again, and nothing else.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

# what loads wait for, when somebody else has the lock
use constant ROWS => 1;
use constant INDEXES => 2;

my $source = Spice::Source->new;
my $version = 0;
my %keys = (engine => 'duckdb', mode => 'file', primary_key => 'id');
my $node = Spice::init_node('orphans', [ allows_streaming => 1 ], q{shared_preload_libraries = 'spice'}, 'restart_after_crash = on',
	'max_prepared_transactions = 2', 'autovacuum = off', 'allow_in_place_tablespaces = on');

sub value { return $node->safe_psql('postgres', $_[0]); }

# later: a dataset that is not there from the beginning
sub write_manifest
{
	my ($later) = @_;
	my @names = ('items', 'unlogged', $later // ());
	my $pass = "(id = 1 OR public.pass(@{[ROWS]}))";

	Spice::write_manifest($node, Spice::manifest([ map { Spice::dataset($_, $source->url('/items'), %keys,
		mode => $_ eq 'unlogged' ? 'memory' : 'file',
		refresh_sql => "SELECT * FROM $_ WHERE $pass") } @names ]));
	return;
}

# the first row needs a TOAST table, and is written before the others are waited for
sub advance
{
	$version++;
	$source->set('/items', body => [ map { { id => $_, version => $version, text => 'x' x ($_ == 1 ? 3000 : 50) } } 1 .. 100 ]);
	return;
}

# how many files no relation has that is committed, and which
sub files
{
	my @files = Spice::unclaimed_files($_[0] // $node);

	return scalar(@files) . "|@files";
}

# the folder of the ledgers
sub ledgers { return value(q{SELECT string_agg(f, ' ' ORDER BY f) FROM pg_ls_dir('pg_stat') f WHERE f LIKE 'spice%'}); }

sub is_clean
{
	my ($name) = @_;

	# a refresh that was interrupted is due again
	Spice::wait_for($node, q{SELECT spice_ready() AND NOT EXISTS (SELECT 1 FROM spice_catalog.refresh_history WHERE finished IS NULL)
		AND NOT EXISTS (SELECT 1 FROM spice_catalog.dataset_clock WHERE next_refresh IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM spice_catalog.refresh_request)}, "$name: no refresh is running");
	is(ledgers(), '', "$name: no ledger is left");
	# the first file of what is dropped goes by the next checkpoint
	value('CHECKPOINT');
	is(files(), '0|', "$name: no file is left");
	return;
}

$node->start;
value(<<'END');
CREATE TABLESPACE other LOCATION '';
-- waits while somebody has the lock to himself
CREATE FUNCTION public.pass(which int) RETURNS boolean LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS 'SELECT pg_advisory_lock_shared(which) IS NOT NULL AND pg_advisory_unlock_shared(which)';
CREATE FUNCTION public.indexed(id bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE
AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(2); RETURN id; END';
CREATE EXTENSION spice;
END
advance();
write_manifest();
Spice::wait_for($node, 'SELECT spice_ready()', 'every dataset is loaded');
value("CREATE INDEX ON $_ (public.indexed(id)); CREATE INDEX ON $_ (text) TABLESPACE other") for qw(items unlogged);
is_clean('before any crash');

# --- crashes in the middle of a load

# a refresh that waits in its load, or in the build of an index; the session that keeps it
sub hold
{
	my ($lock, @datasets) = @_;
	my $keeper = Spice::Session->new($node);

	$keeper->query("SELECT pg_advisory_lock($lock)");
	value("SELECT spice_refresh('$_', wait => false)") for @datasets;
	return $keeper;
}

sub waiting
{
	my ($lock, $n, $name) = @_;

	return Spice::wait_for($node, qq{SELECT count(*) = $n FROM pg_locks WHERE locktype = 'advisory' AND classid = 0
		AND objid = $lock AND objsubid = 1 AND NOT granted}, $name);
}

my %crash = (
	'immediate shutdown' => sub { $node->stop('immediate'); $node->start },
	'postmaster killed' => sub { Spice::kill_postmaster($node); $node->start },
	'worker killed' => sub {
		my $started = $node->safe_psql('postgres', q{SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'});

		kill 'KILL', (Spice::children($node, qr/spice refresh /))[0];
		$node->poll_query_until('postgres', qq{SELECT backend_start > '$started' FROM pg_stat_activity WHERE backend_type = 'checkpointer'})
		  or die 'the server does not come back';
	});

# a heap, its TOAST table with an index and a first index are there in any case
sub crash_in
{
	my ($where, $lock, $least, $way, @datasets) = @_;
	my $name = "$way $where";

	advance();
	my $keeper = hold($lock, @datasets);
	waiting($lock, scalar @datasets, "$name: loads are running");
	cmp_ok((split /\|/, files())[0], '>=', $least * @datasets, "$name: the loads have made files");
	is(scalar(() = ledgers() =~ /spice/g), scalar @datasets, "$name: each has a ledger");
	$crash{$way}->();
	is_clean($name);
	is(value("SELECT count(DISTINCT id), min(version), max(version) FROM $_"), "100|$version|$version", "$name: $_ is right")
	  for 'items', 'unlogged', @datasets;
	undef $keeper;
	return;
}

foreach my $way (sort keys %crash)
{
	crash_in('while rows are loaded', ROWS, 3, $way, qw(items unlogged));
	crash_in('while indexes are built', INDEXES, 4, $way, qw(items unlogged));
}

# The table itself is made by the first load; in a schema that search_path does not reach.
my $first = hold(ROWS);
write_manifest('"$user".later');
waiting(ROWS, 1, 'a first load is running');
cmp_ok((split /\|/, files())[0], '>=', 7, 'the first load has made a table');
undef $first;
# when the postmaster is killed, its children may still roll back
$crash{'immediate shutdown'}->();
is_clean('crash in a first load');
is(value('SELECT count(*) FROM "$user".later'), 100, 'the table is loaded after the crash');

# --- a standby does what the log says

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('orphans_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
advance();
my $keeper = hold(ROWS, 'items');
waiting(ROWS, 1, 'a load is running');
$node->wait_for_catchup($standby);
cmp_ok((split /\|/, files($standby))[0], '>=', 3, 'a standby has the load\'s files');
undef $keeper;
$crash{'immediate shutdown'}->();
is_clean('a server with a standby');
$node->wait_for_catchup($standby);
is(files($standby), '0|', 'a standby removes the files when its primary does');
$standby->stop;

# --- what must not be touched

my $number = 0;

# numbers as a ledger has them
sub numbers { return pack('L*', map { split /\n/ } @_); }

# a ledger of a server that is gone
sub write_ledger
{
	my ($content, $database) = @_;
	my $name = sprintf 'spice_%016x_%u_%d.storage', 0xdead0000 + ++$number, $database // value(q{SELECT oid FROM pg_database WHERE datname = 'postgres'}), 4711;

	Spice::write_file($node->data_dir . "/pg_stat/$name", $content);
	return $name;
}

# files that nobody has, as a crash leaves them; their number
sub make_orphan
{
	my $path = value("CREATE TABLE gone (); SELECT pg_relation_filepath('gone')");
	value('DROP TABLE gone; CHECKPOINT');
	Spice::write_file($node->data_dir . "/$path$_", 'x' x 8192) for '', '.1', '_vm', '_fsm', '_init';
	return $path =~ s/.*\///r;
}

sub start_launcher_again
{
	my $pid = Spice::pid_of($node, 'spice launcher');

	kill 'TERM', $pid;
	return Spice::wait_for($node, qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'spice launcher' AND pid <> $pid},
		'the launcher starts again');
}

value('VACUUM FULL pg_class');
value('CHECKPOINT');
value("BEGIN; CREATE TABLE prepared AS SELECT 'prepared' AS text; PREPARE TRANSACTION 'prepared'");
my $prepared = $node->safe_psql('postgres', q{SELECT file FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) file
	WHERE file ~ '^[0-9]+$' AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = file)});
like($prepared, qr/^\d+(\n\d+)*$/, 'a prepared transaction has files');
my $session = Spice::Session->new($node);
my $uncommitted = $session->query(q{BEGIN; CREATE TABLE uncommitted AS SELECT 'uncommitted' AS text; SELECT pg_relation_filenode('uncommitted')});
my $claimed = value(q{SELECT string_agg(pg_relation_filenode(c.oid)::text, E'\n') FROM pg_class c WHERE pg_relation_filenode(c.oid) >= 16384});
like($claimed, qr/^\d+(\n\d+){20,}$/, 'many relations have files');
like($uncommitted, qr/^\d+$/, 'a relation that is being made has files');
my $orphan = make_orphan();
my ($torn, $after, $elsewhere) = map { make_orphan() } 1 .. 3;
my @gone = (
	write_ledger(numbers($orphan, $claimed, $prepared, $uncommitted)),
	# a write that was cut short, a place that was not written, a relation of the system
	write_ledger(substr(numbers($torn), 0, 3)), write_ledger("\0" x 100 . numbers($after)), write_ledger(numbers(1259)),
	write_ledger(''), write_ledger(numbers($claimed), 4294967000));
my @stay = write_ledger(numbers($elsewhere), value(q{SELECT oid FROM pg_database WHERE datname = 'template1'}));
Spice::write_file($node->data_dir . '/pg_stat/spice_else.storage', numbers($claimed));
push @stay, 'spice_else.storage';

# one of a load that is under way
my $refreshing = Spice::Session->new($node);
my $keeping = Spice::Session->new($node);
$keeping->query("SELECT pg_advisory_lock(@{[ROWS]})");
advance();
$refreshing->send(q{SELECT spice_refresh('items')});
waiting(ROWS, 1, 'a load is running in a session');
my ($live) = grep { my $name = $_; !grep { $_ eq $name } @gone, @stay } split / /, ledgers();
like($live, qr/^spice_[0-9a-f]{16}_/, 'the session\'s load has a ledger');

my $log = -s $node->logfile;
start_launcher_again();
Spice::wait_for($node, "SELECT count(*) = 0 FROM pg_ls_dir('pg_stat') f WHERE f = '$gone[0]'", 'the launcher removes the files of a crash');
is(ledgers(), join(' ', sort @stay, $live), 'other databases\' ledgers, running loads\' ledgers and other files stay');
my $said = slurp_file($node->logfile, $log);
like($said, qr/LOG:  removing the storage of 2 relations/, 'the log has the removed files');
value('CHECKPOINT');
my %left = map { s/.*\///r => 1 } split / /, (split /\|/, files())[1];
ok(!(grep { /^($orphan|$after)\b/ } keys %left), 'every file of an orphan is removed');
ok($left{$_} && $left{"${_}_init"} && $left{"$_.1"}, 'the files of a number that no ledger of the database has whole stay') for $torn, $elsewhere;
$keeping->query("SELECT pg_advisory_unlock(@{[ROWS]})");
is($refreshing->answer, 100, 'the running load succeeds');
$session->query('COMMIT');
value("COMMIT PREPARED 'prepared'");
$node->restart;
is(value('SELECT text FROM prepared'), 'prepared', 'the prepared table has its row');
is(value('SELECT text FROM uncommitted'), 'uncommitted', 'the table that was being made has its row');
is(value('SELECT count(DISTINCT text), min(version), max(version) FROM items'), "2|$version|$version", 'the datasets have their rows');
is(value(q{SET enable_seqscan = off; SELECT count(*) FROM unlogged WHERE id > 0}), '100', 'the datasets\' indexes are sound');

# --- without the extension

value('DROP EXTENSION spice CASCADE');
unlink map { $node->data_dir . "/pg_stat/$_" } @stay;
write_ledger(numbers($torn, $elsewhere));
start_launcher_again();
Spice::wait_for($node, q{SELECT count(*) = 0 FROM pg_ls_dir('pg_stat') f WHERE f LIKE 'spice%'}, 'DROP EXTENSION leaves no ledger');
value('CHECKPOINT');
is(files(), '0|', 'DROP EXTENSION leaves no file');

$node->stop;
done_testing();
