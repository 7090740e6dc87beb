# A refresh that is rolled back, and a crash of the server before anything else is written:
# the server starts again, and no file stays behind.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my @all = qw(memory file);
my $source = Spice::Source->new;
$source->set("/$_", body => [ { id => 1, text => 'one' } ]) for @all;

# nothing but a commit, and what is tested, flushes the log
my $node = Spice::new_node(
	'abort',
	Spice::manifest([ map { Spice::dataset($_, $source->url("/$_"), engine => 'duckdb', mode => $_, primary_key => 'id') } @all ]),
	q{wal_writer_delay = '10s'}, 'fsync = off');
sub value { return $node->safe_psql('postgres', $_[0]); }

sub files
{
	return value(q{SELECT string_agg(f, ', ' ORDER BY f) FROM pg_database d, pg_ls_dir('base/' || d.oid) f
		WHERE d.datname = current_database() AND f ~ '^[0-9]' AND NOT EXISTS
		(SELECT 1 FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = regexp_replace(f, '[_.].*', ''))});
}

# makes storage, takes it back, and crashes
sub crash_after
{
	my ($name, $refresh, $rollback) = @_;
	my $session;

	Spice::wait_for($node, 'SELECT spice_ready()', "$name: every dataset is loaded");
	$source->set("/$_", body => [ { id => 2, text => $name } ]) for @all;
	$session = Spice::Session->new($node);
	$session->query($refresh);
	# what the log has of the new files is on disk now
	value('CREATE TABLE flushed (); DROP TABLE flushed');
	$session->query($rollback);
	$source->set("/$_", body => [ { id => 1, text => 'one' } ]) for @all;
	$node->stop('immediate');
	ok($node->start(fail_ok => 1), "$name: the server starts") or BAIL_OUT('no server');
	Spice::wait_for($node, q{SELECT count(*) = 2 FROM (SELECT id FROM memory UNION ALL SELECT id FROM file) t WHERE id = 1},
		"$name: the tables have the rows from before the abort");
	value('CHECKPOINT');
	is(files(), '', "$name: no file is left");
	return;
}

my $refresh = join '; ', map { "SELECT spice_refresh('$_')" } @all;
crash_after('transaction', "BEGIN; $refresh", 'ROLLBACK');
crash_after('subtransaction', "BEGIN; SAVEPOINT before; $refresh", 'ROLLBACK TO before');

# a refresh that waits for readers tries again and again, and flushes the log for no try
value('CREATE EXTENSION pg_walinspect');
my $reader = Spice::Session->new($node);
$reader->query('BEGIN; SELECT count(*) FROM file');
my $from = value('SELECT pg_current_wal_insert_lsn()');
my (undef, undef, $error) = $node->psql('postgres', q{SET spice.swap_timeout = '1s'; SELECT spice_refresh('file', 'SELECT * FROM file')});
like($error, qr/was in use for all of spice\.swap_timeout/, 'a table that is read all the time');
cmp_ok(value(qq{SELECT count(*) FROM pg_get_wal_records_info('$from', pg_current_wal_flush_lsn()) WHERE record_type = 'NOOP'}), '<=', 2,
	'no try to lock it flushes the log');
$reader->query('COMMIT');

$node->stop;
done_testing();
