# What retention_sql calls has the rights of spice.role, in the worker that the launcher
# starts, and finds no operator of anybody's that its own words do not name.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $source = Spice::Source->new;
my $column = '"; DROP TABLE called; --';
my @records = map { { id => $_, at => '2024-01-01T00:00:00Z', $column => '2024-01-01T00:00:00Z' } } 1 .. 3;
my $node = Spice::start_node('rights', undef, "spice.role = 'tables'");

$source->set('/records', body => \@records);
$node->safe_psql(
	'postgres', q{
	CREATE ROLE tables;
	CREATE ROLE hostile;
	GRANT CREATE ON SCHEMA public TO tables, hostile;
	CREATE TABLE secret (word text);
	CREATE TABLE hidden AS SELECT id FROM generate_series(2, 3) id;
	ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON hidden TO tables USING (id = 2);
	CREATE VIEW dead AS SELECT 1 AS id;
	GRANT SELECT ON hidden, dead TO tables;
	CREATE TABLE called (what text, by name DEFAULT current_user);
	GRANT INSERT ON called TO PUBLIC;
	SET ROLE tables;
	CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS
	$$BEGIN EXECUTE command; RETURN 'done'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END$$;
	CREATE FUNCTION too_old(id bigint) RETURNS boolean LANGUAGE plpgsql AS
	$$
	BEGIN
		INSERT INTO public.called SELECT concat_ws(' ', command, public.attempt(command)) FROM unnest(ARRAY['SET ROLE postgres', 'RESET ROLE',
			'RESET SESSION AUTHORIZATION', 'TABLE public.secret', 'ALTER ROLE tables SUPERUSER', 'LISTEN x', 'PREPARE p AS SELECT 1',
			'SET search_path = nowhere']) command;
		RETURN id = 1;
	END
	$$;
	SET ROLE hostile;
	CREATE FUNCTION twin(a integer, b interval) RETURNS interval LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO public.called VALUES ('twin'); RETURN '0'; END$$;
	CREATE OPERATOR * (LEFTARG = integer, RIGHTARG = interval, FUNCTION = twin);
	RESET ROLE;
	CREATE EXTENSION spice});

sub retained
{
	my ($name, $time_column, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url('/records'), retention_check_enabled => $true,
		retention_check_interval => '1h', %keys);

	$dataset->{time_column} = $time_column;
	return $dataset;
}

Spice::write_manifest($node,
	Spice::manifest(
		[
			retained('stated', 'at', retention_sql => 'DELETE FROM stated WHERE too_old(id)'),
			retained('policed', 'at', retention_sql => 'DELETE FROM policed WHERE id IN (TABLE hidden) OR id IN (TABLE dead)'),
			retained('period', $column, retention_period => '90d')
		]));
Spice::wait_for($node, q{SELECT count(*) = 3 FROM spice.datasets WHERE status = 'ready'});

# a policy on the dataset's own table, which its owner has to obey, does not keep old rows
$node->safe_psql('postgres', q{ALTER TABLE period ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY});
$node->safe_psql('postgres', "SELECT spice_retain('stated'), spice_retain('policed'), spice_retain('period')");
Spice::wait_for($node, q{SELECT count(DISTINCT dataset) = 3 FROM spice.refreshes WHERE outcome = 'retained' AND deleted > 0},
	'all have deleted what they are to');
is($node->safe_psql('postgres', 'SELECT count(*) FROM stated'), '2', 'retention_sql deletes the rows of its condition');
is($node->safe_psql('postgres', 'SELECT id FROM policed'), '3', 'policies of another table hold, and a view is a view');
is($node->safe_psql('postgres', 'SELECT count(*) FROM period'), '0', 'retention_period deletes older rows, whatever the column\'s name');
is( $node->safe_psql('postgres', 'SELECT DISTINCT what, by FROM called ORDER BY what'),
	join("\n",
		map { "$_|tables" } 'ALTER ROLE tables SUPERUSER 42501', 'LISTEN x 42501', 'PREPARE p AS SELECT 1 42501',
		'RESET ROLE 42501', 'RESET SESSION AUTHORIZATION 42501', 'SET ROLE postgres 42501',
		'SET search_path = nowhere done', 'TABLE public.secret 42501'),
	'retention runs with the rights of the tables\' role only');
$node->stop;
done_testing();
