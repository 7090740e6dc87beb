# Answers over column indexes are PostgreSQL's: random tables, random queries, each with and
# without spice.enable_columns in one snapshot.  An error on one side only is a difference.
#
# SPICE_SEED repeats a run, SPICE_QUERIES says how many queries there are.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Columns;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $seed = $ENV{SPICE_SEED} // time;
my $queries = $ENV{SPICE_QUERIES} // 1200;
my $per_table = 400;
my $random = Columns->new($seed);
my $node = Spice::new_node('main', undef, 'jit = off', 'max_parallel_workers_per_gather = 0', 'fsync = off',
	# the heap's order, so that sums of floats have the same digits
	'enable_sort = off', 'enable_indexscan = off', 'enable_bitmapscan = off', 'synchronize_seqscans = off',
	"work_mem = '512MB'", "timezone = 'Europe/Berlin'", "client_min_messages = 'warning'");

# from 16 on core sorts for count(DISTINCT), too
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET enable_presorted_aggregate = off') if $node->pg_version >= 16;
$node->safe_psql('postgres', q{
	CREATE FUNCTION answer(query text, columns boolean) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		answer text;
	BEGIN
		PERFORM set_config('spice.enable_columns', columns::text, true);
		EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C") FROM (%s) t', query) INTO answer;
		RETURN coalesce(answer, 'no row');
	EXCEPTION WHEN OTHERS THEN
		RETURN 'error';
	END
	$$;
	CREATE FUNCTION way(query text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		line text;
	BEGIN
		PERFORM set_config('spice.enable_columns', 'on', true);
		FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
			IF line LIKE '%SpiceColumns%' THEN
				RETURN 'columns';
			END IF;
		END LOOP;
		RETURN 'heap';
	EXCEPTION WHEN OTHERS THEN
		RETURN 'error';
	END
	$$;
	CREATE TABLE seen (query text, way text, columns text, heap text);
});

diag("SPICE_SEED=$seed");
for my $number (1 .. $queries / $per_table)
{
	my $table = $random->table("t$number", $random->one_of(3000, 12000, 60000));
	my $sql = "$table->{make}VACUUM (FREEZE) t$number;\n"
	  . "CREATE INDEX ON t$number USING spice_columns (" . join(', ', @{ $table->{columns} }) . ");\nANALYZE t$number;\n";

	for my $part (1 .. 4)
	{
		$sql .= $random->change($table) . ";\n" for 1 .. $part > 1 ? $random->below(4) : 0;
		$sql .= "BEGIN ISOLATION LEVEL REPEATABLE READ;\n";
		for (1 .. $per_table / 4)
		{
			my $query = '$q$' . $random->query($table) . '$q$';

			$sql .= "INSERT INTO seen SELECT $query, way($query), answer($query, true), answer($query, false);\n";
		}
		$sql .= "COMMIT;\n";
	}
	$node->safe_psql('postgres', $sql);
}

is($node->safe_psql('postgres', 'SELECT * FROM seen WHERE columns <> heap LIMIT 3'), '', 'every answer is that of the heap');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM seen WHERE way = 'columns'}), '>', $queries / 2, 'most queries read columns');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM seen WHERE columns NOT IN ('error', 'no row')}), '>', $queries / 2, 'most queries have rows');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM seen WHERE columns = 'error'}), '>', 0, 'some queries raise an error');
$node->stop;
done_testing();
