# Timeouts that are set for a database are for its sessions, and end no refresh.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;

$source->set('/items', generate => { kind => 'products', count => 20000, seed => 1 });
my $node = Spice::new_node('timeouts', Spice::manifest([]));
my @timeouts = grep { $node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = '$_'") }
  qw(statement_timeout lock_timeout idle_in_transaction_session_timeout transaction_timeout);

# The settings of a connection come before those of its database.
$ENV{PGOPTIONS} = join ' ', map { "-c $_=0" } @timeouts;
$node->safe_psql('postgres', "ALTER DATABASE postgres SET $_ = '1ms'") for @timeouts;
Spice::write_manifest($node, Spice::manifest([
	Spice::dataset('items', $source->url('/items'), refresh_check_interval => '1s',
		refresh_sql => 'SELECT *, clock_timestamp() AS at FROM items') ]));
$node->restart;
Spice::wait_for($node, q{SELECT count(*) > 2 FROM spice.refreshes WHERE outcome = 'loaded'}, 'refreshes succeed');
is($node->safe_psql('postgres', q{SELECT count(*) FROM spice.refreshes WHERE outcome IN ('failed', 'interrupted')}), '0',
	'and none is ended by ' . join ', ', @timeouts);

$node->stop;
done_testing();
