# Column indexes after kill -9, and on a hot standby: columns and heap have the same rows.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ColumnStress;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $node = Spice::init_node('primary', [ allows_streaming => 1 ], "shared_preload_libraries = 'spice'", 'max_standby_streaming_delay = 20s',
	ColumnStress::settings());
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
ColumnStress::prepare($node);

# --- a hot standby

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;

my %seen = (t => 0, f => 0, cancelled => 0);
my @writers = ColumnStress::start_writers($node, 8);
my $end = time + 8;

while (time < $end)
{
	my ($status, $same, $error) = $standby->psql('postgres', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT same('slow'); COMMIT");

	die $error unless $status == 0 || $error =~ /conflict with recovery/;
	$seen{ $status ? 'cancelled' : $same }++;
}
ColumnStress::finish($_) for @writers;
is($seen{f}, 0, 'a standby reads the same rows from columns and heap');
cmp_ok($seen{t}, '>', 10, "$seen{t} comparisons, and $seen{cancelled} that recovery has cancelled");
$node->safe_psql('postgres', 'VACUUM z');
$node->wait_for_catchup($standby);
cmp_ok(ColumnStress::covered($standby), '>', 20, 'the standby reads many blocks from columns');
like($standby->safe_psql('postgres', 'EXPLAIN SELECT count(*), sum(a) FROM z'), qr/SpiceColumns/, '... as it reads any query of this kind');
$standby->stop;

# --- kill -9

for my $round (1 .. 4)
{
	my $postmaster = $node->{_pid};

	@writers = ColumnStress::start_writers($node, 4);
	# the writers are on their way, each round to another place
	Spice::wait_for($node, q{SELECT count(*) > 3 FROM pg_stat_activity WHERE backend_type = 'client backend'}, 'writers are there');
	select undef, undef, undef, 0.4 + $round / 3;
	kill 'KILL', $postmaster, split /\n/, `pgrep -P $postmaster`;
	$_->{handle}->finish for @writers;
	# until the last process has gone
	for (1 .. 100)
	{
		$node->{_pid} = undef;
		last if $node->start(fail_ok => 1);
		select undef, undef, undef, 0.1;
	}
	is($node->safe_psql('postgres', q{SELECT same('right')}), 't', 'after a crash columns and heap have the same rows');
	$node->safe_psql('postgres', 'VACUUM z');
	is($node->safe_psql('postgres', q{SELECT same('right')}), 't', '... and after a VACUUM');
}
cmp_ok(ColumnStress::covered($node), '>', 20, 'many blocks are read from columns');

# --- an unlogged table

$node->safe_psql('postgres', q{
	CREATE UNLOGGED TABLE u AS SELECT i AS a, i % 7 AS b FROM generate_series(1, 50000) i;
	CREATE INDEX u_columns ON u USING spice_columns (a, b)});
$node->safe_psql('postgres', 'VACUUM ANALYZE u');
my $coverage = q{SELECT covered = blocks FROM spice.column_indexes WHERE "table" = 'u'::regclass};
is($node->safe_psql('postgres', $coverage), 't', 'an unlogged table is covered');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*), sum(a) FROM u'), '0|', 'a crash empties it');
$node->safe_psql('postgres', 'INSERT INTO u SELECT i, i FROM generate_series(1, 50000) i');
$node->safe_psql('postgres', 'VACUUM ANALYZE u');
is($node->safe_psql('postgres', $coverage), 't', '... and it is covered anew');
is($node->safe_psql('postgres', 'SELECT count(*), sum(a) FROM u'), '50000|1250025000', '... with its new rows');

$node->stop;
done_testing();
