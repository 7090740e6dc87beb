# refresh_cron and retention_cron: the jobs of pg_cron that belong to datasets.  What a
# job does is run by hand, as its user: pg_cron's own clock has minutes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $source = Spice::Source->new;
my $node;

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { return Spice::wait_for($node, @_); }

sub records
{
	my ($days, @ids) = @_;
	my $at = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $days * 86400));

	return map { { id => $_, at => $at } } @ids;
}

sub timed
{
	my ($name, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url('/items'), engine => 'duckdb', mode => 'file', %keys);

	$dataset->{time_column} = 'at';
	return $dataset;
}

# What becomes of each dataset, before the launcher has seen the file.
sub reload
{
	my (@datasets) = @_;
	my $session = Spice::Session->new($node);
	my $actions;

	$session->query('BEGIN; LOCK TABLE spice.manifest IN SHARE UPDATE EXCLUSIVE MODE');
	Spice::write_manifest($node, Spice::manifest(\@datasets));
	$actions = $session->query(
		q{SELECT string_agg(concat_ws(' ', dataset, action), ', ' ORDER BY dataset, action) FROM spice_reload()});
	$session->query('COMMIT');
	$session->quit;
	return $actions;
}

my %retention = (retention_check_enabled => $true, retention_period => '90d');
$source->set('/items', body => [ records(1, 1, 2) ]);

# --- without pg_cron

$node = Spice::init_node('cron', [], "shared_preload_libraries = 'pg_cron,spice'",
	"cron.database_name = 'postgres'", 'cron.use_background_workers = on', "cron.timezone = 'UTC'");
Spice::write_manifest($node, Spice::manifest([ timed('hourly', refresh_cron => '0 * * * *'), timed('plain') ]));
SKIP:
{
	if (!-e $node->config_data('--sharedir') . '/extension/pg_cron.control')
	{
		$node->append_conf('postgresql.conf', "shared_preload_libraries = 'spice'");
	}
	$node->start;
	value('CREATE EXTENSION spice');
	wait_for(q{SELECT status = 'error' FROM spice.datasets WHERE dataset = 'hourly'}, 'a cron expression without pg_cron is an error');
	my ($major) = value('SHOW server_version') =~ /^(\d+)/;
	like(value(q{SELECT last_error FROM spice.datasets WHERE dataset = 'hourly'}),
		qr/need extension pg_cron .*install postgresql-$major-cron, .*shared_preload_libraries.*cron\.database_name = 'postgres'.*CREATE EXTENSION pg_cron/,
		'the error\'s hint says what to install and to set');
	wait_for('SELECT count(*) = 2 FROM plain', 'other datasets are refreshed');
	skip 'this server has no pg_cron', 1
	  unless value(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'}) eq '1';
	value('CREATE EXTENSION pg_cron');
	with_pg_cron();
}
$node->stop;
done_testing();

# --- with it

sub jobs
{
	return value(q{SELECT string_agg(jobname || ': ' || schedule || ', ' || active, '; ' ORDER BY jobname) FROM cron.job});
}

# what pg_cron would do: the job's text, as its user, in its database
sub run_job
{
	my ($name) = @_;
	my ($user, $database, $command) = split /\|/,
	  value("SELECT username, database, command FROM cron.job WHERE jobname = '$name'");

	return $node->safe_psql($database, "SET ROLE $user; $command");
}

sub with_pg_cron
{
	value(q{SELECT cron.schedule('spice of life', '0 0 1 1 *', 'SELECT 1')});
	my $own = 'spice of life: 0 0 1 1 *, true';

	is(reload(timed('hourly', refresh_cron => '0 * * * *'), timed('plain')), 'hourly unchanged, plain unchanged',
		'CREATE EXTENSION pg_cron and spice_reload() heal it');
	wait_for(q{SELECT status = 'ready' AND last_error IS NULL FROM spice.datasets WHERE dataset = 'hourly'}, 'the error is cleared once pg_cron is there');
	is(jobs(), "$own; spice refresh hourly: 0 * * * *, true", 'pg_cron has a job with the dataset\'s name');
	is(value(q{SELECT refresh_cron || ' ' || cron_zone || ' ' || (next_refresh IS NULL) FROM spice.datasets WHERE dataset = 'hourly'}),
		'0 * * * * UTC true', 'spice.datasets shows the cron expression and its time zone');
	my $id = value(q{SELECT jobid FROM cron.job WHERE jobname = 'spice refresh hourly'});

	is(reload(timed('hourly', refresh_cron => ' 0  * * *   * '), timed('plain')), 'hourly unchanged, plain unchanged',
		'a cron expression with other blanks is applied');
	is(value(q{SELECT jobid FROM cron.job WHERE jobname = 'spice refresh hourly'}), $id, 'a cron expression with other blanks keeps its job');

	# what a job does
	$source->set('/items', body => [ records(1, 1 .. 3), records(100, 4) ]);
	is(value('SELECT count(*) FROM hourly'), '2', 'the source changes');
	run_job('spice refresh hourly');
	wait_for('SELECT count(*) = 4 FROM hourly', 'the job refreshes the dataset');
	is(value(q{SELECT trigger || ' ' || outcome FROM spice.refreshes WHERE dataset = 'hourly' LIMIT 1}),
		'request loaded', 'the launcher makes the job\'s refresh');

	# change, and retention
	is( reload(timed('hourly', refresh_cron => '30 4 * * mon', %retention, retention_cron => '*/5 * * * *'), timed('order-items', refresh_cron => '1 * * * *')),
		'hourly changed, order-items added, plain removed', 'the manifest\'s cron expressions change');
	is(jobs(), "$own; spice refresh hourly: 30 4 * * mon, true; spice refresh order-items: 1 * * * *, true; "
		  . 'spice retention hourly: */5 * * * *, true', 'the jobs change with the manifest');
	run_job('spice retention hourly');
	wait_for('SELECT count(*) = 3 FROM hourly', 'the job of retention_cron deletes rows');
	is(value(q{SELECT trigger || ' ' || mode || ' ' || outcome || ' ' || deleted FROM spice.refreshes
		WHERE dataset = 'hourly' AND mode = 'retention' LIMIT 1}), 'request retention retained 1', 'the launcher makes the job\'s refresh');
	wait_for(q{SELECT status = 'ready' FROM spice.datasets WHERE dataset = 'order-items'}, 'a dataset with a cron expression is loaded at once');
	run_job('spice refresh order-items');
	wait_for(q{SELECT count(*) = 1 FROM spice.refreshes WHERE dataset = 'order-items' AND trigger = 'request'
		AND outcome = 'unchanged'}, 'the dataset is refreshed by its job afterwards');

	# what somebody has done to a job
	value(q{SELECT cron.alter_job(jobid, active => false) FROM cron.job WHERE jobname = 'spice refresh hourly'});
	value('SELECT spice_reload()');
	like(jobs(), qr/spice refresh hourly: 30 4 \* \* mon, true/, 'spice_reload() switches a job on that was switched off');
	value(q{SELECT cron.unschedule('spice refresh hourly')});
	value('SELECT spice_reload()');
	like(jobs(), qr/spice refresh hourly: 30 4 \* \* mon, true/, 'spice_reload() makes a job that was removed');

	# pause
	value(q{SELECT spice_pause('hourly')});
	unlike(jobs(), qr/hourly/, 'a paused dataset has no jobs');
	value('SELECT spice_reload()');
	unlike(jobs(), qr/hourly/, 'a paused dataset has no jobs after spice_reload()');
	value(q{SELECT spice_resume('hourly')});
	like(jobs(), qr/spice refresh hourly: .*spice retention hourly: /, 'a resumed dataset has its jobs again');

	# removal
	is(reload(timed('hourly', refresh_check_interval => '1h')), 'hourly changed, order-items removed', 'the manifest has no cron expression any more');
	is(jobs(), $own, 'only the jobs of other users remain');
	return;
}
