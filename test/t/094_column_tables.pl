# Column indexes of datasets: who gets them, when they are covered, what becomes of them
# when the manifest, the columns or the storage of the table change.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $rows = 4_000;
my $source = Spice::Source->new;
my $version = 0;

# About 100 blocks.  %$changed are rows by number that differ from the version before.
sub publish
{
	my (@fields) = @_;

	$version++;
	$source->set('/items', body => [ map { { id => $_, kind => 'kind ' . $_ % 7, price => $_ / 4, version => $version, note => 'x' x 120, @fields } } 1 .. $rows ]);
	return;
}

# One row in ten is another one.
sub publish_some
{
	my $before = $version++;

	$source->set('/items', body => [ map { { id => $_, kind => 'kind ' . $_ % 7, price => $_ / 4, version => $_ % 10 ? $before : $version, note => 'x' x 120 } } 1 .. $rows ]);
	return;
}

sub item
{
	my ($name, $params, %keys) = @_;

	return Spice::dataset($name, $source->url('/items'), engine => 'duckdb', params => {}, %keys)
	  unless $params;
	my $dataset = Spice::dataset($name, $source->url('/items'), engine => 'duckdb', %keys);

	$dataset->{acceleration}{params} = $params;
	return $dataset;
}

my $merged = item('merged', { columns => 'on', refresh_method => 'merge' }, primary_key => 'id');

sub manifest
{
	my ($params, %more) = @_;
	my $dataset = item('items', $params);

	$dataset = { %$dataset, %more };
	return Spice::manifest([ $dataset, $merged, item('plain', undef) ]);
}

publish();
my $node = Spice::new_node('columns', manifest({ columns => 'on' }), 'autovacuum = off');
Spice::wait_for($node, 'SELECT spice_ready()', 'the tables are loaded');

sub value { return $node->safe_psql('postgres', $_[0]); }

# All blocks of the table, and there are some, are read from columns.
sub wait_covered
{
	my ($table, $name) = @_;

	return Spice::wait_for($node, qq{SELECT bool_and(covered = blocks AND blocks > 50) FROM spice.column_indexes WHERE "table" = '$table'::regclass}, $name);
}

sub refresh
{
	my ($dataset) = @_;
	my $before = value(qq{SELECT count(*) FROM spice.refreshes WHERE dataset = '$dataset' AND outcome <> 'running'});

	value(qq{SELECT spice_refresh('$dataset', wait => false)});
	Spice::wait_for($node, qq{SELECT count(*) > $before FROM spice.refreshes WHERE dataset = '$dataset' AND outcome NOT IN ('running', 'failed')},
		"$dataset is refreshed");
	return;
}

sub indexes
{
	my ($table) = @_;

	return value(qq{SELECT string_agg(pg_get_indexdef(index), chr(10) ORDER BY index::text) FROM spice.column_indexes WHERE "table" = '$table'::regclass});
}

# --- the table of a dataset with columns: on

my $definition = 'CREATE INDEX items_columns ON public.items USING spice_columns (id, kind, note, price, version)';
Spice::wait_for($node, q{SELECT count(*) = 1 FROM spice.column_indexes WHERE "table" = 'items'::regclass}, 'columns: on makes an index');
is(indexes('items') =~ s/\((.*)\)/'(' . join(', ', sort split(', ', $1)) . ')'/er, $definition, 'it has all columns of the table');
wait_covered('items', 'all blocks are covered after the first load');
is(value(q{SELECT count(*) FROM spice.column_indexes WHERE "table" = 'plain'::regclass}), 0, 'a table that does not ask has none');
is(value(q{SELECT relowner = (SELECT relowner FROM pg_class WHERE oid = 'items'::regclass) FROM pg_class WHERE relname = 'items_columns'}), 't',
	'the index belongs to the owner of the table');

my $oid = value(q{SELECT 'items_columns'::regclass::oid});
my $file = value(q{SELECT pg_relation_filenode('items_columns')});
publish();
refresh('items');
wait_covered('items', 'all blocks are covered after a swap');
is(value(q{SELECT 'items_columns'::regclass::oid}), $oid, 'the index is the same after a swap');
isnt(value(q{SELECT pg_relation_filenode('items_columns')}), $file, '... and its storage another');

# --- a refresh in a session covers before it returns

publish();
value(q{SELECT spice_refresh('items')});
is(value(q{SELECT covered = blocks FROM spice.column_indexes WHERE "table" = 'items'::regclass}), 't',
	'a session that refreshes leaves the columns covered');

# --- merges

# vacuum waits for snapshots of transactions that ran beside the first load
refresh('merged');
wait_covered('merged', 'a merged table is vacuumed and covered');
publish_some();
refresh('merged');
is(value(q{SELECT outcome, updated FROM spice.refreshes WHERE dataset = 'merged' LIMIT 1}), 'merged|' . $rows / 10, 'rows are changed in place');
wait_covered('merged', 'rows that were merged are vacuumed and covered');
is(value(q{SELECT coalesce(columns_covered::text, 'null') FROM spice.datasets WHERE dataset IN ('merged', 'plain') ORDER BY dataset}), "1.00\nnull", 'spice.datasets shows the share');

# --- an index of a person

value(q{CREATE INDEX by_hand ON plain USING spice_columns (kind, price)});
publish();
refresh('plain');
wait_covered('plain', 'an index that a person has made is covered after a swap');
like(indexes('plain'), qr/^CREATE INDEX by_hand \N+$/, '... and is the only one');

# --- a column that comes

publish(extra => 1);
Spice::write_manifest($node, manifest({ columns => 'on' }, on_schema_change => 'append_new_columns'));
value('SELECT * FROM spice_reload()');
refresh('items');
Spice::wait_for($node, q{SELECT count(*) = 1 FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'items' AND column_name = 'extra'}, 'a column has come');
refresh('items');
like(indexes('items'), qr/^CREATE INDEX items_columns ON \N+\n\N+ USING spice_columns \(extra\)$/, 'it gets an index beside the first one');
wait_covered('items', '... which is covered');

# --- columns: off

Spice::write_manifest($node, manifest({ columns => 'off' }, on_schema_change => 'append_new_columns'));
value('SELECT * FROM spice_reload()');
Spice::wait_for($node, q{SELECT count(*) = 0 FROM spice.column_indexes WHERE "table" = 'items'::regclass}, 'columns: off drops the indexes');
is(value(q{SELECT count(*) FROM items}), $rows, 'the rows stay');

# --- more columns than an index can have

my $wide = Spice::Source->new;
$wide->set('/wide', body => [ map { my $row = $_; +{ map { ("c$_" => $row) } 10 .. 49 } } 1 .. 4_000 ]);
my $dataset = item('wide', { columns => 'on' });
$dataset->{from} = $wide->url('/wide');
Spice::write_manifest($node, Spice::manifest([$dataset]));
value('SELECT * FROM spice_reload()');
Spice::wait_for($node, q{SELECT to_regclass('wide') IS NOT NULL}, 'a table of 40 columns');
Spice::wait_for($node, q{SELECT array_agg(i.indnatts ORDER BY i.indnatts) = '{8,32}' FROM spice.column_indexes c JOIN pg_index i ON i.indexrelid = c.index WHERE c.table = 'wide'::regclass},
	'... has two indexes');
wait_covered('wide', '... which are covered');

$node->stop;
done_testing();
