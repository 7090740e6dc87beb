# The state is honest: what stands still, lacks something or was mended is seen where people look.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $secrets;
my $node;

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { return Spice::wait_for($node, @_); }

# one failure is all that the schedule tries
sub once
{
	my ($name, %keys) = @_;

	return Spice::dataset($name, $source->url("/$name"), refresh_retry_enabled => JSON::PP::false, %keys);
}

$source->set("/$_", status => 404) for qw(mended again);
$source->set('/secret', body => [ { id => 1 } ], basic => [ 'u', 'right' ]);
$source->set("/$_", body => [ { id => 1 } ]) for qw(slow fast);

my @datasets = (once('mended'), once('again'), once('secret'), once('slow'), once('fast'));
$datasets[2]{params} = { http_username => 'u', http_password => '${secrets:WORD}' };
$node = Spice::init_node('honest', [], "shared_preload_libraries = 'spice'", 'spice.max_refresh_workers = 1');
Spice::write_manifest($node, Spice::manifest(\@datasets));
Spice::write_beside_manifest($node, '.env', "WORD=wrong\n");
$node->start;
value('CREATE EXTENSION spice');
wait_for(q{SELECT count(*) = 3 FROM spice.datasets WHERE status = 'error'}, 'three first refreshes fail');

# --- what is mended is tried again when it is asked for

my ($status, $out, $notice) = $node->psql('postgres', 'SELECT spice_ready()');
is($out, 'f', 'spice_ready() is false while datasets are missing');
like($notice, qr/NOTICE:  spice is not ready\nDETAIL:  dataset "mended": could not fetch dataset "mended": .*404.*\ndataset "again": .*404.*\ndataset "secret": .*401/,
	'and says which, and why');
($status, $out, $notice) = $node->psql('postgres', q{SELECT spice_wait_ready('100 ms')});
like($notice, qr/DETAIL:  dataset "mended": /, 'spice_wait_ready() says it when its time is over');

$source->set('/mended', body => [ { id => 1 } ]);
$node->safe_psql('postgres', 'SELECT spice_reload()');
wait_for(q{SELECT status = 'ready' FROM spice.datasets WHERE dataset = 'mended'}, 'spice_reload() tries again at once what is in error');
Spice::write_beside_manifest($node, '.env', "WORD=right\n");
$source->set('/again', body => [ { id => 1 } ]);
$node->reload;
wait_for(q{SELECT count(*) = 2 FROM spice.datasets WHERE status = 'ready' AND dataset IN ('again', 'secret')},
	'and so does SIGHUP, also after a secret was mended');
is(value('SELECT spice_ready()'), 't', 'spice_ready() is true then');

# --- a permission

my $manifest = $node->data_dir . '/spicepod.yaml';
chmod 0, $manifest;
SKIP:
{
	skip 'this user may read everything', 2 if -r $manifest;
	wait_for(q{SELECT error LIKE '%Permission denied' FROM spice.manifest}, 'a manifest that may not be read is an error');
	chmod 0644, $manifest;
	wait_for(q{SELECT error IS NULL FROM spice.manifest}, 'which goes as soon as it may be read, although the file is the same');
}
chmod 0644, $manifest;

# --- what stands still

is(value(q{SELECT count(*) FROM spice.datasets WHERE lag IS NULL AND lag_bytes IS NULL}), '5', 'a dataset that follows no source has no lag');
$source->set('/slow', body => [ { id => 2 } ], hold => JSON::PP::true);
value(q{SELECT spice_refresh('slow', wait => false)});
$source->wait('/slow', 'held');
value(q{UPDATE spice_catalog.dataset SET next_refresh = now() - interval '1 min' WHERE name = 'fast'});
is(value(q{SELECT status FROM spice.datasets WHERE dataset = 'fast'}), 'overdue', 'a refresh for which no worker is free is overdue');
$source->release('/slow');
wait_for(q{SELECT count(*) = 2 FROM spice.datasets WHERE status = 'ready' AND dataset IN ('slow', 'fast')}, 'and ready when it is done');

$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION spice; SELECT spice_reload()');
$node->safe_psql('other', q{UPDATE spice_catalog.dataset SET next_refresh = now() - interval '1 min'});
is( $node->safe_psql('other', q{SELECT DISTINCT status, warnings FROM spice.datasets}),
	'stalled|no launcher serves this database: add spice to shared_preload_libraries and set spice.database',
	'what is due in a database without a launcher is stalled, and warnings say why');
($status, $out, $notice) = $node->psql('other', 'SELECT spice_ready()');
like($notice, qr/HINT:  No launcher serves this database/, 'spice_ready() says it, too');

# --- a forced refresh

value('UPDATE fast SET id = 7');
is(value(q{SELECT spice_refresh('fast')}), '0', 'an unchanged source is not loaded');
is(value('SELECT id FROM fast'), '7', 'so rows that were changed by hand stay');
value(q{SELECT spice_refresh('fast', wait => false, force => true)});
wait_for('SELECT id = 1 FROM fast', 'until a forced refresh brings the rows of the source back');

$node->stop;
done_testing();
