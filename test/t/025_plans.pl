# Queries are planned by statistics that fit the rows of the newest refresh.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $node = Spice::init_node('plans', [], q{shared_preload_libraries = 'spice'}, q{autovacuum_naptime = '1d'});
my %keys = (engine => 'duckdb', mode => 'file', primary_key => 'id');

sub value { return $node->safe_psql('postgres', $_[0]); }

# every second row is sold, unless there are few; one is made each second, from an hour on
sub answer
{
	my ($count, $hour) = @_;

	$source->set('/items', body => [ map { {
		id => $_, status => $count > 100 && $_ % 2 ? 'sold' : 'new', stock => $_ % 3,
		made => sprintf('2025-03-01T%02d:%02d:%02dZ', $hour + int($_ / 3600), int($_ / 60) % 60, $_ % 60)
	} } 1 .. $count ]);
	return;
}

sub refresh
{
	my ($count, $hour) = @_;

	answer($count, $hour // 1);
	is(value(q{SELECT spice_refresh('items')}), $count, "$count rows are loaded");
	return;
}

sub estimate
{
	my ($condition) = @_;

	return value("SELECT public.estimate(\$\$$condition\$\$)");
}

# within a tenth of the rows that there are
sub is_estimated
{
	my ($condition, $name) = @_;
	my $count = value("SELECT count(*) FROM items WHERE $condition");
	my $estimate = estimate($condition);

	ok(abs($estimate - $count) <= $count / 10, $name) or diag("$condition: $count rows, estimated $estimate");
	return;
}

# what changes when the table is analyzed
sub statistics
{
	return value(q{SELECT string_agg(s.xmin || ' ' || s.ctid, ', ' ORDER BY staattnum) FROM pg_statistic s WHERE starelid = 'items'::regclass});
}

answer(10, 1);
Spice::write_manifest($node, Spice::manifest([ Spice::dataset('items', $source->url('/items'), %keys) ]));
$node->start;
value(<<'SQL');
CREATE FUNCTION public.estimate(condition text) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM items WHERE ' || condition INTO plan;
	RETURN plan->0->'Plan'->>'Plan Rows';
END
$$;
CREATE EXTENSION spice;
SQL
Spice::wait_for($node, 'SELECT spice_ready()', 'the dataset is loaded');
is_estimated(q{status = 'new'}, 'the first load leaves statistics');

# --- the number of rows

refresh(20_000);
is_estimated($$_[0], "a table that has grown at once: $$_[1]")
  for [ q{status = 'sold'}, 'a value that had not been there' ], [ q{id > 10000}, 'a range' ], [ q{stock = 1}, 'a column of few values' ];
unlike(value(q{EXPLAIN SELECT * FROM items a JOIN items b ON b.id = a.stock WHERE a.status = 'sold'}), qr/Seq Scan.* rows=1 /,
	'joins are planned for all of them');
refresh(100);
is_estimated(q{status = 'new'}, 'a table that has shrunk at once');
refresh(20_000);

# --- as many rows as before

my $before = statistics();
refresh(20_500);
is(statistics(), $before, 'about as many rows as before: the statistics stay');
is_estimated(q{status = 'sold'}, 'and fit');
is_estimated(q{id > 0}, 'the number of rows is known all the same');
Spice::wait_for($node, q{SELECT n_live_tup = 20500 AND n_dead_tup = 0 AND n_mod_since_analyze > 0 FROM pg_stat_all_tables WHERE relid = 'items'::regclass},
	'autovacuum is told how many rows have come');

# --- what people have set for a column

value('ALTER TABLE items ALTER stock SET STATISTICS 0, ALTER id SET STATISTICS 5, ALTER status SET (n_distinct = 7)');
refresh(30_000);
is(value(q{SELECT string_agg(attname || ' ' || n_distinct || ' ' || COALESCE(array_length(histogram_bounds::text::text[], 1), 0), ', ' ORDER BY attname)
	FROM pg_stats WHERE tablename = 'items' AND attname <> 'made'}), 'id -1 6, status 7 0', 'statistics are as people want them');
value('ALTER TABLE items ALTER stock SET STATISTICS 100, ALTER id SET STATISTICS 100, ALTER status RESET (n_distinct)');

# --- values that move on with every refresh

my $evening = q{made >= '2025-03-01 14:00:00+00'};
$node->append_conf('postgresql.conf', q{autovacuum_naptime = '1s'});
$node->reload;
refresh(30_000, 10);
Spice::wait_for($node, "SELECT public.estimate(\$\$$evening\$\$) > 10000", 'times that move on: autovacuum analyzes the table');

$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->reload;
Spice::wait_for($node, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'autovacuum%'}, 'autovacuum is off');
refresh(30_000, 1);
refresh(30_000, 10);
is_estimated($evening, 'times that move on, without autovacuum');

$node->append_conf('postgresql.conf', qq{autovacuum = on\nautovacuum_naptime = '1d'});
$node->reload;
value('ALTER TABLE items SET (autovacuum_enabled = off)');
refresh(30_000, 1);
cmp_ok(estimate($evening), '<', 10, 'times that move back, of a table that autovacuum leaves alone');

$node->stop;
done_testing();
