# Which rows are the same: those that are stored as the same bytes, whatever their types call
# equal.  And what others write to a table while it is rebuilt is not undone.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my @columns = (
	{ name => 'at', type => 'timestamptz' },
	{ name => 'took', type => 'interval' },
	{ name => 'price', type => 'numeric' },
	{ name => 'extra', type => 'json' });

sub manifest
{
	my (%keys) = @_;
	my $dataset = Spice::dataset('rows', $source->url('/rows'), engine => 'duckdb', mode => 'file', refresh_mode => 'append', %keys);

	$dataset->{time_column} = 'at';
	$dataset->{columns} = \@columns;
	return Spice::manifest([$dataset]);
}

# JSON::PP would change the numbers
sub publish
{
	my (@rows) = @_;

	$source->set('/rows', body => '[' . join(', ', map {
		sprintf '{"at": "%s", "took": "%s", "price": %s, "extra": %s}', $_->[1] eq '7' ? '2024-06-01' : '2025-01-01', @$_ } @rows) . ']');
	return;
}

# older than the newest, so it does not come again
my $old = [ '7 days', '7', '{}' ];
my @first = ([ '1 day', '1.0', '{"a": 1}' ]);
publish($old, @first);
my $node = Spice::new_node('same_row', manifest());
Spice::wait_for($node, 'SELECT spice_ready()', 'the table is loaded');

sub rows
{
	return join "\n", sort split /\n/, $node->safe_psql('postgres', 'SELECT took, price, extra FROM rows');
}

# all of them are equal to the first in one column, and the first comes once more
my @others = ([ '24:00:00', '1.0', '{"a": 1}' ], [ '1 day', '1.00', '{"a": 1}' ], [ '1 day', '1.0', '{"a":1}' ], @first);
publish($old, @first, @others);
my $all = join "\n", sort map { join '|', @$_ } $old, @first, @others;
for (1, 2)
{
	$node->safe_psql('postgres', q{SELECT spice_refresh('rows')});
	is(rows(), $all, 'append adds what is not stored as the same bytes, each as often as it is missing');
}

# --- a rebuild

my $index = q{SELECT count(*) FROM pg_index WHERE indrelid = 'rows'::regclass};
my ($reader, $writer, $refresher) = map { Spice::Session->new($node) } 1 .. 3;
# the swap of the rebuild waits for a reader
$reader->query('BEGIN; SELECT count(*) FROM rows');
Spice::write_manifest($node, manifest(indexes => { price => 'enabled' }));
$node->safe_psql('postgres', 'SELECT spice_reload()');
$refresher->send(q{SELECT spice_refresh('rows')});
Spice::wait_for($node, q{SELECT count(*) > 0 FROM pg_locks JOIN pg_stat_activity USING (pid)
	WHERE relation = 'rows'::regclass AND mode = 'ShareRowExclusiveLock' AND granted AND wait_event = 'Extension'}, 'a rebuild has read the rows');
$writer->send(q{DELETE FROM rows WHERE price = 7; INSERT INTO rows VALUES ('2024-01-01', '2 days', 2, '{}')});
Spice::wait_for($node, q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'INSERT%' AND state = 'idle'
	OR query LIKE 'DELETE%' AND wait_event_type = 'Lock'}, 'a writer comes');
$reader->query('COMMIT');
$refresher->answer;
$writer->answer;
is($refresher->errors . $writer->errors, '', 'both are done');
is($node->safe_psql('postgres', $index), '2', 'the table has its new index');
is(rows(), join("\n", sort((grep { !/^7 days/ } split /\n/, $all), '2 days|2|{}')), 'what the writer has done is there');

$_->quit for $reader, $writer, $refresher;
$node->stop;
done_testing();
