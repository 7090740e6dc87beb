# client_timeout ends a source that does not answer or stops in the middle, and none that is
# slow; transfer_timeout bounds the whole.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my @rows = map { { id => $_ } } 1 .. 40;
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);

# some 400 bytes in several seconds
$source->set($_, body => \@rows, rate => 150) for qw(/steady /bounded);
$source->set('/stopped', body => \@rows, stall_after => 100);
$source->set('/silent', body => \@rows, delay => 3600);

my $node = Spice::new_node('slow',
	Spice::manifest([
			Spice::dataset('steady', $source->url('/steady'), %slow, params => { client_timeout => '1s' }),
			Spice::dataset('bounded', $source->url('/bounded'), %slow, params => { transfer_timeout => '1s' }),
			Spice::dataset('stopped', $source->url('/stopped'), %slow, params => { client_timeout => '1s' }),
			Spice::dataset('silent', $source->url('/silent'), %slow, params => { client_timeout => '1s' })
		]));

Spice::wait_for($node, 'SELECT count(*) = 40 FROM steady', 'a transfer that moves is not ended by client_timeout');
Spice::wait_for_error($node, 'bounded', 'transfer took too long; Phase transfer.*transfer_timeout', 'but by transfer_timeout');
Spice::wait_for_error($node, 'stopped', 'source stopped sending; Phase transfer.*client_timeout', 'a pause in the transfer');
Spice::wait_for_error($node, 'silent', 'did not answer in time; Phase status.*client_timeout', 'a source that does not answer');

$node->stop;
done_testing();
