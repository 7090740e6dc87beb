# A dump restored into another database, and a dump of that again.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;

$source->set('/items', body => [ { id => 1, text => 'a' }, { id => 2, text => 'b' } ]);
$source->set('/leaving', body => [ { id => 3 } ]);
my $node = Spice::new_node(
	'dump',
	Spice::manifest(
		[
			Spice::dataset('items', $source->url('/items'), primary_key => 'id', refresh_check_interval => '1h'),
			Spice::dataset('customer-items', $source->url('/items'), refresh_sql => 'SELECT id FROM "customer-items"'),
			Spice::dataset('far.items', $source->url('/items')),
			Spice::dataset('leaving', $source->url('/leaving')),
			{ name => 'live', from => $source->url('/items'), acceleration => { enabled => JSON::PP::false } }
		]));
Spice::wait_for($node, 'SELECT spice_ready()', 'every dataset is loaded');
my $manifest = slurp_file($node->data_dir . '/spicepod.yaml');
$manifest =~ s{leaving}{coming}g;
$source->set('/coming', body => [ { id => 3 } ]);
Spice::write_manifest($node, $manifest);
Spice::wait_for($node, q{SELECT count(*) = 1 FROM coming}, 'a dataset leaves the manifest');

my $state = q{SELECT string_agg(concat_ws(' ', dataset, "table", status, rows), ', ' ORDER BY dataset)
	FROM spice.datasets};

sub in { return $node->safe_psql($_[0], $_[1]); }

sub restore
{
	my ($from, $to, @options) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$from.sql";

	in('postgres', "CREATE DATABASE $to TEMPLATE template0");
	$node->command_ok([ 'pg_dump', '-f', $file, @options, '-d', $node->connstr($from) ], "pg_dump of $from succeeds");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr($to) ],
		"restore into $to succeeds");
	return $file;
}

restore('postgres', 'copy');
is(in('copy', $state), in('postgres', $state), 'the restored datasets are those of the original');
is(in('copy', 'SELECT count(*) FROM items'), '2', 'a restored table has its rows');
is(in('copy', 'SELECT count(*) FROM leaving'), '1', 'the table of a removed dataset is restored with its rows');
is(in('copy', 'SELECT count(*) FROM live'), '2', 'a restored foreign table reads the source');
is(in('copy', 'SELECT count(*) FROM spice_source.items'), '2', 'the other restored foreign table reads its source');
is(in('copy', 'SELECT count(*) FROM spice.refreshes'), in('postgres', 'SELECT count(*) FROM spice.refreshes'),
	'history is restored');

$source->set('/items', body => [ { id => 5, text => 'e' } ]);
is(in('copy', qq{SELECT spice_refresh('$_')}), '1', "spice_refresh of $_ works in the copy")
  for 'items', 'customer-items', 'far.items';
is(in('copy', 'SELECT id FROM items'), '5', 'a refresh in the restored database loads its table');
is(in('postgres', 'SELECT count(*) FROM items'), '2', 'the original\'s table keeps its rows');
is(in('copy', q{SELECT count(*) FROM pg_index WHERE indrelid = 'items'::regclass AND indisprimary}), '1', 'the restored table has its primary key');
is(in('copy', q{SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM spice_reload()}), 'unchanged',
	'spice_reload() finds nothing to change after a restore');
my (undef, undef, $error) = $node->psql('copy', q{SELECT spice_refresh('items', wait => false)});
like($error, qr/no launcher in this database.*HINT: .*spice\.database/s, 'an error that needs the launcher has a hint');
$manifest =~ s/"far.items"/"near.items"/;
Spice::write_manifest($node, $manifest);
is(in('copy', q{SELECT count(*) FROM spice_reload() WHERE action = 'added'}), '1', 'a new dataset gets an ID that no restored dataset has');
is(in('copy', q{SELECT spice_refresh('near.items')}), '1', 'a new dataset gets its table');
in('copy', q{SELECT spice_drop('leaving')});
is(in('copy', q{SELECT to_regclass('leaving') IS NULL}), 't', 'spice_drop() drops a restored dataset');

restore('copy', 'second');
is(in('second', q{SELECT string_agg(dataset, ' ' ORDER BY dataset) FROM spice.datasets}),
	in('copy', q{SELECT string_agg(dataset, ' ' ORDER BY dataset) FROM spice.datasets}), 'the restored database can be dumped and restored again');

# without a table that is large and can be had again
my $dump = restore('postgres', 'without', '-T', 'public.items');
is(in('without', 'SELECT count(*) FROM spice.refreshes'), in('postgres', 'SELECT count(*) FROM spice.refreshes'),
	'a dump without one of the tables keeps the state of all');
is(in('without', q{SELECT status FROM spice.datasets WHERE dataset = 'items'}), 'missing', 'the table is known to be missing');
is(in('without', q{SELECT "table" FROM spice.datasets WHERE dataset = 'far.items'}), 'far.items', 'another one is still the dataset\'s');
is(in('without', qq{SELECT spice_refresh('$_')}), '1', "spice_refresh of $_ works without it")
  for 'items', 'customer-items';
is(in('without', q{SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'n'
	AND objid IN (SELECT relation FROM spice_catalog.dataset_relation)}), '4',
	'what a refresh has found by its name is the extension\'s again');

# a table of the same name that is somebody else's
in('postgres', 'CREATE DATABASE taken TEMPLATE template0');
in('taken', 'CREATE ROLE stranger; CREATE TABLE items (id int); ALTER TABLE items OWNER TO stranger');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('taken'),
	'-f', $dump ], 'restore beside a stranger\'s table');
(undef, undef, $error) = $node->psql('taken', q{SELECT spice_refresh('items')});
like($error, qr/relation public\.items already exists and is not spice's/, 'it is not taken for the dataset\'s');

# without rows, as for a development database
restore('postgres', 'bare', '--schema-only');
is(in('bare', q{SELECT count(*) FROM items}), '0', 'restored without rows');
is(in('bare', q{SELECT count(*) FROM spice_reload() WHERE action = 'added'}), '5', 'spice_reload reads the manifest');

$node->stop;
done_testing();
