# The rule by which blocks are read from columns (src/column/column_marks.c), beside writers,
# VACUUM, REINDEX and covering: columns and heap have the same rows in one snapshot.  The same
# with a part of the rule taken away must find differences, or this test could not.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ColumnStress;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $node = Spice::new_node('rule', undef, 'fsync = off', ColumnStress::settings());

ColumnStress::prepare($node);

# How many comparisons there were, and how many of the look's found a difference.
sub stress
{
	my ($seconds, @looks) = @_;
	my @writers = ColumnStress::start_writers($node, $seconds);
	my $comparisons = ColumnStress::finish(ColumnStress::start_readers($node, $seconds, @looks));

	cmp_ok(ColumnStress::finish($_), '>', 3, 'something happens beside the readers') for @writers;
	return ($comparisons, $node->safe_psql('postgres', "SELECT count(*) FROM difference WHERE look = '$looks[0]'"));
}

my ($comparisons) = stress(12, 'right', 'slow');
cmp_ok($comparisons, '>', 100, "$comparisons comparisons beside writers");
is($node->safe_psql('postgres', 'SELECT count(*) FROM difference'), 0, 'columns and heap have the same rows');
cmp_ok(ColumnStress::covered($node), '>', 20, 'many blocks are read from columns');

# Until a difference is found, or this often in vain.
for my $look ('marks_first', 'map_only', 'marks_only')
{
	my $found = 0;

	for (1 .. 4)
	{
		($comparisons, $found) = stress(6, $look);
		last if $found > 0;
	}
	cmp_ok($found, '>', 0, "$look is seen to be wrong");
	note("$found of $comparisons");
}

$node->stop;
done_testing();
