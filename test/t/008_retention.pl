# Retention by the launcher: when it runs, in which pieces, and beside whom.  And the
# finer points of the schedule: jitter, and due times over restarts.

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

# --- records that are some days old, and the datasets

sub records
{
	my ($days, $count, $first) = @_;
	my $at = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $days * 86400));

	return map { { id => $_, at => $at } } $first .. $first + $count - 1;
}

my @new = records(1, 100, 1);
$source->set("/$_", body => \@new) for qw(jittered always);
$source->set('/period', body => [ @new, records(100, 25000, 1001) ]);
$source->set('/batched', body => [ @new, records(100, 30, 1001) ]);
$source->set('/stated', body => [ @new, records(100, 40, 1001) ]);
$source->set('/paused', body => [ @new, records(100, 50, 1001) ]);
$source->set('/broken', body => [ @new, records(100, 1, 0) ]);

sub timed
{
	my ($name, $path, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url($path), engine => 'duckdb', mode => 'file', %keys);

	$dataset->{time_column} = 'at';
	return $dataset;
}

my %retained = (retention_check_enabled => $true);
my %period = (%retained, retention_period => '90d');
my @jittered = map {
	timed("jittered_$_", '/jittered', refresh_check_interval => '100s', refresh_jitter_enabled => $true,
		refresh_jitter_max => '40s')
} 1 .. 6;
my $node = Spice::new_node(
	'retention',
	Spice::manifest(
		[
			timed('period', '/period', %period, retention_check_interval => '1h'),
			timed('batched', '/batched', %period, retention_check_interval => '1h'),
			timed('paused', '/paused', %period, retention_check_interval => '1s'),
			timed('stated', '/stated', %retained, retention_check_interval => '1s',
				retention_sql => q{DELETE FROM stated AS s WHERE s.at < now() - interval '90 days' AND s.id % 2 = 0}),
			timed('broken', '/broken', %retained, retention_check_interval => '1s',
				retention_sql => 'DELETE FROM broken WHERE 10 / id > 10'),
			timed('always', '/always', refresh_mode => 'append', refresh_on_startup => 'always'),
			timed('plain', '/always'),
			@jittered
		]),
	'autovacuum = off');

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for { return Spice::wait_for($node, @_); }

my $retentions = q{FROM spice.refreshes WHERE mode = 'retention' AND finished IS NOT NULL AND dataset =};

sub count_of { return value("SELECT count(*) $retentions '$_[0]'"); }

sub wait_for_more
{
	my ($dataset, $more, $name) = @_;
	my $wanted = $more + count_of($dataset);

	return wait_for("SELECT count(*) >= $wanted $retentions '$dataset'", $name);
}

# --- at the start, and each interval

wait_for('SELECT spice_ready()', 'every dataset is loaded');
wait_for('SELECT count(*) = 100 FROM period', 'a new definition\'s retention runs at once');
wait_for("SELECT count(*) > 0 $retentions 'period' AND deleted > 0", 'history shows the retention when it has ended');
is( value("SELECT string_agg(outcome || ' ' || deleted || ' ' || (inserted IS NULL)::text, ',') $retentions 'period' AND deleted > 0"),
	'retained 25000 true', 'history shows one run with the number of deleted rows');
is(value(q{SELECT rows FROM spice.datasets WHERE dataset = 'period'}), '100', 'spice.datasets counts the deleted rows off');
is( value(q{SELECT next_retention BETWEEN now() + interval '50 min' AND now() + interval '60 min' FROM spice.datasets
	WHERE dataset = 'period'}), 't', 'the next retention is due after its interval');

wait_for('SELECT count(*) = 120 FROM stated', 'retention_sql');
wait_for_more('stated', 2, 'retention runs at each interval');
is(value(q{SELECT count(*) FILTER (WHERE id > 1000 AND id % 2 = 0) || ' ' || count(*) FILTER (WHERE id > 1000) FROM stated}),
	'0 20', 'retention_sql deletes the rows of its condition');
is(value("SELECT sum(deleted) $retentions 'stated'"), '20', 'once');
value(q{INSERT INTO stated (id, at) VALUES (2000, now() - interval '91 days')});
wait_for('SELECT NOT EXISTS (SELECT 1 FROM stated WHERE id = 2000)', 'retention deletes the rows that have become too old');

# --- in batches, on request

wait_for('SELECT count(*) = 100 FROM batched', 'another retention runs');
$source->set('/batched', body => [ @new, records(100, 25000, 1001) ]);
is(value(q{SELECT spice_refresh('batched')}), '25100', 'expired rows are in the table again');
value(
	q{CREATE TABLE batch (xid xid8, rows bigint);
	CREATE FUNCTION note_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN
		INSERT INTO public.batch SELECT pg_current_xact_id(), count(*) FROM gone;
		PERFORM pg_advisory_xact_lock(1);
		RETURN NULL;
	END $$;
	CREATE TRIGGER note_batch AFTER DELETE ON batched REFERENCING OLD TABLE AS gone
		FOR EACH STATEMENT EXECUTE FUNCTION note_batch()});
my $gate = Spice::Session->new($node);
my $reader = Spice::Session->new($node);
$gate->query('SELECT pg_advisory_lock(1)');
$reader->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM batched');
my $before = count_of('batched');
value(q{SELECT spice_retain('batched')});
wait_for(q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND NOT granted},
	'spice_retain() is in its first batch');
is(value(q{SET lock_timeout = '5s'; SELECT count(*) FROM batched}), '25100', 'readers are not blocked by a batch');
is(value(q{SET lock_timeout = '5s'; UPDATE batched SET at = at WHERE id = 1 RETURNING id}), '1', 'writers are not blocked by a batch');
$gate->query('SELECT pg_advisory_unlock(1)');
wait_for("SELECT count(*) > $before $retentions 'batched'", 'spice_retain() deletes the remaining batches');
is($reader->query('SELECT count(*) FROM batched'), '25100', 'an older snapshot still sees the deleted rows');
$reader->query('COMMIT');
is(value("SELECT deleted || ' ' || trigger $retentions 'batched' LIMIT 1"), '25000 request', 'every expired row is deleted');
is(value('SELECT count(*) FROM batched'), '100', 'the table has only rows that are kept');
is(value('SELECT max(rows) FROM batch'), '10000', 'a batch has a bounded number of rows');
is(value('SELECT count(DISTINCT xid) >= 3 AND count(DISTINCT xid) = count(*) FROM batch'), 't', 'each batch is a transaction of its own');
is(value('SELECT count(*) FROM batched WHERE at > now() - interval \'90 days\''), '100', 'rows that are kept stay');
my (undef, undef, $error) = $node->psql('postgres', q{SELECT spice_retain('plain')});
like($error, qr/dataset "plain" has no retention.*HINT: .*retention_check_enabled/s, 'spice_retain() of a dataset without retention raises an error');

# --- paused

wait_for('SELECT count(*) = 100 FROM paused', 'the dataset is paused');
value(q{SELECT spice_pause('paused')});
wait_for(q{SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'spice % paused')},
	'and does');
my $runs = count_of('paused');
value(q{INSERT INTO paused (id, at) SELECT 5000 + i, now() - interval '100 days' FROM generate_series(1, 7) i});
wait_for_more('stated', 3, 'other datasets go on');
is(value('SELECT count(*) FROM paused'), '107', 'a paused dataset\'s rows are not deleted');
is(count_of('paused'), $runs, 'a paused dataset\'s retention does not run');
value(q{SELECT spice_resume('paused')});
wait_for('SELECT count(*) = 100 FROM paused', 'a resumed dataset\'s retention runs');

# --- failures

wait_for(q{SELECT status = 'error' AND last_error LIKE '%division by zero%' FROM spice.datasets WHERE dataset = 'broken'},
	'a failed retention shows its error');
wait_for_more('broken', 1, 'a failed retention is tried again');
is(value('SELECT count(*) FROM broken'), '101', 'a failed retention deletes nothing');
value('DELETE FROM broken WHERE id = 0');
wait_for("SELECT outcome = 'retained' $retentions 'broken' LIMIT 1", 'healed');
is(value(q{SELECT coalesce(last_error, 'none') FROM spice.datasets WHERE dataset = 'broken'}), 'none', 'a retention that succeeds clears the error');

# an interrupted run is done again, and is no reason to refresh
value(q{INSERT INTO batched (id, at) SELECT 50000 + i, now() - interval '100 days' FROM generate_series(1, 15000) i});
my $refreshes = q{SELECT count(*) FROM spice.refreshes WHERE dataset = 'batched' AND mode <> 'retention'};
my $refreshed = value($refreshes);
$gate->query('SELECT pg_advisory_lock(1)');
value(q{UPDATE spice_catalog.dataset SET next_retention = now() WHERE name = 'batched'; SELECT spice_reload()});
my $waiting = q{FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.locktype = 'advisory' AND NOT l.granted};
wait_for("SELECT count(*) = 1 $waiting", 'a batch is being deleted');
value("SELECT pg_terminate_backend(a.pid) $waiting");
wait_for("SELECT count(*) = 1 $retentions 'batched' AND outcome = 'interrupted'", 'the worker ends during a batch');
$gate->query('SELECT pg_advisory_unlock(1)');
wait_for('SELECT count(*) = 100 FROM batched', 'another worker deletes the remaining batches');
wait_for_more('stated', 3, 'the remaining batches are deleted');
is(value($refreshes), $refreshed, 'retention does not refresh the dataset');
$_->quit for $gate, $reader;

# --- jitter

my $from = q{FROM spice.datasets d, LATERAL (SELECT r.started, r.finished FROM spice.refreshes r
	WHERE r.dataset = d.dataset LIMIT 1) r WHERE d.dataset LIKE 'jittered%'};
is(value("SELECT count(*) $from AND d.next_refresh BETWEEN r.started + interval '60 s' AND r.finished + interval '140 s'"),
	'6', 'refresh_jitter: no more than refresh_jitter_max from the interval');
is(value("SELECT count(DISTINCT round(extract(epoch FROM d.next_refresh - r.finished), 1)) > 1 $from"),
	't', 'refresh_jitter spreads the refreshes at random');
is(value(q{SELECT count(*) FROM spice.datasets WHERE dataset = 'plain' AND next_refresh IS NULL}), '1', 'refresh_jitter gives a dataset without an interval no next refresh');

# --- restarts

my $due = q{SELECT string_agg(dataset || next_refresh, ',' ORDER BY dataset) FROM spice.datasets WHERE dataset LIKE 'jittered%'};
foreach my $mode (qw(fast immediate))
{
	my $before = value($due);
	my $batched = count_of('batched');
	my $now = value('SELECT clock_timestamp()');

	$node->stop($mode);
	$node->start;
	wait_for(qq{SELECT count(*) = 1 FROM spice.refreshes WHERE dataset = 'always' AND trigger = 'startup'
		AND outcome = 'unchanged' AND started > '$now'}, "$mode: refresh_on_startup always");
	wait_for("SELECT count(*) > $batched $retentions 'batched'", "$mode: retention runs at the start, whenever it was due");
	is(value($due), $before, "$mode: refreshes are due when they were");
	is(value(qq{SELECT count(*) FROM spice.refreshes WHERE (dataset LIKE 'jittered%' OR dataset = 'plain') AND started > '$now'}),
		'0', "$mode: no refresh is made before it is due");
}

$node->stop;
done_testing();
