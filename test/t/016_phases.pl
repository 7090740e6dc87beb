# A refresh that is ended by statement_timeout, a cancel or a terminate, in each of its
# phases: nothing of it is left but the truth in history, and the next one works.
#
# The phases are held by gates, advisory locks that the refresh meets: in the source's
# answer, in a function of refresh_sql, in one that an index and its statistics ask.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $source = Spice::Source->new;
my $version = 0;
my %slow = (refresh_check_interval => '1h', engine => 'duckdb', mode => 'file');
my $news = Spice::dataset('news', $source->url('/news'), %slow, refresh_mode => 'append');
$news->{time_column} = 'at';

# each time another answer, too large for memory; of so many rows that statistics are computed each time
sub rows
{
	$version++;
	return [ map { { id => $_, version => $version, at => sprintf('2025-01-01T00:%02d:%02dZ', $version / 60, $version % 60),
			text => 'x' x 5000 } } 1 .. 100 ];
}

sub answer
{
	my ($dataset, %more) = @_;

	$source->set("/$dataset", body => rows(), %more);
	return;
}

answer($_) for qw(whole news);
my $node = Spice::new_node('phases',
	Spice::manifest([
		Spice::dataset('whole', $source->url('/whole'), %slow), $news ]),
	'autovacuum = off', 'spice.fetch_memory = 64kB');
my $session = Spice::Session->new($node);
my $holder = Spice::Session->new($node);

sub value
{
	my ($query) = @_;
	my $answer = $session->query($query);

	die $session->errors if $session->errors =~ /ERROR/;
	return $answer;
}

# until a query says so, or for so many seconds
sub reached
{
	my ($query, $seconds) = @_;
	my $deadline = time + ($seconds // $PostgreSQL::Test::Utils::timeout_default);

	while (value($query) ne 't')
	{
		return 0 if time > $deadline;
		select undef, undef, undef, 0.01;
	}
	return 1;
}

Spice::wait_for($node, 'SELECT spice_ready()', 'every dataset is loaded');

# --- gates

value(q{CREATE FUNCTION gate(phase int, value bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	-- what it has seen of other commands of its transaction is not what runs now
	PERFORM pg_stat_clear_snapshot();
	IF phase = 2 AND EXISTS (SELECT FROM pg_stat_progress_analyze p WHERE p.pid = pg_backend_pid()) THEN
		phase := 3;
	END IF;
	PERFORM pg_advisory_xact_lock_shared(4242, phase);
	RETURN value;
END $$});
value("CREATE INDEX ON $_ (gate(2, id))") for qw(whole news);
Spice::write_manifest($node, Spice::manifest([
	Spice::dataset('whole', $source->url('/whole'), %slow, refresh_sql => 'SELECT gate(1, id) AS id, version, at, text FROM whole'), $news ]));
value('SELECT spice_reload()');
value(q{SELECT spice_refresh('whole')});
# from here on nothing is refreshed but what is asked for: a retry would be in the way of what is looked at
value("SELECT spice_pause('$_')") for qw(whole news);
reached('SELECT count(*) = 0 FROM spice_catalog.refresh_history WHERE finished IS NULL') or die 'refreshes do not end';

my $waits_at = q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND classid = 4242 AND objid = %d
	AND NOT granted AND pid = %%d};

# what holds a refresh there, how it is seen to be there, what lets it go on, and whether
# the response is still needed then
sub at_gate
{
	my ($gate, $spooled) = @_;

	return {
		spooled => $spooled,
		hold => sub { $holder->query("SELECT pg_advisory_lock(4242, $gate)") },
		there => sprintf($waits_at, $gate),
		free => sub { $holder->query("SELECT pg_advisory_unlock(4242, $gate)") }
	};
}

my @phases = (
	[ 'fetch', 'whole', { spooled => 1, hold => sub { answer('whole', hold => $true) }, free => sub { answer('whole') } } ],
	[ 'load', 'whole', at_gate(1, 1) ],
	[ 'index', 'whole', at_gate(2, 0) ],
	[ 'statistics', 'whole', at_gate(3, 0) ],
	[ 'swap', 'whole', {
			spooled => 0,
			hold => sub { $holder->query('BEGIN; SELECT count(*) FROM whole') },
			there => q{SELECT count(*) > 0 FROM pg_locks WHERE relation = 'whole'::regclass AND mode = 'AccessExclusiveLock'
				AND pid = %d},
			free => sub { $holder->query('COMMIT') } } ],
	[ 'fetch of append', 'news', { spooled => 1, hold => sub { answer('news', hold => $true) }, free => sub { answer('news') } } ],
	[ 'merge', 'news', at_gate(2, 1) ]);

# until the refresh of that process is held
sub is_there
{
	my ($phase, $dataset, $pid, $seconds) = @_;

	if ($phase->{there})
	{
		return 0 unless reached(sprintf($phase->{there}, $pid), $seconds);
	}
	else
	{
		$source->wait("/$dataset", 'held');
	}
	return reached("SELECT count(*) = $phase->{spooled} FROM pg_ls_tmpdir()", $seconds);
}

# --- ways to end

# The moment of a timeout cannot be chosen: longer ones until the refresh gets that far.
sub time_out
{
	my ($phase, $dataset) = @_;
	my $refreshing = Spice::Session->new($node);
	my $pid = $refreshing->query('SELECT pg_backend_pid()');
	my $there = 0;

	for (my $timeout = 500; !$there && $timeout < 20000; $timeout *= 2)
	{
		$source->clear_log;
		$refreshing->send("SET statement_timeout = $timeout; SELECT spice_refresh('$dataset')");
		$there = is_there($phase, $dataset, $pid, $timeout / 1000);
		$refreshing->answer;
	}
	like($refreshing->errors, qr/canceling statement due to statement timeout/, 'the session gets the error') if $there;
	$refreshing->quit;
	return $there;
}

sub end_session
{
	my ($phase, $dataset, $function, $told) = @_;
	my $refreshing = Spice::Session->new($node);
	my $pid = $refreshing->query('SELECT pg_backend_pid()');

	$source->clear_log;
	$refreshing->send("SELECT spice_refresh('$dataset')");
	my $there = is_there($phase, $dataset, $pid);
	value("SELECT $function($pid)");
	if ($function eq 'pg_cancel_backend')
	{
		$refreshing->answer;
		like($refreshing->errors, $told, 'the session gets the error');
		$refreshing->quit;
	}
	return $there && reached("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
}

sub end_worker
{
	my ($phase, $dataset, $function, $outcome, $error) = @_;
	my $last = value('SELECT max(id) FROM spice_catalog.refresh_history');
	my $mine = "FROM spice_catalog.refresh_history WHERE id > $last AND dataset = '$dataset' AND trigger = 'request'";

	$source->clear_log;
	value("SELECT spice_refresh('$dataset', wait => false)");
	reached("SELECT count(*) > 0 $mine") or return 0;
	my $pid = value("SELECT pid $mine");
	my $there = is_there($phase, $dataset, $pid);

	# history tells while it is under way, and afterwards
	is(value("SELECT outcome $mine"), 'running', 'history shows the refresh as running');
	# another worker would do the request again at once
	value('DELETE FROM spice_catalog.refresh_request');
	value("SELECT $function($pid)");
	reached("SELECT count(*) > 0 $mine AND finished IS NOT NULL");
	is(value("SELECT outcome $mine"), $outcome, 'history shows how the refresh ended');
	like(value("SELECT error $mine"), $error, 'and why');
	reached("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'spice refresh $dataset'") or diag(
		value('SELECT string_agg(a::text, chr(10)) FROM pg_stat_activity a'));
	return $there;
}

my @ways = (
	[ 'statement_timeout in a session', \&time_out ],
	[ 'cancel of a session', \&end_session, 'pg_cancel_backend', qr/canceling statement due to user request/ ],
	[ 'terminate of a session', \&end_session, 'pg_terminate_backend' ],
	[ 'cancel of a worker', \&end_worker, 'pg_cancel_backend', 'failed', qr/canceling statement due to user request/ ],
	[ 'terminate of a worker', \&end_worker, 'pg_terminate_backend', 'interrupted', qr/process ended/ ]);

# --- what is left

sub version_of
{
	my ($dataset) = @_;

	return value("SELECT pg_relation_filenode('$dataset') || ' ' || md5(string_agg(ctid || ' ' || xmin || t::text, ',' ORDER BY ctid))"
		  . " || count(*) FROM $dataset t");
}

# all that a refresh which is gone could have left
my %left = (
	'a heap' => q{SELECT relname FROM pg_class WHERE relname LIKE 'spice_new%'},
	'a file of no relation' => q{SELECT f FROM pg_database d, pg_ls_dir('base/' || d.oid) f
		WHERE d.datname = current_database() AND f ~ '^t?[0-9]' AND NOT EXISTS
		(SELECT 1 FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = regexp_replace(f, '[_.].*', ''))},
	'a temporary file' => 'SELECT name FROM pg_ls_tmpdir()',
	'a lock' => q{SELECT locktype || ' ' || pid FROM pg_locks WHERE objsubid = 83 OR mode = 'AccessExclusiveLock'},
	'a row of history that is under way' => q{SELECT id FROM spice_catalog.refresh_history WHERE outcome = 'running' OR finished IS NULL});

foreach my $each (@phases)
{
	my ($phase, $dataset, $gate) = @$each;

	foreach my $way (@ways)
	{
		my ($name, $end, @arguments) = @$way;
		my $before = version_of($dataset);

		answer($dataset);
		$gate->{hold}->();
		ok($end->($gate, $dataset, @arguments), "$phase: $name: the refresh reaches this phase");
		is(version_of($dataset), $before, "$phase: $name: the table keeps its rows");
		# what is dropped goes from the disk by the next checkpoint
		value('CHECKPOINT');
		is(join(', ', map { value($left{$_}) ne '' ? "$_ " . value($left{$_}) : () } sort keys %left), '', "$phase: $name: nothing of the refresh is left");
		$gate->{free}->();
		answer($dataset);
		is(value("SELECT spice_refresh('$dataset'); SELECT max(version) FROM $dataset"), "100\n$version", "$phase: $name: the next refresh succeeds");
	}
}
is(value('SELECT count(*) = count(DISTINCT (id, version)) FROM news'), 't', 'no appended row is doubled');

$node->stop;
done_testing();
