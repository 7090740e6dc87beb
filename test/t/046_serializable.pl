# A refresh in a serializable transaction: its swap replaces every row, so a transaction
# that has read the table and written what the refresh's transaction has read is in conflict with it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;
$source->set('/rows', body => [ { id => 1 } ]);
my $node = Spice::new_node('serializable', Spice::manifest([ Spice::dataset('rows', $source->url('/rows')) ]));
Spice::wait_for($node, 'SELECT spice_ready()', 'the table is loaded');
$node->safe_psql('postgres', 'CREATE TABLE totals (total int)');

# Each transaction reads what the other one writes.
sub cross
{
	my ($version, $isolation) = @_;
	my ($reader, $refresher) = map { Spice::Session->new($node) } 1, 2;

	$source->set('/rows', body => [ { id => $version } ]);
	$_->query("BEGIN ISOLATION LEVEL $isolation") for $reader, $refresher;
	$refresher->query('SELECT count(*) FROM totals');
	$reader->query('INSERT INTO totals SELECT max(id) FROM rows; COMMIT');
	$refresher->query(q{SELECT spice_refresh('rows'); COMMIT});
	my $errors = $refresher->errors;
	$_->quit for $reader, $refresher;
	return $errors;
}

is(cross(2, 'REPEATABLE READ'), '', 'a refresh in a repeatable read transaction goes on');
is($node->safe_psql('postgres', 'SELECT max(id) FROM rows'), '2', 'and commits');
like(cross(3, 'SERIALIZABLE'), qr/could not serialize access/, 'one in a serializable transaction is told of the conflict');
is($node->safe_psql('postgres', 'SELECT max(id) FROM rows'), '2', 'and changes nothing');

$node->stop;
done_testing();
