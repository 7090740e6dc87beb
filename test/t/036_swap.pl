# Readers while a refresh swaps: what stands in the swap's way keeps the refresh waiting, and
# no reader.  What people have set for a table, its indexes and its TOAST table stays.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $version = 0;

# rows whose text is out of line
sub publish
{
	$version++;
	$source->set('/rows', body => [ map { { id => $_, version => $version, text => join(' ', map { $_ * $version } 1 .. 1_500) } } 1 .. 40 ]);
	return;
}

sub manifest
{
	my ($description, @columns) = @_;
	my $dataset = Spice::dataset('rows', $source->url('/rows'), engine => 'duckdb', mode => 'file',
		primary_key => 'id', indexes => { version => 'enabled' });

	$dataset->{description} = $description;
	$dataset->{columns} = [ { name => 'id', type => 'bigint' }, { name => 'version', type => 'bigint' }, { name => 'text', type => 'text' }, @columns ];
	return Spice::manifest([$dataset]);
}

publish();
my $node = Spice::new_node('swap', manifest('rows'), q{spice.swap_timeout = '100s'}, 'autovacuum = off', 'max_prepared_transactions = 2');
Spice::wait_for($node, 'SELECT spice_ready()', 'the table is loaded');
my $reader = Spice::Session->new($node);
my $toast = q{(SELECT reltoastrelid FROM pg_class WHERE oid = 'rows'::regclass)};

sub refresh
{
	publish();
	return $node->safe_psql('postgres', q{SELECT spice_refresh('rows')});
}

sub newest
{
	return $reader->query('SELECT max(version) FROM rows');
}

# --- locks and changes that are not the table's

my $runs = q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%spice_refresh%' AND pid <> pg_backend_pid() AND state = 'active'};
my $waits = "$runs AND wait_event = 'Extension'";

# While $hold is held, a refresh waits and a reader does not.
sub holds
{
	my ($name, $hold) = @_;
	my $holder = Spice::Session->new($node);
	my $refresher = Spice::Session->new($node);

	publish();
	$holder->query("BEGIN; $hold");
	$refresher->send(q{SELECT spice_refresh('rows')});
	Spice::wait_for($node, $waits, "$name: the refresh waits");
	is(newest(), $version - 1, "$name: a reader does not") for 1 .. 20;
	is($node->safe_psql('postgres', $runs), 't', "$name: the refresh still waits");
	$holder->query('COMMIT');
	is($refresher->answer, '40', "$name: the refresh goes on");
	is(newest(), $version, "$name: its rows are there");
	$_->quit for $holder, $refresher;
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE someone');
holds('a lock on the TOAST table', "DO \$\$ BEGIN EXECUTE format('SELECT FROM %s', $toast\::regclass); END \$\$");
holds('a lock on an index', 'ALTER INDEX rows_pkey SET (fillfactor = 70)');
holds('a comment on an index', q{COMMENT ON INDEX rows_pkey IS 'the key'});
holds('rights that are being granted', 'GRANT SELECT ON rows TO someone');

# --- autovacuum

# Of the table: slow enough to be there for as long as the test takes.
$node->safe_psql('postgres', q{ALTER TABLE rows SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
		autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, toast.autovacuum_enabled = off);
	UPDATE rows SET version = version; ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET autovacuum_naptime = '1s'; SELECT pg_reload_conf()});
Spice::wait_for($node, q{SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 'rows'::regclass}, 'autovacuum is at the table');
my $log = -s $node->logfile;
is(refresh(), '40', 'a refresh sends it away');
like(slurp_file($node->logfile, $log), qr/canceling autovacuum task/, 'as the server does');
$node->safe_psql('postgres', 'ALTER TABLE rows RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay,
	autovacuum_vacuum_cost_limit); ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf()');

# What a load puts into the TOAST table is frozen, so there is nothing to vacuum.
refresh();
is($node->safe_psql('postgres', "SELECT pg_relation_size($toast) > 100000"), 't', 'the TOAST table has rows');
is($node->safe_psql('postgres', "SELECT pg_stat_get_ins_since_vacuum($toast)"), '0', 'none of them calls for autovacuum');

# --- a refresh that is rolled back leaves the statistics of the table as they were

my $live = q{SELECT pg_stat_get_live_tuples('rows'::regclass)};
is($node->safe_psql('postgres', $live), '40', 'the table is known to have its rows');
$source->set('/rows', body => [ { id => 1, version => $version, text => 'one' } ]);
$node->safe_psql('postgres', q{BEGIN; SELECT spice_refresh('rows'); ROLLBACK});
is($node->safe_psql('postgres', $live), '40', 'also after a refresh that was rolled back');
$node->safe_psql('postgres', q{BEGIN; SAVEPOINT s; SELECT spice_refresh('rows'); ROLLBACK TO s; COMMIT});
is($node->safe_psql('postgres', $live), '40', 'or one to a savepoint');
$node->safe_psql('postgres', q{SELECT spice_refresh('rows')});
is($node->safe_psql('postgres', $live), '1', 'a refresh that commits tells');

# --- what people have set

my $settings = q{SELECT c.reloptions, (SELECT reloptions FROM pg_class WHERE oid = c.reltoastrelid),
	(SELECT string_agg(relname || ' ' || reltablespace::text, ', ' ORDER BY relname) FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE indrelid = c.oid)
	FROM pg_class c WHERE c.oid = 'rows'::regclass};
$node->safe_psql('postgres', q{SET allow_in_place_tablespaces = on; CREATE TABLESPACE other LOCATION ''});
$node->safe_psql('postgres', q{ALTER TABLE rows SET (fillfactor = 90, toast.autovacuum_vacuum_threshold = 1234);
	ALTER INDEX rows_version_idx SET TABLESPACE other});
my $before = $node->safe_psql('postgres', $settings);
for my $default ('', 'other')
{
	publish();
	$node->safe_psql('postgres', qq{SET default_tablespace = '$default'; SELECT spice_refresh('rows')});
	is($node->safe_psql('postgres', $settings), $before, 'options and tablespaces of the table, its TOAST table and its indexes stay');
}

# a move to another tablespace is not undone by a refresh that has begun before
for my $move ('ALTER TABLE rows SET TABLESPACE other', 'ALTER INDEX rows_pkey SET TABLESPACE other')
{
	my $session = Spice::Session->new($node);
	my $refresher = Spice::Session->new($node);

	publish();
	$session->query(q{SELECT pg_advisory_lock(7)});
	$refresher->send(q{SELECT spice_refresh('rows', refresh_sql => 'SELECT r.* FROM rows r, LATERAL (SELECT pg_advisory_xact_lock_shared(7)) l')});
	Spice::wait_for($node, q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted}, "$move: the refresh loads");
	$node->safe_psql('postgres', $move);
	$session->query(q{SELECT pg_advisory_unlock(7)});
	# its indexes are made after that, where the table's are
	is($refresher->answer, $move =~ /INDEX/ ? '40' : '', "$move: the refresh ends");
	like($refresher->errors, $move =~ /INDEX/ ? qr/^$/ : qr/was altered during the refresh/, "$move: it notices");
	is(refresh(), '40', "$move: the next one goes on");
	$_->quit for $session, $refresher;
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE oid IN ('rows'::regclass, 'rows_pkey'::regclass) AND reltablespace = 0}), '0', 'what was moved stays there');

# an index that is not valid has been left by a violation
$node->psql('postgres', 'CREATE UNIQUE INDEX CONCURRENTLY broken ON rows (version)');
is($node->safe_psql('postgres', q{SELECT indisvalid FROM pg_index WHERE indexrelid = 'broken'::regclass}), 'f', 'an index is not valid');
is(refresh(), '40', 'a refresh goes on beside it');
$node->safe_psql('postgres', 'DROP INDEX broken');

# --- a synchronous standby that is away

$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()});
publish();
$node->safe_psql('postgres', q{SET synchronous_commit = local; SELECT spice_refresh('rows', wait => false)});
Spice::wait_for($node, "SELECT max(version) = $version FROM rows", 'a worker refreshes while a synchronous standby is away');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()});

# --- a comment that another session is writing

my $commenter = Spice::Session->new($node);
publish();
Spice::write_manifest($node, manifest('rows of text'));
$commenter->query(q{BEGIN; COMMENT ON FOREIGN TABLE spice_source.rows IS 'a comment'});
$node->safe_psql('postgres', 'SELECT spice_reload()');
Spice::wait_for($node, q{SELECT count(*) > 0 FROM pg_locks WHERE relation = 'spice_source.rows'::regclass AND NOT granted}, 'a refresh waits to write a comment');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks WHERE relation = 'rows'::regclass AND mode = 'AccessExclusiveLock'}), '0', 'without the lock that readers wait for');
$commenter->query('COMMIT');
Spice::wait_for($node, "SELECT max(version) = $version FROM rows", 'the refresh goes on');
is($node->safe_psql('postgres', q{SELECT obj_description('rows'::regclass) || ', ' || obj_description('spice_source.rows'::regclass)}), 'rows of text, rows of text', 'its comments are there');
$commenter->quit;

# --- a new definition changes the table's columns without a look at its rows

$node->safe_psql('postgres', q{CREATE DOMAIN positive AS int CHECK (value > 0); CREATE DOMAIN present AS text NOT NULL});
$source->set('/rows', body => [ map { { id => $_, version => 99, text => 'x', size => 1, word => 'w' } } 1 .. 40 ]);
Spice::write_manifest($node, manifest('rows', { name => 'size', type => 'public.positive', nullable => JSON::PP::false }, { name => 'word', type => 'public.present' }));
$node->safe_psql('postgres', q{SELECT spice_reload(); SELECT spice_refresh('rows')});
is($node->safe_psql('postgres', q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull, ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = 'rows'::regclass AND attnum > 0 AND NOT attisdropped}),
	'id bigint true, version bigint false, text text false, size positive true, word present false', 'columns of domains come');
is($node->safe_psql('postgres', 'SELECT count(*), min(size), min(word) FROM rows WHERE version = 99'), '40|1|w', 'with their values');
ok($node->psql('postgres', 'INSERT INTO rows (id, version) VALUES (1000, 1)') != 0, 'and hold for everybody');

$reader->quit;
$node->stop;
done_testing();
