# A server that lives long: many datasets refreshed again and again, some of them failing,
# some appending and forgetting, while nothing grows: neither the launcher nor a worker, no
# file, no table of spice's own.  Then the database and the extension go while all that
# is under way.
#
# SPICE_SOAK_SECONDS makes it longer.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

use constant WORKERS => 3;
use constant EACH => 8;		# datasets of each kind

my $seconds = $ENV{SPICE_SOAK_SECONDS} // 18;
my $true = JSON::PP::true;
my $source = Spice::Source->new;
my %often = (refresh_check_interval => '1s');
my %file = (%often, engine => 'duckdb', mode => 'file');
my $version = 0;
my ($node, $session);

sub value
{
	my ($query) = @_;
	my $answer = $session->query($query);

	die $session->errors if $session->errors =~ /ERROR/;
	return $answer;
}

sub until_true
{
	my ($query, $name) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	while (value($query) ne 't')
	{
		return ok(0, $name) if time > $deadline;
		select undef, undef, undef, 0.02;
	}
	return ok(1, $name);
}

# --- a worker that is reused

# Two that go one after the other to one worker, while the other worker is held: the first
# is over, though its place is taken again before anybody has looked.
my @quick = map { "quick$_" } 1 .. 4;
$source->set("/$_", body => [ { id => 1 } ]) for @quick, qw(held second late);
$node = Spice::new_node('reused',
	Spice::manifest([ (map { Spice::dataset($_, $source->url("/$_")) } @quick, qw(held second)),
		Spice::dataset('late', $source->url('/late')), Spice::dataset('copy', 'table:public.origin') ]),
	q{spice.swap_timeout = '300ms'}, 'spice.max_refresh_workers = 2');
$session = Spice::Session->new($node);
value('CREATE TABLE origin AS SELECT 1 AS id; GRANT SELECT ON origin TO PUBLIC');
until_true(q{SELECT count(*) > 0 FROM spice.datasets WHERE dataset = 'copy'}, 'the manifest is applied');
value(q{SELECT spice_refresh('copy')});
until_true('SELECT spice_ready()', 'every dataset is loaded');

foreach my $dataset (@quick)
{
	my $mine = "FROM spice_catalog.refresh_history WHERE dataset = '$dataset' AND trigger = 'request' AND finished IS NOT NULL";

	$source->set("/$_", body => [ { id => 1 } ], hold => $true) for qw(held second);
	$source->clear_log;
	value(q{SELECT spice_refresh('held', wait => false)});
	$source->wait('/held', 'held');
	# both are known at the same look, this one as the older request
	value("BEGIN; SELECT spice_refresh('$dataset', wait => false); UPDATE spice_catalog.refresh_request SET requested = requested - interval '1 s';"
		  . " SELECT spice_refresh('second', wait => false); COMMIT");
	$source->wait('/second', 'held');
	$source->set('/held', body => [ { id => 1 } ]);
	$source->release('/held');
	value("SELECT spice_refresh('$dataset', wait => false)");
	until_true("SELECT count(*) = 2 $mine", "$dataset: another worker refreshes it while its worker is busy");
	is(value(q{SELECT count(*) FROM spice_catalog.refresh_history WHERE dataset = 'second' AND finished IS NULL}), '1', "$dataset: its first worker is still busy");
	$source->set('/second', body => [ { id => 1 } ]);
	$source->release('/second');
	until_true(q{SELECT count(*) = 0 FROM spice_catalog.refresh_history WHERE finished IS NULL}, "$dataset: every refresh ends");
}

# what one source has asked for is not what another dataset waits for
value(q{ALTER SYSTEM SET spice.max_refresh_workers = 1; SELECT pg_reload_conf()});
until_true(q{SELECT count(*) <= 1 FROM pg_stat_activity WHERE backend_type = 'spice refresh'}, 'one worker runs');
$source->set('/late', status => 503, body => '', headers => { 'Retry-After' => 600 });
my $reader = Spice::Session->new($node);
$reader->query('BEGIN; SELECT * FROM copy');
value(q{INSERT INTO origin VALUES (2)});
value("SELECT spice_refresh('$_', wait => false)") for qw(late copy);
until_true(q{SELECT count(*) = 2 FROM spice_catalog.refresh_history WHERE outcome = 'failed' AND trigger = 'request'}, 'two datasets fail');
is(value(q{SELECT string_agg(dataset, ' ' ORDER BY id) FROM spice_catalog.refresh_history WHERE outcome = 'failed' AND trigger = 'request'}),
	'late copy', 'the failures come one after the other');
is(value(q{SELECT count(DISTINCT pid) FROM spice_catalog.refresh_history WHERE outcome = 'failed' AND trigger = 'request'}), '1', 'one worker makes both refreshes');
is(value(q{SELECT next_refresh > now() + interval '9 min' FROM spice.datasets WHERE dataset = 'late'}), 't', 'a dataset waits as its source\'s Retry-After asks');
is(value(q{SELECT next_refresh < now() + interval '1 min' FROM spice.datasets WHERE dataset = 'copy'}), 't', 'the other dataset does not wait');
$reader->query('COMMIT');
until_true('SELECT count(*) = 2 FROM copy', 'the other dataset is retried');
$reader->quit;

# --- history

value(q{UPDATE spice_catalog.refresh_history SET started = started - interval '1 h' WHERE dataset IN ('held', 'second')});
value(q{INSERT INTO spice_catalog.refresh_history (dataset, started, trigger, mode, outcome, attempt, pid)
	SELECT 'gone', now() - interval '1 day', 'schedule', 'full', 'loaded', n, 0 FROM generate_series(1, 12000) n});
value(q{UPDATE spice_catalog.refresh_history SET started = started - interval '1 day' WHERE dataset = 'gone' AND attempt > 11997});
is(value('SELECT spice_catalog.expire_history(60, 3)'), '3', 'a batch of history has its size');
is(value(q{SELECT max(attempt) FROM spice_catalog.refresh_history WHERE dataset = 'gone'}), '11997', 'the oldest history is deleted first');
my $holder = Spice::Session->new($node);
$holder->query(q{BEGIN; SELECT 1 FROM spice_catalog.refresh_history WHERE dataset = 'gone' AND attempt = 1 FOR UPDATE});
value(q{ALTER SYSTEM SET spice.history_retention = '30min'; SELECT pg_reload_conf()});
value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'spice launcher'});
until_true(q{SELECT count(*) = 0 FROM spice.refreshes WHERE dataset IN ('held', 'second') AND outcome <> 'unchanged'},
	'history older than spice.history_retention is deleted');
is(value(q{SELECT count(*) = count(DISTINCT dataset) FROM spice.refreshes WHERE dataset IN ('held', 'second')}), 't',
	'the newest row that says when a dataset is due stays');
isnt(value('SELECT count(*) FROM spice.refreshes'), '0', 'newer history stays');
until_true(q{SELECT array_agg(attempt) = ARRAY[1] FROM spice.refreshes WHERE dataset = 'gone'},
	'a session that holds a row of history keeps no other row from being deleted');
$holder->quit;
$session->quit;
$node->stop;

# --- a day in miniature

my @same = map { "same$_" } 1 .. EACH;
my @changing = map { "changing$_" } 1 .. EACH;
my @failing = map { "failing$_" } 1 .. EACH;
my @news = map { "news$_" } 1 .. EACH;

# another version of all that changes; news are of the last seconds
sub advance
{
	my $now = time;

	$version++;
	$source->set("/$_", body => [ map { { id => $_, version => $version, text => 'x' x 100 } } 1 .. 200 ]) for @changing;
	$source->set("/$_", body => [ map { { id => "$_", version => $version, at => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($_)) } } $now - 10 .. $now ])
	  for @news;
	return;
}

sub append_dataset
{
	my ($name) = @_;
	my $dataset = Spice::dataset($name, $source->url("/$name"), %file, refresh_mode => 'append', primary_key => 'id',
		on_conflict => { id => 'upsert' }, refresh_append_overlap => '3s',
		retention_check_enabled => $true, retention_check_interval => '1s', retention_period => '15s');

	$dataset->{time_column} = 'at';
	return $dataset;
}

# memory of its own in kB, and files
sub look_at
{
	my ($pid) = @_;
	my ($memory) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;

	return ($memory, scalar(my @files = glob "/proc/$pid/fd/*"));
}

# kB that a process has asked for, by its own account: what the system has given it hides a small leak
sub used_by
{
	my ($pid) = @_;
	my $before = -s $node->logfile;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	value("SELECT pg_log_backend_memory_contexts($pid)");
	while (time < $deadline)
	{
		return $1 / 1024 if slurp_file($node->logfile, $before) =~ /\[$pid\] LOG:  Grand total: .* (\d+) used/;
		select undef, undef, undef, 0.02;
	}
	die "process $pid does not tell of its memory";
}

my %size = (
	'spice_catalog.dataset' => 'pg_relation_size', 'spice_catalog.refresh_request' => 'pg_relation_size',
	pg_class => 'pg_total_relation_size', pg_attribute => 'pg_total_relation_size', pg_depend => 'pg_total_relation_size');

sub look
{
	my %seen;

	my $launcher = Spice::pid_of($node, 'spice launcher');

	($seen{memory}, $seen{files}) = look_at($launcher);
	$seen{used} = used_by($launcher);
	$seen{$_} = value("SELECT $size{$_}('$_')") / 1024 for keys %size;
	$seen{refreshes} = value(q{SELECT max(id) FROM spice_catalog.refresh_history});
	$seen{worker} = 0;
	foreach my $pid (split /\n/, value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'spice refresh'}))
	{
		my ($memory, $files) = eval { look_at($pid) } or next;

		$seen{worker} = $memory if $memory > $seen{worker};
	}
	return \%seen;
}

$source->set("/$_", body => [ { id => 1 } ]) for @same, @failing;
advance();
$node = Spice::new_node('soak',
	Spice::manifest([
		(map { Spice::dataset($_, $source->url("/$_"), %often) } @same),
		(map { Spice::dataset($_, $source->url("/$_"), %file, indexes => { version => 'enabled' }) } @changing),
		(map { Spice::dataset($_, $source->url("/$_"), %often) } @failing),
		map { append_dataset($_) } @news ]),
	'spice.max_refresh_workers = ' . WORKERS, 'max_worker_processes = 12', 'log_statement = none', 'autovacuum_naptime = 1s',
	'autovacuum_vacuum_scale_factor = 0', 'autovacuum_vacuum_threshold = 200', 'autovacuum_vacuum_cost_delay = 0');
$session = Spice::Session->new($node);
until_true('SELECT spice_ready()', 'a day in miniature');
$source->set("/$failing[$_]", ({ status => 500 }, { status => 404 }, { redirect => 'http://127.0.0.1:1/' }, { body => '{' })[ $_ % 4 ]->%*) for 0 .. EACH - 1;

my ($start, $begun, $middle) = (time, undef, undef);
while (time < $start + $seconds)
{
	advance();
	value("SELECT spice_refresh('$_', wait => false)") for $same[ rand @same ], $changing[ rand @changing ], $news[ rand @news ];
	select undef, undef, undef, 0.4;
	$begun //= look() if time > $start + $seconds / 3;
}
my $ended = look();
my $refreshes = $ended->{refreshes} - $begun->{refreshes};
diag("$refreshes refreshes; " . join ', ', map { "$_ $begun->{$_} -> $ended->{$_}" } grep { $_ ne 'refreshes' } sort keys %$ended);
cmp_ok($refreshes, '>', $seconds * 5, 'the datasets are refreshed many times');
cmp_ok($ended->{memory}, '<', $begun->{memory} + 256, 'the launcher\'s memory does not grow after the first third');
cmp_ok($ended->{used}, '<', $begun->{used} + 32, 'the launcher\'s contexts do not grow');
# some, as the server keeps the files of tables open that it may need again
cmp_ok($ended->{files}, '<=', $begun->{files} + 8, 'the launcher\'s open files do not grow');
cmp_ok($ended->{worker}, '<', ($begun->{worker} > 8192 ? $begun->{worker} : 8192) + 4096, 'a worker\'s memory does not grow');
cmp_ok($ended->{$_}, '<=', $begun->{$_} * 1.5 + 256, "$_ does not grow with the refreshes") for sort keys %size;
foreach my $kind (\@same, \@changing, \@news)
{
	my $name = $kind->[0] =~ s/\d//r;

	is(value("SELECT count(*) FROM spice.datasets WHERE dataset ~ '^$name' AND status <> 'error' AND failures = 0"), EACH, "datasets that are $name are ready");
}
is(value(q{SELECT count(*) FROM spice.datasets WHERE dataset ~ '^failing' AND failures > 1 AND rows = 1}), EACH, 'datasets that fail keep their rows');
is(value("SELECT count(*) FROM $news[0] WHERE at < now() - interval '26 s'"), '0', 'expired rows are deleted');
is(value("SELECT count(*) - count(DISTINCT id) FROM $news[0]"), '0', 'no row is doubled');

value("SELECT spice_pause(dataset) FROM spice.datasets");
until_true(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'spice refresh'}, 'paused');
value('CHECKPOINT');
is(value(q{SELECT string_agg(f, ' ') FROM pg_database d, pg_ls_dir('base/' || d.oid) f
	WHERE d.datname = current_database() AND f ~ '^t?[0-9]' AND NOT EXISTS
	(SELECT 1 FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = regexp_replace(f, '[_.].*', ''))}), '', 'no file without a relation is left');
is(value('SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary file is left');
is(value(q{SELECT count(*) FROM spice_catalog.refresh_history WHERE finished IS NULL}), '0', 'history has no running refresh');

# --- the extension goes under load, and comes again

# It locks all that belongs to the extension one after the other, in an order of its own;
# neither what workers nor what sessions do meanwhile shall be in the way of that.
value('SELECT spice_resume(dataset) FROM spice.datasets');
foreach my $round (1 .. 6)
{
	my @busy = map { Spice::Session->new($node) } 1 .. 2;

	$source->set("/$_", body => [ { id => 1 } ], $round == 1 ? (hold => $true) : ()) for @same;
	advance();
	until_true(q{SELECT count(*) > 0 FROM spice_catalog.refresh_history WHERE finished IS NULL}, 'refreshes are running');
	foreach my $i (0, 1)
	{
		$busy[$i]->send(join ';', map { ("SELECT spice_refresh('$_')", 'SELECT count(*) FROM spice_reload()', 'SELECT spice_ready()') }
			grep { /[02468]$/ xor $i } @changing, @news);
	}
	$session->query('DROP EXTENSION spice CASCADE');
	unlike($session->errors, qr/ERROR/, 'DROP EXTENSION CASCADE');
	$_->answer for @busy;
	unlike(join('', map { $_->errors } @busy), qr/deadlock/, 'sessions only see errors about the dropped extension');
	is(value(q{SELECT count(*) FROM pg_class WHERE relname ~ '^(same|changing|failing|news|spice_new)'}), '0', 'DROP EXTENSION CASCADE takes them all');
	$_->quit for @busy;
	$source->set("/$_", body => [ { id => 1 } ]) for @same, @failing;
	$source->release("/$_") for @same;
	value('CREATE EXTENSION spice');
	until_true('SELECT spice_ready()', 'the extension that is made again loads every dataset');
}

# --- the database goes, with workers that are busy and workers that are idle

my $aside = Spice::Session->new($node, 'template1');
until_true(q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'spice refresh' AND state = 'idle'}, 'a worker waits for a job');
$session->quit;
$aside->query('DROP DATABASE postgres');
is($aside->errors, '', 'DROP DATABASE does not wait for it');
is($aside->query(q{SELECT count(*) FROM pg_database WHERE datname = 'postgres'}), '0', 'the database is dropped');
is($aside->query(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'spice refresh'}), '0', 'the workers of the dropped database end');
$aside->quit;
$node->stop;
my $log = slurp_file($node->logfile);
is(join("\n", grep { /PANIC|TRAP|was terminated by signal|deadlock/ } split /\n/, $log), '', 'the log has no crash and no deadlock');

done_testing();
