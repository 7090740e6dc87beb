# A clock that was ahead is set back: no schedule waits until the time that it showed.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;

$source->set('/unchanged', body => [ { id => 1 } ], etag => JSON::PP::true);
$source->set('/loaded', body => [ { id => 1 } ]);
$source->set('/failing', status => 404);
$source->set('/daily', body => [ { id => 1 } ]);
my @datasets = map { Spice::dataset($_, $source->url("/$_"), refresh_check_interval => '2s') } qw(unchanged loaded failing);
$datasets[1]{acceleration}{refresh_sql} = 'SELECT id, clock_timestamp() AS at FROM loaded';
my $daily = Spice::dataset('daily', $source->url('/daily'), refresh_check_interval => '24h');
my $node = Spice::new_node('clock', Spice::manifest([ @datasets, $daily ]));

sub value { return $node->safe_psql('postgres', $_[0]); }

Spice::wait_for($node, q{SELECT count(DISTINCT (dataset, outcome)) = 4 FROM spice.refreshes
	WHERE (dataset, outcome) IN (('unchanged', 'loaded'), ('unchanged', 'unchanged'), ('loaded', 'loaded'), ('failing', 'failed'))},
	'three datasets are refreshed');

Spice::wait_for_status($node, 'daily', 'ready', 'and one that is due tomorrow');

# What the three have written is what they would have written a year later.
$node->stop;
$node->append_conf('postgresql.conf', "spice.database = 'template1'");
$node->start;
value(q{UPDATE spice_catalog.dataset SET loaded = loaded + '1 year', checked = checked + '1 year', next_refresh = next_refresh + '1 year' WHERE name <> 'daily';
	UPDATE spice_catalog.refresh_history SET started = started + '1 year', finished = finished + '1 year',
		was_due = was_due + '1 year', next_refresh = next_refresh + '1 year' WHERE dataset <> 'daily'});
is(value(q{SELECT count(*) FROM spice.datasets WHERE staleness < '0'}), '0', 'no table is fresher than the present');
is(value(q{SELECT string_agg(status, ' ' ORDER BY dataset) FROM spice.datasets WHERE dataset IN ('unchanged', 'loaded')}), 'error error',
	'a time that has not come is an error');
my $last = value('SELECT max(id) FROM spice_catalog.refresh_history');

$node->append_conf('postgresql.conf', "spice.database = 'postgres'");
$node->restart;
Spice::wait_for($node, "SELECT count(*) > 1 FROM spice_catalog.refresh_history WHERE id > $last AND dataset = '$_'",
	"$_ is refreshed again and again") for qw(unchanged loaded failing);
is(value(q{SELECT count(*) FROM spice.datasets WHERE status <> 'error' AND last_refresh <= now() AND next_refresh < now() + '1 h'}), '2',
	'with times of the present');
is(value(q{SELECT count(*) FROM spice.refreshes WHERE dataset = 'daily'}), '1', 'what is due tomorrow is not refreshed today');

$node->stop;
done_testing();
