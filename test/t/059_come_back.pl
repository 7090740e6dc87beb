# A source that asks to come back later is asked again, by itself and soon.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my %says = (
	made => { fail_status => 202 },
	early => { fail_status => 425 },
	limited => { fail_status => 403 });

# each is asked again only because it says so: the next turn of the schedule is a day away
$source->set("/$_", body => [ { id => 1 } ], fail_times => 2, retry_after => 1, %{ $says{$_} }) for keys %says;
my $node = Spice::new_node('come_back',
	Spice::manifest([ map { Spice::dataset($_, $source->url("/$_"), refresh_check_interval => '1d') } sort keys %says ]));

foreach my $name (sort keys %says)
{
	Spice::wait_for($node, "SELECT status = 'ready' AND rows = 1 FROM spice.datasets WHERE dataset = '$name'",
		"a source that answers $says{$name}{fail_status} at first is loaded in the end");
	like($node->safe_psql('postgres', "SELECT string_agg(error, ' ') FROM spice.refreshes WHERE dataset = '$name'"),
		qr/status $says{$name}{fail_status}.*asks to come back later/s, 'the history says what it answered');
}

$node->stop;
done_testing();
