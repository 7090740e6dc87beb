# How the manifest's file is watched, what each change of it does, and secrets.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $false = JSON::PP::false;
my $source = Spice::Source->new;

$source->set('/items', body => [ map { { id => $_, kind => $_ % 2 ? 'odd' : 'even' } } 1 .. 4 ]);

# what the server's environment has
$ENV{SPICE_FROM_ENVIRONMENT} = 'environment-1';
$ENV{SHADOWED} = 'the one without SPICE_';
$ENV{SPICE_SHADOWED} = 'environment-2';

my $node = Spice::start_node('manifest', undef);
my $data = $node->data_dir;

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { return Spice::wait_for($node, @_); }

sub items
{
	my ($name, %keys) = @_;

	return Spice::dataset($name, $source->url('/items'), %keys);
}

# --- a file that is not there

value('CREATE EXTENSION spice');
wait_for(q{SELECT error LIKE 'cannot open manifest "%spicepod.yaml": No such file%' FROM spice.manifest},
	'spice.manifest shows that the manifest is missing');
ok(!Spice::pid_of($node, 'spice refresh'), 'nothing is refreshed without a manifest');
is(value('SELECT spice_ready()'), 'f', 'spice_ready() is false without a manifest');
Spice::write_manifest($node, Spice::manifest([ items('first') ]));
wait_for(q{SELECT count(*) = 4 FROM first}, 'a manifest that appears is applied');
wait_for(q{SELECT error IS NULL AND error_at IS NULL AND name = 'test' FROM spice.manifest}, 'the error is cleared');

# --- ways to change a file

open my $file, '>', "$data/spicepod.yaml" or die $!;
print $file Spice::manifest([ items('first'), items('in_place') ]);
close $file;
wait_for(q{SELECT count(*) = 4 FROM in_place}, 'a change in place is applied');

Spice::write_manifest($node, Spice::manifest([ items('first'), items('renamed') ]));
wait_for(q{SELECT count(*) = 4 FROM renamed}, 'a replacement by rename is applied');
is(value(q{SELECT status FROM spice.datasets WHERE dataset = 'in_place'}), 'removed', 'a dataset that has left the manifest is shown as removed');

my $read = value('SELECT loaded FROM spice.manifest');
$node->reload;
wait_for("SELECT loaded > '$read' FROM spice.manifest", 'SIGHUP reads the manifest again');

# Kubernetes: the file is a link through ..data, which is replaced by a rename
mkdir "$data/pod" or die $!;
sub swap_volume
{
	my ($volume, $manifest, $key) = @_;

	mkdir "$data/pod/..$volume" or die $!;
	Spice::write_file("$data/pod/..$volume/spicepod.yaml", $manifest);
	Spice::write_file("$data/pod/..$volume/KEY", $key);
	symlink "..$volume", "$data/pod/..data_tmp" or die $!;
	rename "$data/pod/..data_tmp", "$data/pod/..data" or die $!;
	return;
}
my @folder = (secrets => [ { from => 'file', name => 'mounted', params => { path => "$data/pod" } } ]);
my $locked = items('locked', params => { http_username => 'u', http_password => '${mounted:KEY}' });
$locked->{from} = $source->url('/locked');
$source->set('/locked', body => [ { id => 1 } ], basic => [ 'u', 'mounted-1' ]);
swap_volume('2026_1', Spice::manifest([ items('first') ], @folder), "mounted-1\n");
symlink '..data/spicepod.yaml', "$data/pod/spicepod.yaml" or die $!;
symlink '..data/KEY', "$data/pod/KEY" or die $!;
$node->append_conf('postgresql.conf', "spice.spicepod = 'pod/spicepod.yaml'");
$node->reload;
wait_for(q{SELECT path LIKE '%/pod/spicepod.yaml' FROM spice.manifest}, 'spice.spicepod changes with SIGHUP');
swap_volume('2026_2', Spice::manifest([ items('first'), items('swapped'), $locked ], @folder), "mounted-1\n");
wait_for(q{SELECT count(*) = 4 FROM swapped}, 'a folder swapped by its link is noticed');
wait_for(q{SELECT count(*) = 1 FROM locked}, 'a secret is read from a mounted folder');
$source->set('/locked', body => [ { id => 1 }, { id => 2 } ], basic => [ 'u', 'mounted-2' ]);
my ($status, undef, $error) = $node->psql('postgres', q{SELECT spice_refresh('locked')});
like($error, qr/status 401/, 'a refresh with an outdated secret gets status 401');
swap_volume('2026_3', Spice::manifest([ items('first'), items('swapped'), $locked ], @folder), "mounted-2\n");
is(value(q{SELECT spice_refresh('locked')}), '2', 'a rotated secret is used by the next refresh');
unlink "$data/pod/KEY";
(undef, undef, $error) = $node->psql('postgres', q{SELECT spice_refresh('locked')});
like($error, qr/cannot resolve http_password of dataset "locked": .*KEY/, 'the error names a secret that is missing');

$node->append_conf('postgresql.conf', "spice.spicepod = 'spicepod.yaml'");
Spice::write_manifest($node, Spice::manifest([ items('first'), items('renamed') ]));
$node->reload;
wait_for(q{SELECT count(*) = 2 FROM spice.datasets WHERE status = 'ready'
	AND dataset IN ('first', 'renamed')}, 'the first file is applied again');

# --- a manifest with errors

my $in_force = q{SELECT jsonb_agg(to_jsonb(d) ORDER BY id) FROM
	(SELECT id, name, definition, in_manifest, relation, loaded FROM spice_catalog.dataset) d};
my $before = value($in_force);
my $log_end = -s $node->logfile;
Spice::write_manifest($node, "version: v1\nkind: Spicepod\nname: test\ndatasets:\n  - from: [\n");
wait_for(q{SELECT error ~ 'is refused: line \d+: ' AND error_at IS NOT NULL FROM spice.manifest},
	'the error of broken YAML has its line');
is(value($in_force), $before, 'a broken or missing manifest changes no definition');
is(value(q{SELECT count(*) FROM first}), '4', 'the table still answers');
is(value(q{SELECT spice_refresh('first')}), '0', 'the dataset is still refreshed');
Spice::wait_for_log($node, qr/WARNING: .*is refused: line \d+: /, $log_end, 'the log has the error of broken YAML');
unlink "$data/spicepod.yaml";
wait_for(q{SELECT error LIKE 'cannot open manifest%' FROM spice.manifest}, 'spice.manifest shows that the file was removed');
is(value($in_force), $before, 'a broken or missing manifest changes no definition');
(undef, undef, $error) = $node->psql('postgres', 'SELECT * FROM spice_reload()');
like($error, qr/cannot open manifest.*Nothing was changed/s, 'spice_reload raises the error of a missing file');

my $wrong = items('first');
$wrong->{acceleration}{refresh_chek_interval} = '1s';
Spice::write_manifest($node, Spice::manifest([ $wrong, items('renamed'), items('beside') ]));
wait_for(q{SELECT count(*) = 4 FROM beside}, 'a valid dataset is applied beside an invalid one');
like( value(q{SELECT status || last_error FROM spice.datasets WHERE dataset = 'first'}),
	qr/^errorline \d+: .*refresh_chek_interval.*refresh_check_interval/, 'the invalid dataset\'s status has the reason');
is(value(q{SELECT spice_refresh('first')}), '0', 'the invalid dataset keeps its definition');
is(value('SELECT error IS NULL FROM spice.manifest'), 't', 'an invalid dataset is no error of the manifest as a whole');

# --- two that apply it at a time

my $earlier = Spice::Session->new($node);
my $later = Spice::Session->new($node);
$earlier->query('BEGIN; SELECT count(*) FROM spice_reload()');
Spice::write_manifest($node, Spice::manifest([ items('first'), items('renamed'), items('beside'), items('contended') ]));
$later->send(q{SELECT dataset, action FROM spice_reload() WHERE dataset = 'contended'});
wait_for(q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'spice.manifest'::regclass AND NOT granted},
	'a second spice_reload() waits for the first');
value(q{SELECT spice_refresh('first', wait => false)});
wait_for('SELECT count(*) = 0 FROM spice_catalog.refresh_request', 'the launcher does not wait for spice_reload()');
is($earlier->query(q{SELECT action FROM spice_reload() WHERE dataset = 'contended'}), 'added', 'the first spice_reload() adds the dataset');
$earlier->query('COMMIT');
is($later->answer, 'contended|unchanged', 'the second spice_reload() finds the dataset unchanged');
$_->quit for $earlier, $later;

# --- datasets come, change and go

Spice::write_manifest($node, Spice::manifest([ items('first'), items('renamed'), items('beside') ]));
wait_for(q{SELECT status = 'ready' AND last_error IS NULL FROM spice.datasets WHERE dataset = 'first'},
	'corrected');
my $oid = value(q{SELECT 'first'::regclass::oid});
value('CREATE VIEW first_view AS SELECT id FROM first');
Spice::write_manifest($node, Spice::manifest(
		[ items('first', refresh_sql => q{SELECT id, kind FROM first WHERE kind = 'odd'}), items('renamed') ]));
wait_for('SELECT array_agg(id ORDER BY id) = ARRAY[1, 3]::bigint[] FROM first', 'a changed refresh_sql loads the table again');
is(value(q{SELECT 'first'::regclass::oid}), $oid, 'the table keeps its OID');
is(value('SELECT count(*) FROM first_view'), '2', 'a view on the table sees the new rows');
is( value(q{SELECT trigger || ' ' || outcome FROM spice.refreshes WHERE dataset = 'first' LIMIT 1}),
	'manifest loaded', 'history shows the manifest as the trigger');
Spice::write_manifest($node, Spice::manifest(
		[ items('first', refresh_sql => q{SELECT id, upper(kind) AS shout FROM first}), items('renamed') ]));
wait_for(q{SELECT string_agg(shout, ' ' ORDER BY id) = 'ODD EVEN ODD EVEN' FROM first}, 'a refresh_sql with other columns changes the table\'s columns');
is(value(q{SELECT 'first'::regclass::oid}), $oid, 'the table keeps its OID over a change of columns');
is(value('SELECT count(*) FROM first_view'), '4', 'the view still works after a change of columns');

wait_for(q{SELECT status = 'removed' FROM spice.datasets WHERE dataset = 'beside'}, 'a dataset that leaves the manifest is shown as removed');
is(value('SELECT count(*) FROM beside'), '4', 'the table of a removed dataset stays');
(undef, undef, $error) = $node->psql('postgres', q{SELECT spice_refresh('beside')});
like($error, qr/has left the manifest/, 'a removed dataset is not refreshed');
(undef, undef, $error) = $node->psql('postgres', q{SELECT spice_drop('renamed')});
like($error, qr/is in the manifest/, 'spice_drop refuses a dataset that is in the manifest');
value(q{SELECT spice_drop('beside')});
is( value(q{SELECT count(*) FROM pg_class c LEFT JOIN spice_catalog.dataset d ON d.name = c.relname
	WHERE c.relname = 'beside' OR d.name = 'beside'}), '0', 'spice_drop drops the dataset\'s relations');

my $renamed = value(q{SELECT 'renamed'::regclass::oid});
Spice::write_manifest($node, Spice::manifest([ items('first') ]));
wait_for(q{SELECT status = 'removed' FROM spice.datasets WHERE dataset = 'renamed'}, 'another dataset leaves the manifest');
$source->set('/items', body => [ { id => 9, kind => 'odd' } ]);
Spice::write_manifest($node, Spice::manifest([ items('first'), items('renamed') ]));
wait_for('SELECT array_agg(id) = ARRAY[9]::bigint[] FROM renamed', 'a dataset that comes back is refreshed');
is(value(q{SELECT 'renamed'::regclass::oid}), $renamed, 'a dataset that comes back has its former table');

# --- what happens while a refresh is under way

my %once = (refresh_check_interval => '1h', refresh_retry_enabled => $false);
my $columns_of_slow = q{SELECT string_agg(column_name, ' ' ORDER BY ordinal_position)
	FROM information_schema.columns WHERE table_name = 'slow' AND table_schema = 'public'};
my $slow = items('slow', %once);

# at its source
$slow->{from} = $source->url('/slow');
$source->set('/slow', body => [ { id => 1, kind => 'odd' } ], hold => $true);
Spice::write_manifest($node, Spice::manifest([ items('first'), $slow ]));
$source->wait('/slow', 'held');
$source->set('/slow', body => [ { id => 1, kind => 'odd' } ]);
$slow->{acceleration}{refresh_sql} = 'SELECT id FROM slow';
Spice::write_manifest($node, Spice::manifest([ items('first'), $slow ]));
wait_for(q{SELECT definition ->> 'refresh_sql' = 'SELECT id FROM slow' FROM spice_catalog.dataset WHERE name = 'slow'},
	'a definition that is replaced during a transfer takes effect');
$source->release('/slow');
wait_for($columns_of_slow, 'the new one does not wait until the next refresh is due', 'id');
is(value(q{SELECT failures || status FROM spice.datasets WHERE dataset = 'slow'}), '0ready', 'the refresh of the old definition does not move the new clock');

# in its load
my $gate = Spice::Session->new($node);
value(q{CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_advisory_xact_lock_shared(2183); RETURN true; END $$});
my $in_load = q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 2183 AND NOT granted};
$gate->query('SELECT pg_advisory_lock(2183)');
$slow->{acceleration}{refresh_sql} = 'SELECT kind FROM slow WHERE gate()';
Spice::write_manifest($node, Spice::manifest([ items('first'), $slow ]));
wait_for($in_load, 'a load waits for a lock');
$slow->{acceleration}{refresh_sql} = 'SELECT kind, id FROM slow';
Spice::write_manifest($node, Spice::manifest([ items('first'), $slow ]));
wait_for(q{SELECT definition ->> 'refresh_sql' = 'SELECT kind, id FROM slow' FROM spice_catalog.dataset WHERE name = 'slow'},
	'a definition that is replaced during a load takes effect');
$gate->query('SELECT pg_advisory_unlock(2183)');
wait_for($columns_of_slow, 'the new one does not wait either', 'kind id');

$gate->query('SELECT pg_advisory_lock(2183)');
Spice::write_manifest($node, Spice::manifest([ items('first'), items('brief', %once, refresh_sql => 'SELECT * FROM brief WHERE gate()') ]));
wait_for($in_load, 'a first load waits for a lock');
Spice::write_manifest($node, Spice::manifest([ items('first') ]));
wait_for(q{SELECT status = 'removed' FROM spice.datasets WHERE dataset = 'brief'}, 'the dataset leaves the manifest during its first load');
value(q{SELECT spice_drop('brief')});
$gate->query('SELECT pg_advisory_unlock(2183)');
$gate->quit;
wait_for(q{SELECT outcome = 'failed' AND error LIKE 'dataset "brief" was dropped during the refresh%'
	FROM spice.refreshes WHERE dataset = 'brief'}, 'the dataset is dropped during its first load');
is(value(q{SELECT count(*) FROM pg_class WHERE relname = 'brief'}), '0', 'the first load of a dropped dataset leaves no table');

# --- secrets

sub keyed
{
	my ($name, $reference, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url("/$name"),
		params => { http_username => 'u', http_password => $reference }, %keys);

	return $dataset;
}
my %password = (
	environment => 'environment-1', prefixed => 'environment-2', dot => 'dotenv-1', dotlocal => 'local-1',
	absent => 'dotenv-3');
$source->set("/$_", body => [ { id => 1 } ], basic => [ 'u', $password{$_} ]) for keys %password;
Spice::write_beside_manifest($node, '.env', "SPICE_DOT=dotenv-1\nDOT_LOCAL='dotenv-2'\n");
Spice::write_beside_manifest($node, '.env.local', "DOT_LOCAL=local-1\n");
my @keyed = (
	keyed('environment', '${secrets:FROM_ENVIRONMENT}'), keyed('prefixed', '${env:SHADOWED}'),
	keyed('dot', '${secrets:DOT}'), keyed('dotlocal', '${secrets:DOT_LOCAL}'),
	keyed('absent', '${secrets:ABSENT}', refresh_check_interval => '1s'));
Spice::write_manifest($node, Spice::manifest([ items('first'), @keyed ]));
wait_for(qq{SELECT count(*) = 1 FROM $_->{name}}, "a secret: $_->{name}") for @keyed[ 0 .. 3 ];
wait_for(q{SELECT status = 'error' AND last_error ~ 'http_password.*ABSENT' FROM spice.datasets
	WHERE dataset = 'absent'}, 'the error names the secret that is missing');
is(scalar $source->log('/absent'), 0, 'the source gets no request without the secret');
is(value(q{SELECT spice_ready()}), 'f', 'a dataset that was never loaded is not ready');
Spice::write_beside_manifest($node, '.env', "SPICE_DOT=dotenv-1\nDOT_LOCAL='dotenv-2'\nABSENT=dotenv-3\n");
wait_for(q{SELECT count(*) = 1 FROM absent}, 'the next interval loads the dataset once the secret is there');
wait_for(q{SELECT status = 'ready' AND failures = 0 AND last_error IS NULL FROM spice.datasets
	WHERE dataset = 'absent'}, 'the error is cleared');
is(value('SELECT spice_ready()'), 't', 'spice_ready() is true once every dataset is loaded');

$node->stop;
done_testing();
