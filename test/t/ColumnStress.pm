=pod

=head1 NAME

ColumnStress - a table with a column index, writers, and a comparison of both ways to read it

=head1 DESCRIPTION

same(look) tells whether columns and heap have the same rows in the snapshot of its caller;
look is a value of spice.debug_column_look.  Writers change places of the table that are
chosen unevenly, so that most blocks stay as they were covered.

=cut

package ColumnStress;

use strict;
use warnings;

use IPC::Run;
use Spice;
use Test::More;

my $rows = 200_000;

my %scripts = (
	update => "UPDATE z SET b = b + 1 WHERE a = :x;\n",
	outside => "UPDATE z SET pad = repeat('q', (random() * 60)::int) WHERE a = :x;\n",
	replace => "BEGIN;\nDELETE FROM z WHERE a = :x;\nINSERT INTO z VALUES (:x, :x * 3, (:x % 10)::text, repeat('p', 60));\n"
	  . "\\set r random(1, 4)\n\\if :r = 1\nROLLBACK;\n\\else\nCOMMIT;\n\\endif\n",
	range => "DELETE FROM z WHERE a BETWEEN :x AND :x + 30;\nINSERT INTO z SELECT :x + i, i, 'y', 'p' FROM generate_series(0, 30) i;\n",
	vacuum => "VACUUM z;\n\\sleep 10 ms\n",
	reindex => "REINDEX INDEX z_columns;\n\\sleep 1500 ms\n",
	cover => "SELECT spice_cover_columns('z');\n\\sleep 100 ms\n");

# lines of postgresql.conf
sub settings
{
	return ('autovacuum = off', 'shared_buffers = 64MB', 'max_connections = 30', 'max_parallel_workers_per_gather = 0');
}

# The table and the scripts.
sub prepare
{
	my ($node) = @_;

	$node->safe_psql('postgres', qq{
		CREATE TABLE z (a bigint, b bigint, c text, pad text) WITH (fillfactor = 85, vacuum_index_cleanup = on, vacuum_truncate = off);
		INSERT INTO z SELECT i, i * 3, 'x' || i % 10, repeat('p', 60) FROM generate_series(1, $rows) i;
		CREATE INDEX z_a ON z (a);
		CREATE TABLE difference (look text);
		CREATE FUNCTION same(look text) RETURNS boolean LANGUAGE plpgsql AS
		\$\$
		DECLARE
			query text := 'SELECT count(*) || '' '' || coalesce(sum(a), 0) || '' '' || coalesce(sum(b), 0) || '' '' || count(c) FROM z';
			columns text;
			heap text;
		BEGIN
			PERFORM set_config('spice.debug_column_look', look, true);
			SET LOCAL spice.enable_columns = on;
			EXECUTE query INTO columns;
			SET LOCAL spice.enable_columns = off;
			EXECUTE query INTO heap;
			RETURN columns = heap;
		END
		\$\$
	});
	$node->safe_psql('postgres', 'VACUUM ANALYZE z');
	$node->safe_psql('postgres', 'CREATE INDEX z_columns ON z USING spice_columns (a, b, c)');
	for my $name (keys %scripts)
	{
		my $place = $scripts{$name} =~ /:x/ ? "\\set x random_exponential(1, $rows, 8.0)\n" : '';

		Spice::write_file($node->basedir . "/$name.sql", $place . $scripts{$name});
	}
	like($node->safe_psql('postgres', 'EXPLAIN SELECT count(*), sum(a) FROM z'), qr/SpiceColumns/, 'the query reads columns');
	return;
}

# pgbench beside the test, for so many seconds
sub run_for
{
	my ($node, $seconds, @arguments) = @_;
	my $output = '';

	return { output => \$output,
		handle => IPC::Run::start([ 'pgbench', '-n', '-T', $seconds, '-h', $node->host, '-p', $node->port, @arguments, 'postgres' ],
			'>', \$output, '2>&1') };
}

# what changes the table and its index
sub start_writers
{
	my ($node, $seconds) = @_;
	my $folder = $node->basedir;

	return (
		run_for($node, $seconds, '-c', 2, '--rate=1500', map { ('-f', "$folder/$_.sql@" . ($_ eq 'range' ? 1 : 3)) } qw(update outside replace range)),
		map { run_for($node, $seconds, '-c', 1, '-f', "$folder/$_.sql") } qw(vacuum reindex cover));
}

# Readers by these looks, each comparison in a snapshot of its own.
sub start_readers
{
	my ($node, $seconds, @looks) = @_;
	my @files;

	for my $look (@looks)
	{
		my $file = $node->basedir . "/$look.sql";

		Spice::write_file($file, "BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
			  . "INSERT INTO difference SELECT '$look' FROM (SELECT same('$look')) s(same) WHERE NOT same;\nCOMMIT;\n");
		push @files, '-f', $file;
	}
	return run_for($node, $seconds, '-c', 3, @files);
}

# How many transactions there were; an assertion that none failed.
sub finish
{
	my ($run) = @_;

	$run->{handle}->finish;
	unlike(${ $run->{output} }, qr/ERROR|FATAL|aborted/, 'pgbench meets no error')
	  or diag(${ $run->{output} });
	return ${ $run->{output} } =~ /transactions actually processed: (\d+)/ ? $1 : 0;
}

# the percentage of blocks that are read from columns
sub covered
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SELECT 100 * covered / blocks FROM spice.column_indexes');
}

1;
