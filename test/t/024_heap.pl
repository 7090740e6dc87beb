# What a load leaves on disk: pages and visibility map like the server's own,
# after a crash, on a standby, and without a log.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $count = 12_000;
my $source = Spice::Source->new;

# texts that are small, compressed, and out of line; nulls; types of every length
sub row
{
	my ($id) = @_;
	my $row = { id => $id, kind => 'k' . $id % 5, price => ($id * 7919 % 1000) / 100, flag => $id % 3 ? JSON::PP::true : JSON::PP::false };

	$row->{text} = "row $id" if $id % 4;
	$row->{text} = 'x' x 3_000 if $id % 1_000 == 1;
	$row->{text} = join(' ', map { $_ * $id } 1 .. 4_000) if $id % 3_000 == 2;
	$row->{note} = 'n' x ($id % 300);
	return $row;
}

$source->set('/rows', body => [ map { row($_) } 1 .. $count ]);

my @columns = (
	{ name => 'id', type => 'bigint' },
	{ name => 'kind', type => 'text' },
	{ name => 'price', type => 'numeric(10,2)' },
	{ name => 'flag', type => 'boolean' },
	{ name => 'text', type => 'text' },
	{ name => 'note', type => 'varchar(400)' });

sub big
{
	my ($name, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url('/rows'), engine => 'duckdb', primary_key => 'id', %keys);

	$dataset->{columns} = \@columns;
	return $dataset;
}

my $manifest = Spice::manifest([ big('file', mode => 'file'), big('memory', mode => 'memory') ]);

sub start
{
	my ($name, @settings) = @_;
	my $node = Spice::init_node($name, [ allows_streaming => 1, extra => [ '--encoding=UTF8', '--locale=C', '--data-checksums' ] ],
		"shared_preload_libraries = 'spice'", @settings);

	Spice::write_manifest($node, $manifest);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION spice; CREATE EXTENSION amcheck; CREATE EXTENSION pg_visibility');
	Spice::wait_for($node, 'SELECT spice_ready()', "$name: the datasets are loaded");
	return $node;
}

sub fingerprint
{
	my ($node, $table) = @_;

	return $node->safe_psql('postgres', "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM $table t");
}

# the server's own checks; a read of every page also checks its checksum
sub check
{
	my ($node, $table, $when) = @_;
	my $pages = $node->safe_psql('postgres', "SELECT pg_relation_size('$table') / current_setting('block_size')::int");

	is($node->safe_psql('postgres', "SELECT msg FROM verify_heapam('$table', check_toast => true)"), '', "$when: $table is a sound heap");
	is($node->safe_psql('postgres', "SELECT t_ctid FROM pg_check_visible('$table')"), '', "$when: every page that the map calls visible is");
	is($node->safe_psql('postgres', "SELECT t_ctid FROM pg_check_frozen('$table')"), '', "$when: every page that the map calls frozen is");
	is($node->safe_psql('postgres', "SELECT all_visible, all_frozen FROM pg_visibility_map_summary('$table')"), "$pages|$pages",
		"$when: the map has every page");
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_visibility('$table') WHERE NOT pd_all_visible"), '0', "$when: the pages agree with the map");
	return;
}

my $node = start('heap');
my $expected = fingerprint($node, 'memory');
is((split /\|/, $expected)[0], $count, 'the table has every row');
is(fingerprint($node, 'file'), $expected, 'a logged and an unlogged table have the same rows');
is($node->safe_psql('postgres', "SELECT count(*), min(length(text)) FROM memory WHERE length(text) > 10000"), '4|' . length(row(2)->{text}),
	'texts out of line are whole');
check($node, $_, 'loaded') for qw(file memory);

# --- a fill factor

$node->safe_psql('postgres', q{ALTER TABLE memory SET (fillfactor = 50); SELECT spice_refresh('memory', 'SELECT * FROM memory')});
is($node->safe_psql('postgres', q{SELECT pg_relation_size('memory') > 1.7 * pg_relation_size('file')}), 't', 'fillfactor leaves room');
check($node, 'memory', 'with a fill factor');
is(fingerprint($node, 'memory'), $expected, 'fillfactor loses no row');

# --- a standby, whose pages come from the log

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{SELECT spice_refresh('file', 'SELECT * FROM file')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(fingerprint($standby, 'file'), $expected, 'a standby has the rows');
check($standby, 'file', 'on a standby');
$standby->stop;

# --- crashes, with checkpoints at any moment of the load

for my $round (1 .. 5)
{
	my $checkpoints = Spice::Session->new($node);

	$checkpoints->send('CHECKPOINT; CHECKPOINT; CHECKPOINT; CHECKPOINT');
	$node->safe_psql('postgres', q{SELECT spice_refresh('file', 'SELECT * FROM file')});
	$node->stop('immediate');
	$node->start;
	is(fingerprint($node, 'file'), $expected, "crash $round: committed rows are there");
}
check($node, 'file', 'after crashes');
$node->stop;

# --- without a log of it

my $minimal = start('minimal', 'wal_level = minimal', 'max_wal_senders = 0');
check($minimal, 'file', 'wal_level minimal');
$minimal->safe_psql('postgres', q{SELECT spice_refresh('file', 'SELECT * FROM file')});
$minimal->stop('immediate');
$minimal->start;
is(fingerprint($minimal, 'file'), $expected, 'wal_level minimal: committed rows are there after a crash');
check($minimal, 'file', 'wal_level minimal, after a crash');
$minimal->stop;

done_testing();
