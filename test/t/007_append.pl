# Append: whatever ends a refresh, and whenever, the tables have the rows that an
# uninterrupted run would have given.
#
# The sources grow by steps.  What they answer is a function of the step, and so is
# what the tables are to hold; between two steps the worker or the whole server is
# killed at a point that nobody has chosen.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;
use Time::HiRes qw(sleep time);

use constant KILLS => 25;
use constant AT_START => 4000;	# records
use constant MOST_SECONDS => 90;	# of killing

my $true = JSON::PP::true;
my $seed = $ENV{SPICE_SEED} // int(rand(1e9));
srand($seed);
diag("SPICE_SEED=$seed repeats these steps and kills");

my $source = Spice::Source->new;
my (@versions, @events);	# the sources' records, oldest first
my %states;					# table => { its rows as text => the step }
my $step = 0;

# Some seconds have several steps, so that records come late with a time that is
# already the newest of the table.
sub time_of_step
{
	my $second = int($step / 3);

	return sprintf('2025-03-01T%02d:%02d:%02dZ', int($second / 3600), int($second / 60) % 60, $second % 60);
}

# changes: keys that are new, or come again, some of them twice in a step;
# events: no key, and records that are equal in everything
sub grow
{
	my ($count) = @_;
	my $at = time_of_step();

	for (1 .. $count)
	{
		my $key = 1 + int(rand(2 * AT_START));
		my $event = { kind => "kind $key", size => int(rand(3)), at => $at };

		push @versions, { id => $key, value => "$key at step $step, $_", at => $at };
		push @events, $event;
		push @events, $event if rand() < 0.3;
	}
	return;
}

sub sorted_text
{
	return join "\n", sort @_;
}

sub remember_states
{
	my %latest = map { $_->{id} => $_ } @versions;
	my $events = sorted_text(map { "$_->{kind}|$_->{size}|$_->{at}" } @events);

	$states{changes}{ sorted_text(map { "$_->{id}|$_->{value}|$_->{at}" } values %latest) } = $step;
	$states{$_}{$events} = $step for qw(events memory);
	return;
}

# the tables hold this step's state or one before; now and then the source is slow
sub set_sources
{
	my @slow = rand() < 0.3 ? (delay => rand(0.3)) : ();
	my %since = (parameter => 'since', field => 'at');

	$source->set('/changes', body => \@versions, etag => $true, @slow);
	$source->set('/events', body => \@events, etag => $true, since => \%since, @slow);
	return;
}

sub advance
{
	my ($count) = @_;

	$step++;
	grow($count);
	remember_states();
	set_sources();
	return;
}

my $append = { refresh_mode => 'append', refresh_check_interval => '1s' };
sub appended
{
	my ($name, $path, $mode, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url($path), engine => 'duckdb', mode => $mode, %$append, %keys);

	$dataset->{time_column} = 'at';
	return $dataset;
}

advance(AT_START);
my $by_watermark = { http_append_query => 'since={watermark}' };
my $events = appended('events', '/events', 'file');
my $memory = appended('memory', '/events', 'memory');
$_->{acceleration}{params} = $by_watermark for $events, $memory;
my $node = Spice::new_node(
	'append',
	Spice::manifest(
		[
			appended('changes', '/changes', 'file', primary_key => 'id', on_conflict => { id => 'upsert' }),
			$events, $memory
		]),
	'restart_after_crash = on', 'spice.max_refresh_workers = 2', 'fsync = off');
sub value { return $node->safe_psql('postgres', $_[0]); }

my %rows_of = (
	changes => q{SELECT id, value, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM changes},
	map { $_ => qq{SELECT kind, size, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM $_} }
	  qw(events memory));

sub rows
{
	my ($table) = @_;

	return sorted_text(split /\n/, value($rows_of{$table}));
}

Spice::wait_for($node, 'SELECT spice_ready()', 'the first loads succeed');
is($states{$_}{ rows($_) }, 1, "$_ has the first step's rows") for sort keys %rows_of;

# --- kills

# the server's own processes that refresh, as the kernel knows them
sub refreshers
{
	my $postmaster = $node->{_pid};
	my @pids;

	foreach my $path (glob '/proc/[0-9]*/stat')
	{
		open my $file, '<', $path or next;
		my $stat = <$file> // '';
		my ($pid, $parent) = $stat =~ /^(\d+) \(.*\) \S (\d+) /s or next;
		next unless $parent == $postmaster;
		open my $command, '<', "/proc/$pid/cmdline" or next;
		push @pids, $pid if (<$command> // '') =~ /spice refresh /;
	}
	return @pids;
}

# a refresh that is at some point between its start and its end, or none in time
sub kill_refresher
{
	my $deadline = time + 3;

	while (time < $deadline)
	{
		my @pids = refreshers();

		if (@pids)
		{
			sleep(rand(0.08));
			return kill 'KILL', $pids[ rand @pids ];
		}
		sleep(0.002);
	}
	return 0;
}

sub wait_until_up
{
	return $node->poll_query_until('postgres', 'SELECT 1', '1');
}

# a worker stays when it has done its work, so not each of its ends is the end of a refresh
my $interrupted = q{SELECT count(*) > 0 FROM spice.refreshes WHERE outcome = 'interrupted'};
my $seen_interrupted = 0;
my ($kills, %killed, @torn, %seen) = (0);
my $until = time + MOST_SECONDS;
while (($kills < KILLS || !$seen_interrupted) && time < $until)
{
	advance(1 + int(rand(60)));
	if (rand() < 0.6)
	{
		$killed{refresh} += kill_refresher();
	}
	else
	{
		sleep(rand(1.2));
		$node->stop('immediate');
		$node->start;
		$killed{server}++;
	}
	wait_until_up() or BAIL_OUT('the server does not come back');
	foreach my $table (qw(changes events))
	{
		my $found = $states{$table}{ rows($table) };

		push @torn, "$table at step $step" unless defined $found;
		$seen{$table}{ $found // '' } = 1;
	}
	$kills = ($killed{refresh} // 0) + ($killed{server} // 0);
	# the server may not have noticed a kill yet, and turn us away
	$seen_interrupted = 1 if eval { ($node->psql('postgres', $interrupted))[1] eq 't' };
}
cmp_ok($kills, '>=', 10, "killed $kills times: " . join ', ', map { "$_ $killed{$_}" } sort keys %killed);
ok($killed{refresh} && $killed{server}, 'the server ends during a refresh');
is("@torn", '', 'after each crash the logged tables have the rows of one step');
cmp_ok(scalar keys %{ $seen{$_} }, '>', 3, "$_ went on in between") for qw(changes events);
is(value($interrupted), 't', 'history has interrupted refreshes');

# --- afterwards

sub settle
{
	my ($name) = @_;

	Spice::wait_for($node, qq{SELECT count(*) = 3 FROM spice.datasets d WHERE status = 'ready' AND watermark IS NOT NULL
		AND (SELECT r.outcome = 'unchanged' FROM spice.refreshes r WHERE r.dataset = d.dataset AND r.finished IS NOT NULL
			AND r.started > '$_[1]' LIMIT 1)}, "$name: no refresh runs any more");
	foreach my $table (sort keys %rows_of)
	{
		my $column = 'watermark::timestamptz = (SELECT max(at) FROM ' . $table . ')';

		is($states{$table}{ rows($table) }, $step, "$name: $table has the rows of an uninterrupted run");
		is(value("SELECT $column FROM spice.datasets WHERE dataset = '$table'"), 't', "$name: $table, watermark");
		is(value("SELECT rows = (SELECT count(*) FROM $table) FROM spice.datasets WHERE dataset = '$table'"),
			't', "$name: $table, number of rows");
	}
	return;
}

set_sources();
settle('after the kills', value('SELECT clock_timestamp()'));
is(value(q{SELECT string_agg(DISTINCT http_status::text, ',') FROM spice.refreshes r WHERE outcome = 'unchanged'
	AND r.started > (SELECT max(started) FROM spice.refreshes WHERE outcome = 'appended')}), '304',
	'the validators are those of the loaded response');
my $storage = Spice::storage_of($node, 'changes');
advance(50);
$source->clear_log;
settle('one step more', value('SELECT clock_timestamp()'));
is(Spice::storage_of($node, 'changes'), $storage, 'the response was merged');
is(scalar(grep { $_->{query} !~ /^since=2025-03-01T00%3A/ } $source->log('/events')), 0,
	'each request after the first has a watermark');

$node->stop;
done_testing();
