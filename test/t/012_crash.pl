# Whatever process is killed, and whenever, readers see complete versions only, nothing
# is left over, and every dataset is refreshed again.
#
# The rows of one version of a source belong together: their amounts add up to zero and
# there is a known number of them.  So each read can tell by itself whether what it saw
# is a version, however often it changes.  SPICE_SEED repeats a run, as far as the moments
# of a machine can be repeated; SPICE_CRASH_SECONDS makes it longer, SPICE_CRASHES has it go
# on until so many processes have been ended ("make test-crash").
#
# The server runs without fsync, which hides nothing here: a process that is killed leaves
# the kernel all that it has written, and no test can take the machine's power.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IO::Handle;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;
use Time::HiRes qw(sleep time);

use constant ROWS => 3000;		# of a version; several times spice.fetch_memory
use constant STEP_ROWS => 20;	# that a step appends
use constant FIRST_STEPS => 30;
use constant STEPS_KEPT => 60;	# of the news, by the source: more than are made between two looks at all datasets
use constant READERS => 2;

my $wanted = $ENV{SPICE_CRASHES} // 0;
# with a number that is wanted: the longest that it may take
my $seconds = $ENV{SPICE_CRASH_SECONDS} // ($wanted ? 600 : 40);
my $seed = $ENV{SPICE_SEED} // int(rand(1e9));
srand($seed);
diag("SPICE_SEED=$seed repeats these kills");

my @full = qw(memory file);
my @all = (@full, 'news');
my $source = Spice::Source->new;
my $version = 0;
my @news;

# --- sources

# amounts that add up to zero
sub amounts
{
	my ($n) = @_;
	my @amounts = map { int(rand(1000)) } 2 .. $n;
	my $sum = 0;

	$sum += $_ for @amounts;
	return (@amounts, -$sum);
}

sub time_of
{
	my ($step) = @_;

	return sprintf('2025-03-01T%02d:%02d:%02dZ', int($step / 3600), int($step / 60) % 60, $step % 60);
}

# Files, as a test that sends all of it to its source would spend its time with that.
my $bodies = PostgreSQL::Test::Utils::tempdir();

sub advance
{
	my @amounts = amounts(ROWS);
	my @of_step = amounts(STEP_ROWS);

	$version++;
	Spice::write_file("$bodies/full", '[' . join(",\n",
		map { qq({"id":$_,"version":$version,"amount":$amounts[$_ - 1],"text":"a text that fills the row $_"}) } 1 .. ROWS) . ']');
	$source->set('/full', body_file => "$bodies/full");
	push @news, join ',', map { sprintf '{"step":%d,"nr":%d,"amount":%d,"at":"%s","text":"%s"}', $version, $_, $of_step[ $_ - 1 ],
		time_of($version), 'x' x 60 } 1 .. STEP_ROWS;
	shift @news if @news > STEPS_KEPT;
	Spice::write_file("$bodies/news", '[' . join(',', @news) . ']');
	$source->set('/news', body_file => "$bodies/news");
	return;
}

advance() for 1 .. FIRST_STEPS;
my %keys = (refresh_check_interval => '1s', engine => 'duckdb');
my $news = Spice::dataset('news', $source->url('/news'), %keys, mode => 'file', refresh_mode => 'append');
$news->{time_column} = 'at';
my $node = Spice::new_node(
	'crash',
	Spice::manifest([ (map { Spice::dataset($_, $source->url('/full'), %keys, mode => $_) } @full), $news ]),
	'restart_after_crash = on', 'spice.max_refresh_workers = 3', q{spice.fetch_memory = '64kB'}, 'spice.parallel_when_busy = on', 'fsync = off',
	'log_statement = none');

sub value { return $node->safe_psql('postgres', $_[0]); }
Spice::wait_for($node, 'SELECT spice_ready()', 'every dataset is loaded');

# --- readers

# One line a table: its name, is it a version?, which.  A crash empties what is in memory.
my $rows = ROWS;
my $step_rows = STEP_ROWS;
my $look = join ' UNION ALL ', map { qq{SELECT '$_', count(*) = $rows AND count(DISTINCT id) = $rows AND sum(amount) = 0
	AND min(version) = max(version) OR '$_' = 'memory' AND count(*) = 0, max(version) FROM $_} } @full;
$look .= qq{ UNION ALL SELECT 'news', sum(amount) = 0 AND count(*) = $step_rows * max(step)
	AND count(DISTINCT step * 1000 + nr) = count(*), max(step) FROM news};
$look =~ s/\s+/ /g;
my $folder = PostgreSQL::Test::Utils::tempdir();
my $script = "$folder/look.sql";
PostgreSQL::Test::Utils::append_to_file($script, "$look;\nSELECT pg_sleep(0.01) IS NULL;\n" x 100);

# one session after the other, as each may end any time; says what was no version
sub read_on
{
	my ($report) = @_;
	my (%newest, %reads);
	my $ended = 0;
	local $SIG{TERM} = sub { $ended = 1 };

	open my $out, '>', $report or die "$report: $!";
	$out->autoflush;
	my $test = getppid();
	until ($ended || getppid() != $test)
	{
		my $psql = open(my $lines, '-|', 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $script) or die $!;

		while (!$ended && defined(my $line = <$lines>))
		{
			my ($table, $complete, $which) = $line =~ /^(\w+)\|([tf]?)\|(\d*)$/ or next;

			print $out "torn: $line" if $complete ne 't';
			print $out "older than $newest{$table} of before: $line"
			  if $which ne '' && $which < ($newest{$table} // 0);
			$newest{$table} = $which if $which ne '';
			$reads{$table}++;
		}
		kill 'TERM', $psql if $ended;
		close $lines;
		sleep(0.05);
	}
	print $out "reads $_ $reads{$_}\n" for sort keys %reads;
	close $out;
	return;
}

# psql's complaints about a server that is gone belong to no test
sub start_reader
{
	my ($report) = @_;
	my $pid = fork() // die $!;

	return $pid if $pid;
	open STDERR, '>', '/dev/null';
	read_on($report);
	require POSIX;
	POSIX::_exit(0);
}

my @reports = map { "$folder/reader.$_" } 1 .. READERS;
my @readers = map { start_reader($_) } @reports;

# --- kills

# a process of a kind that is there for moments only: soon after it has come, or some time later
sub signal_child
{
	my ($signal, $title, $most_delay) = @_;
	my $deadline = time + 3;

	while (time < $deadline)
	{
		if (my @pids = Spice::children($node, $title))
		{
			sleep(rand($most_delay));
			return 1 if kill $signal, $pids[ rand @pids ];
		}
		sleep(0.002);
	}
	return 0;
}

# spice refresh: the worker's name, also while it waits for an order
my %ways = (
	'worker killed' => sub { signal_child('KILL', qr/spice refresh /, 0.15) },
	'worker terminated' => sub { signal_child('TERM', qr/spice refresh /, 0.15) },
	'worker cancelled' => sub { signal_child('INT', qr/spice refresh /, 0.15) },
	'reader process killed' => sub { signal_child('KILL', qr/parallel worker/, 0.02) },
	'reader process terminated' => sub { signal_child('TERM', qr/parallel worker/, 0.02) },
	'launcher killed' => sub { sleep(rand(0.5)); signal_child('KILL', qr/spice launcher/, 0.01) },
	'launcher terminated' => sub { sleep(rand(0.5)); signal_child('TERM', qr/spice launcher/, 0.01) },
	'immediate shutdown' => sub { sleep(rand(0.8)); $node->stop('immediate'); $node->start; 1 },
	'postmaster killed' => sub { sleep(rand(0.8)); Spice::kill_postmaster($node); $node->start; 1 });

my $up_to_date = join ' AND ', (map { "(SELECT max(version) FROM $_) = %1\$d" } @full),
  '(SELECT max(step) FROM news) = %1$d';

# every dataset has the newest version, and history no refresh that nobody does
sub settle
{
	my $all = $node->poll_query_until('postgres', 'SELECT coalesce(' . sprintf($up_to_date, $version) . ', false)');

	return $all && $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM spice_catalog.refresh_history h
		WHERE h.outcome = 'running' AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = h.pid)});
}

# Those that stay.  A worker that the launcher had asked for before the pause may be at work
# during a first look.
sub orphans
{
	my @files;

	value("SELECT spice_pause('$_')") for @all;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity
		WHERE backend_type IN ('spice refresh', 'parallel worker')}) or die 'refreshes do not end';
	for my $look (1 .. 5)
	{
		value('CHECKPOINT');
		@files = map { "$_ of " . (-s $node->data_dir . "/$_" // 0) . ' bytes' } Spice::unclaimed_files($node);
		last unless @files;
		diag("look $look: " . join ', ', @files);
		sleep(1);
	}
	value("SELECT spice_resume('$_')") for @all;
	return @files;
}

my (%done, @stuck);
my $start = time;

sub ends
{
	my $ends = 0;

	$ends += $_ for values %done;
	return $ends;
}

# Is this part of the run over?
sub is_over
{
	my ($part) = @_;

	return 1 if time > $start + $seconds * $part && !$wanted || time > $start + $seconds;
	return $wanted && ends() >= $wanted * $part;
}

sub end_one
{
	my ($way) = @_;

	advance();
	$done{$way} += $ways{$way}->();
	# the postmaster makes another launcher after some seconds, and without one there is little to end
	return if $way ne 'launcher terminated' && rand() < 0.6;
	settle() or push @stuck, "$way at version $version";
	return;
}

# These ways until that part of the run is over, each once before any comes again; the one
# that takes long in every fourth round only.
sub torture
{
	my ($part, @ways) = @_;

	for (my $round = 0; !is_over($part) && !@stuck; $round++)
	{
		foreach my $way (map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [ rand, $_ ] } @ways)
		{
			end_one($way) unless $round % 4 && $way eq 'launcher terminated';
		}
	}
	return;
}

# What ends a process in order leaves nothing.  What ends all of them at once leaves the
# files of relations whose transaction was under way, as the server keeps no list of those:
# at most the heap, its TOAST table and that one's index of each refresh.
my @in_order = grep { /terminated|cancelled/ } sort keys %ways;
torture(1 / 3, @in_order);
settle() or push @stuck, 'after the ends in order';
is(join(', ', orphans()), '', 'processes that end in order leave no file');
torture(1, sort keys %ways);
# a process that is there for moments may have been missed each time: those again, until it is met
my $longest = time + $PostgreSQL::Test::Utils::timeout_default;
while (time < $longest && !@stuck && (my @missed = grep { !$done{$_} } sort keys %ways))
{
	end_one($_) for @missed;
}
diag(sprintf '%d ends in %d s: %s', ends(), time - $start, join ', ', map { "$_ $done{$_}" } sort keys %done);
cmp_ok(ends(), '>=', $wanted, "as many ends as are wanted, in $seconds s") if $wanted;
ok($done{$_}, "$_ at least once") for sort keys %ways;
is("@stuck", '', 'after each end every dataset is refreshed again');

# --- afterwards

advance();
ok(settle(), 'every dataset gets the newest version at last');
kill 'TERM', @readers;
waitpid $_, 0 for @readers;
foreach my $report (@reports)
{
	my $said = slurp_file($report);

	unlike($said, qr/torn|older/, 'readers see complete versions only, and none older than before');
	like($said, qr/^reads $_ \d{2}/m, "and looked at $_ often") for @all;
}
is(value('SELECT count(*), count(DISTINCT (step, nr)) FROM news'), join('|', (STEP_ROWS * $version) x 2),
	'no appended row is lost or doubled');
value("SELECT spice_pause('$_')") for @all;
Spice::wait_for($node, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type IN ('spice refresh', 'parallel worker')},
	'paused datasets are not refreshed');
is(value(q{SELECT count(*) FROM spice_catalog.refresh_history WHERE outcome = 'running' OR finished IS NULL}), '0', 'history has no running refresh');
is(value(q{SELECT string_agg(dataset, ', ') FROM spice.datasets WHERE last_error IS NOT NULL}), '', 'no dataset has an error');
is(value(q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', 'no temporary file is left');
is(value(q{SELECT string_agg(relname, ', ') FROM pg_class WHERE relname LIKE 'spice_new%'}), '', 'no new heap is left');
is(value(q{SELECT count(*) FROM pg_locks WHERE objsubid = 83}), '0', 'no lock is left');

my $crashes = 0;
$crashes += $done{$_} for grep { !/terminated|cancelled/ } keys %ways;
is(join(', ', orphans()), '', "$crashes crashes leave no file of a heap, TOAST table or index");
is(value(q{SELECT string_agg(f, ', ') FROM pg_ls_dir('pg_stat') f WHERE f LIKE 'spice%'}), '', 'no ledger is left');

$node->stop;
done_testing();
