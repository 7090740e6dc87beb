# What spice_refresh(wait => false) hands to the launcher is done, whatever happens to a worker.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;

$source->set('/items', body => [ map { { id => $_ } } 1 .. 5 ]);
my $node = Spice::new_node('requests', Spice::manifest([ Spice::dataset('items', $source->url('/items')) ]));

sub value { return $node->safe_psql('postgres', $_[0]); }

Spice::wait_for($node, 'SELECT spice_ready()', 'the table is loaded');

# --- a worker that dies

$source->set('/items', body => [ map { { id => $_ } } 1 .. 5 ], hold => JSON::PP::true);
value(q{SELECT spice_refresh('items', refresh_sql => 'SELECT id FROM items WHERE id > 3', wait => false)});
$source->wait('/items', 'held');
value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'spice refresh items'});
Spice::wait_for($node, q{SELECT count(*) = 1 FROM spice.refreshes WHERE outcome = 'interrupted'}, 'its worker is terminated');
$source->set('/items', body => [ map { { id => $_ } } 1 .. 5 ]);
$source->release('/items');
Spice::wait_for($node, 'SELECT count(*) = 2 FROM items', 'the request is done by another, with its refresh_sql');
Spice::wait_for($node, 'SELECT count(*) = 0 FROM spice_catalog.refresh_request', 'and is gone');

# --- a request that fails is over

$source->set('/items', status => 404);
value(q{SELECT spice_refresh('items', refresh_sql => 'SELECT id FROM items WHERE id > 4', wait => false)});
Spice::wait_for($node, q{SELECT outcome = 'failed' AND trigger = 'request' FROM spice.refreshes LIMIT 1}, 'a request fails');
Spice::wait_for($node, 'SELECT count(*) = 0 FROM spice_catalog.refresh_request', 'and is not tried for ever');
is(value('SELECT count(*) FROM items'), '2', 'the rows are those of before');

# --- equal requests

$source->set('/items', body => [ { id => 1 } ], hold => JSON::PP::true);
value(q{SELECT spice_refresh('items', wait => false)});
$source->wait('/items', 'held');
value(q{SELECT spice_refresh('items', wait => false)}) for 1 .. 3;
is(value('SELECT count(*) FROM spice_catalog.refresh_request WHERE started IS NULL'), '1', 'of equal requests that wait there is one');
$source->set('/items', body => [ { id => 1 } ]);
$source->release('/items');
Spice::wait_for($node, 'SELECT count(*) = 0 FROM spice_catalog.refresh_request', 'both are done');

# --- the dataset goes

$node->append_conf('postgresql.conf', 'spice.database = other');
Spice::write_manifest($node, Spice::manifest([]));
$node->restart;
value('SELECT spice_reload()');
value(q{INSERT INTO spice_catalog.refresh_request (dataset, requested) SELECT id, now() FROM spice_catalog.dataset});
value(q{SELECT spice_drop('items')});
is(value('SELECT count(*) FROM spice_catalog.refresh_request'), '0', 'no request outlives its dataset');

$node->stop;
done_testing();
