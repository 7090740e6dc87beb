# The process that reads for a refresh works from what the refresh hands to it: a manifest that
# is applied meanwhile neither changes what it reads nor ends the server.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $count = 20_000;
my $source = Spice::Source->new;
my $go = PostgreSQL::Test::Utils::tempdir() . '/go';

# A response with two versions of the rows, each larger than what the writer begins with.
sub version
{
	my ($name, $n) = @_;
	return [ map { { id => $_, version => $name, padding => 'x' x 300 } } 1 .. $n ];
}

$source->set('/versions', body => { a => version('a', $count), b => version('b', $count / 2) });
$source->set('/moving', body => "id,name\n" . join('', map { "$_," . 'x' x 300 . "\n" } 1 .. $count));

my $pause = 'WITH pause AS MATERIALIZED (SELECT public.wait_for_go() AS go) SELECT s.* FROM pause, %s s';

sub datasets
{
	my ($pointer, $format) = @_;
	return Spice::manifest([
		Spice::dataset('versions', $source->url('/versions'), params => { json_pointer => $pointer },
			refresh_retry_enabled => JSON::PP::false, refresh_sql => sprintf($pause, 'versions')),
		Spice::dataset('moving', $source->url('/moving'), params => { file_format => $format },
			refresh_retry_enabled => JSON::PP::false, refresh_sql => sprintf($pause, 'moving')) ]);
}

my $node = Spice::start_node('job', undef, q{spice.fetch_memory = '64kB'}, 'spice.parallel_when_busy = on',
	'log_min_messages = debug1');
# It stops a refresh between the look at its definition and the first row.
$node->safe_psql('postgres', "CREATE FUNCTION wait_for_go() RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS \$\$
	BEGIN WHILE pg_stat_file('$go', true) IS NULL LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN 1; END \$\$");
Spice::write_file($go, '');
Spice::write_manifest($node, datasets('/a', 'csv'));
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
Spice::wait_for($node, 'SELECT spice_ready()', 'the first version of both datasets is loaded');

# Runs a refresh during which the manifest becomes another one; returns its errors.
sub refresh_across
{
	my ($dataset, $manifest, $applied) = @_;
	my $session = Spice::Session->new($node);

	unlink $go;
	$session->send("SELECT spice_refresh('$dataset')");
	Spice::wait_for($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'}, 'a refresh has begun');
	Spice::write_manifest($node, $manifest);
	Spice::wait_for($node, $applied, 'and the manifest has changed');
	Spice::write_file($go, '');
	$session->answer;
	my $errors = $session->errors;
	$session->quit;
	return $errors;
}

my $of_definition = q{SELECT definition::text LIKE '%%%s%%' FROM spice_catalog.dataset WHERE name = '%s'};

is(refresh_across('versions', datasets('/b', 'csv'), sprintf($of_definition, '"/b"', 'versions')), '',
	'a refresh during which json_pointer changes');
Spice::wait_for($node, "SELECT count(*) = $count / 2 FROM versions", 'the dataset is loaded as the manifest has it now');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT rows::text, ',' ORDER BY rows::text)
	FROM spice.refreshes WHERE dataset = 'versions' AND outcome = 'loaded'}), join(',', $count / 2, $count),
	'each refresh has loaded one version whole');
is($node->safe_psql('postgres', 'SELECT count(*), min(version), max(version) FROM versions'), $count / 2 . '|b|b',
	'the table holds the version that the manifest names now');

$source->set('/moving', body => version('a', $count));
unlike(refresh_across('moving', datasets('/b', 'json'), sprintf($of_definition, '"format": "auto"', 'moving')),
	qr/terminat|lost connection|ended too early/, 'a refresh during which the format changes from CSV to JSON');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server lives');
unlike(slurp_file($node->logfile), qr/terminated by signal/, 'and no process of it has crashed');
$node->stop;
done_testing;
