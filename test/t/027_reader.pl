# The process that reads the records of a large response while another one writes the rows,
# and reads some of them: the same rows in the same order, the same errors, and no process
# left behind.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $count = 20_000;
my $source = Spice::Source->new;
my $node;

sub value { return $node->safe_psql('postgres', $_[0]); }

# whether anything has started parallel workers since the given place of the log
sub readers_since
{
	my ($offset) = @_;
	my @starts = slurp_file($node->logfile, $offset) =~ /starting background worker process "parallel worker/g;

	return scalar @starts;
}

sub refresh
{
	my ($sql) = @_;
	my $offset = -s $node->logfile;
	my ($status, undef, $error) = $node->psql('postgres', $sql);

	return ($status, $error, readers_since($offset));
}

# what tells rows apart: nulls, fields that are missing, escapes, texts beyond a page and a batch
sub row
{
	my ($id) = @_;
	# so that the response is a few times what the writer begins with
	my $row = { id => $id, text => "row $id", price => $id / 100, padding => chr(97 + $id % 26) x (900 + $id % 7) };

	$row->{text} = undef if $id % 7 == 0;
	delete $row->{price} if $id % 11 == 0;
	$row->{text} = "a \"quoted\"\nline \\ \x{e4}\x{20ac} $id" if $id % 13 == 0;
	$row->{nested} = { list => [ 1, $id ], deep => { a => undef } } if $id % 17 == 0;
	$row->{text} = 'long ' x (20_000 + $id) if $id % 5_000 == 0;
	return $row;
}

my @rows = map { row($_) } 1 .. $count;
$source->set($_, body => \@rows) for qw(/rows /alone);

# what takes longer to read than to write, so that the writer is handed some of it
my $unused = join ',', map { $_ % 10 } 1 .. 400;
my $text = '[' . join(',', map { sprintf '{"id":%d,"text":"%s","unused":[%s]}', $_, $_ % 3 ? "row $_" : "} a brace { $_", $unused } 1 .. $count) . ']';
my $file = PostgreSQL::Test::Utils::tempdir() . '/shared.json';

sub set_shared
{
	Spice::write_file($file, $_[0]);
	$source->set('/shared', body_file => $file);
	return;
}
set_shared($text);

# more than the queue between the two holds
$source->set('/wide', body => [ map { { id => $_, text => 'wide ' x 300 } } 1 .. $count ]);

sub big
{
	my ($name, $path, %keys) = @_;
	my $dataset = Spice::dataset($name, $source->url($path), refresh_retry_enabled => JSON::PP::false, %keys);

	# the answer has the first; the second is NULL in each row
	$dataset->{columns} = [ { name => 'id', type => 'bigint' }, { name => 'amount', type => 'numeric(20,4)' } ];
	return $dataset;
}

my @datasets = (big('rows', '/rows'), big('alone', '/alone'), big('wide', '/wide'),
	big('shared', '/shared', refresh_sql => 'SELECT id, text FROM shared'));
$node = Spice::new_node('reader', Spice::manifest(\@datasets),
	q{spice.fetch_memory = '64kB'}, 'log_min_messages = debug1', 'spice.parallel_when_busy = on',
	# a sample so small that no other process helps with the statistics
	'default_statistics_target = 10');
Spice::wait_for($node, 'SELECT spice_ready()', 'four datasets are loaded');
ok(readers_since(0) >= 4, 'each dataset has a reader process of its own');

# --- the same rows

value(q{SET max_parallel_workers_per_gather = 0; SELECT spice_refresh('alone', 'SELECT * FROM alone')});
is(value('SELECT count(*), sum(id), count(text), count(price), count(nested) FROM rows'),
	join('|', $count, $count * ($count + 1) / 2, scalar(grep { defined $_->{text} } @rows),
		scalar(grep { exists $_->{price} } @rows), scalar(grep { $_->{nested} } @rows)), 'no row is lost');
is(value('SELECT count(*) FROM ((TABLE rows EXCEPT ALL TABLE alone) UNION ALL (TABLE alone EXCEPT ALL TABLE rows)) d'),
	'0', 'the rows are those that one process loads');
is(value('SELECT bool_and(id = n) FROM (SELECT id, row_number() OVER (ORDER BY ctid) AS n FROM rows) o'), 't',
	'the rows are in the order of the response');
is(value('SELECT length(text) FROM rows WHERE id = 20000'), 5 * 40_000, 'long texts are whole');
push @rows, { id => $count + 1, unheard => 1 };
$source->set('/rows', body => \@rows);
my ($status, $error, $readers) = refresh(q{SELECT spice_refresh('rows')});
is($readers, 1, 'a session\'s refresh has a reader process');
like(value(q{SELECT notice FROM spice.refreshes WHERE dataset = 'rows' LIMIT 1}),
	qr/1 values of fields that are no column, the first "unheard"/, 'history has what the reader process met');

# --- the same errors

$source->set('/rows', body => [ @rows, { id => 'not a number' } ]);
($status, $error, $readers) = refresh(q{SELECT spice_refresh('rows')});
is($readers, 1, 'the reader process meets a bad record');
like($error, qr/ERROR:  the value does not fit column "id" of type bigint/, 'the error is that of the bad record');
like($error, qr/DETAIL:  Dataset "rows", record 20002, byte \d+, value "not a number"/, 'the error has the place of the record');
is(value('SELECT count(*) FROM rows'), $count + 1, 'the table keeps its rows');
value(q{SELECT spice_refresh('rows', wait => false)});
Spice::wait_for($node, q{SELECT last_error LIKE 'the value does not fit column "id" of type bigint; Dataset "rows", record 20002, %'
	FROM spice.datasets WHERE dataset = 'rows'}, 'spice.datasets shows the same error');
$source->set('/rows', body => \@rows, truncate_after => 10_000_000);
(undef, $error) = refresh(q{SELECT spice_refresh('rows')});
like($error, qr/ERROR/, 'a body that ends early is an error');
$source->set('/rows', body => \@rows);

# --- who has read which records

# how many stripes the writer and the reader have read, by the newest line of the log
sub shares
{
	my ($offset) = @_;
	my @shares = slurp_file($node->logfile, $offset) =~ /of (\d+) records the writer has read (\d+)/g;

	return @shares[ -2, -1 ];
}

my $offset = -s $node->logfile;
value(q{SELECT spice_refresh('shared', 'SELECT id, text FROM shared')});
my ($of, $by_writer) = shares($offset);
is($of, $count, 'each record is read by one of the two processes');
# the first stripe is the writer's
cmp_ok($by_writer, '>', $count * 5 * 1024 * 1024 / length($text), 'the writing process reads some of the records');
cmp_ok($by_writer, '<', $count, 'the reader process reads some of the records');
is(value('SELECT count(*), sum(id), bool_and(id = n) FROM (SELECT id, row_number() OVER (ORDER BY ctid) AS n FROM shared) o'),
	join('|', $count, $count * ($count + 1) / 2, 't'), 'every record is there, in order');

# --- what is wrong first is what a refresh fails with, whoever reads what

my $failures = 0;
my $others = 0;

sub failure
{
	my ($workers) = @_;
	my (undef, $said) = refresh("SET max_parallel_workers_per_gather = $workers; SELECT spice_refresh('shared')");

	return join "\n", $said =~ /((?:ERROR|DETAIL): .*)/g;
}
# where a quote is missing, the reader takes texts for records behind what it has handed over
for my $place (1 .. 16)
{
	my $at = int($place * length($text) / 17);
	my $kind = $place % 8;
	my $broken = $text;

	# the response ends; a comma is missing, a brace, or a quote
	if ($kind == 0) { $broken = substr($broken, 0, $at); }
	elsif ($kind == 1) { substr($broken, index($broken, '},{', $at) + 1, 1) = ' '; }
	elsif ($kind == 2) { substr($broken, index($broken, '},{', $at), 1) = ''; }
	else { substr($broken, index($broken, '"', $at), 1) = ''; }
	set_shared($broken);
	my $alone = failure(0);
	my $shared = failure(2);

	$failures++ if $alone =~ /^ERROR:/ && $shared =~ /^ERROR:/;
	next if $shared eq $alone;
	$others++;
	diag("at $at, alone: $alone\nshared: $shared");
}
is($failures, 16, 'responses with a fault at any place are refused');
is($others, 0, 'the error is the one that a single process meets');
set_shared($text);

# --- queries that end early, read twice, or must not run beside a reader

($status, $error, $readers) = refresh(q{SELECT spice_refresh('rows', 'SELECT * FROM rows LIMIT 5')});
is("$status $readers", '0 1', 'a query with LIMIT 5 succeeds') or diag $error;
is(value('SELECT string_agg(id::text, \',\' ORDER BY id) FROM rows'), '1,2,3,4,5', 'a query with LIMIT 5 loads five rows');
($status, $error, $readers) =
  refresh(q{SELECT spice_refresh('rows', 'SELECT a.* FROM rows a JOIN rows b ON a.id = b.id + 1')});
is($status, 0, 'a self-join of the source succeeds') or diag $error;
is(value('SELECT count(*) FROM rows'), $count, 'a self-join of the source reads it twice');
value(q{CREATE FUNCTION noted(i bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS
	'BEGIN PERFORM set_config(''my.noted'', i::text, false); RETURN i; END'});
($status, $error, $readers) = refresh(q{SELECT spice_refresh('rows', 'SELECT * FROM rows WHERE noted(id) > 10')});
is("$status $readers", '0 0', 'a function that is not parallel safe runs without a reader process') or diag $error;
is(value('SELECT count(*) FROM rows'), $count + 1 - 10, 'its rows are right');
value('ALTER TABLE rows ADD CONSTRAINT positive CHECK (noted(id) > 0)');
($status, $error, $readers) = refresh(q{SELECT spice_refresh('rows')});
is("$status $readers", '0 0', 'a CHECK constraint is evaluated without a reader process') or diag $error;
value('ALTER TABLE rows DROP CONSTRAINT positive');
value(q{SET max_parallel_workers = 0; SELECT spice_refresh('rows', 'SELECT * FROM rows')});
is(value('SELECT count(*) FROM rows'), $count + 1, 'a refresh succeeds without a free worker');

# --- where processors are short

# runs the code while each processor has more to do than it can
sub while_busy
{
	my ($code) = @_;
	my @pids;

	for (1 .. 4 * `nproc`)
	{
		my $pid = fork() // die "fork: $!";

		if ($pid == 0)
		{
			# should the test end without ending this
			alarm 60;
			1 while 1;
		}
		push @pids, $pid;
	}
	my @result = $code->();
	kill 'KILL', @pids;
	waitpid $_, 0 for @pids;
	return @result;
}

($status, $error, $readers) = while_busy(sub { refresh(
	q{SET spice.parallel_when_busy = off; SELECT spice_refresh('wide', 'SELECT * FROM wide')}) });
is("$status $readers", '0 0', 'a refresh that waits for a processor starts no reader process') or diag $error;
($status, $error, $readers) = while_busy(sub { refresh(q{SELECT spice_refresh('wide', 'SELECT * FROM wide')}) });
is("$status $readers", '0 1', 'spice.parallel_when_busy starts a reader process anyway') or diag $error;

# --- inside of a subtransaction

my $in_block = q{DO $$ DECLARE n bigint; said text; BEGIN CREATE TEMP TABLE IF NOT EXISTS said (text text);
	BEGIN n := spice_refresh('rows', 'SELECT * FROM rows WHERE %s > -100');
	EXCEPTION WHEN division_by_zero THEN said := SQLERRM; END;
	INSERT INTO said VALUES (coalesce(said, n::text)); END $$; SELECT text FROM said};
($status, $error, $readers) = refresh(sprintf $in_block, '1 / (id - 15000)');
is("$status $readers", '0 1', 'an EXCEPTION block catches an error beside a reader process') or diag $error;
is(value('SELECT count(*) FROM rows'), $count + 1, 'the table keeps its rows');
is(value(sprintf $in_block, 'id'), $count + 1, 'a refresh in an EXCEPTION block succeeds');
is(value((sprintf $in_block, '1 / (id - 15000)') . ';' . (sprintf $in_block, 'id + 1')) =~ s/\n/ /gr,
	'division by zero division by zero ' . ($count + 1), 'a refresh after a failed block succeeds');
is(value('SELECT sum(id) FROM rows'), ($count + 1) * ($count + 2) / 2, 'its rows are right');
value(q{SELECT spice_refresh('rows')});

# --- a type whose conditions must not run in another process

value('CREATE TABLE kept (i bigint)');
value(q{CREATE FUNCTION kept(i bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS
	'BEGIN INSERT INTO public.kept VALUES (i); RETURN true; END'});
value('CREATE DOMAIN noted_id AS bigint CHECK (public.kept(VALUE))');
value('GRANT INSERT ON kept TO PUBLIC');
my $domain = Spice::dataset('domain', $source->url('/rows'), refresh_retry_enabled => JSON::PP::false);
$domain->{columns} = [ { name => 'id', type => 'public.noted_id' } ];
Spice::write_manifest($node, Spice::manifest([ @datasets, $domain ]));
Spice::wait_for($node, q{SELECT status IN ('ready', 'error') FROM spice.datasets WHERE dataset = 'domain'}, 'a dataset with a constrained domain is refreshed');
is(value(q{SELECT last_error IS NULL, rows FROM spice.datasets WHERE dataset = 'domain'}), 't|' . ($count + 1), 'the dataset with the domain is loaded')
  or diag(value(q{SELECT last_error FROM spice.datasets WHERE dataset = 'domain'}));
is(value('SELECT count(DISTINCT i) FROM kept'), $count + 1, 'the domain\'s condition was evaluated');
value('CREATE TYPE noted_range AS RANGE (subtype = noted_id, multirange_type_name = noted_ranges)');
$source->set('/ranges', body => [ map { { id => $_, ranges => "{[$_,$_]}", padding => 'x' x 100 } } 1 .. 2_000 ]);
my $ranges = Spice::dataset('ranges', $source->url('/ranges'), refresh_retry_enabled => JSON::PP::false);
$ranges->{columns} = [ { name => 'ranges', type => 'public.noted_ranges' } ];
value('TRUNCATE kept');
Spice::write_manifest($node, Spice::manifest([ @datasets, $domain, $ranges ]));
Spice::wait_for($node, q{SELECT status IN ('ready', 'error') FROM spice.datasets WHERE dataset = 'ranges'}, 'a dataset with multiranges over a domain is refreshed');
is(value(q{SELECT last_error IS NULL, rows FROM spice.datasets WHERE dataset = 'ranges'}), 't|2000', 'the multiranges are loaded')
  or diag(value(q{SELECT last_error FROM spice.datasets WHERE dataset = 'ranges'}));

# --- a reader that goes, and one whose refresh goes

sub slow_refresh
{
	my $session = Spice::Session->new($node);

	$session->send(q{SELECT spice_refresh('wide', 'SELECT * FROM wide WHERE pg_sleep(0.02) IS NOT NULL')});
	Spice::wait_for($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}, 'a reader process runs');
	return $session;
}

my $session = slow_refresh();
value(q{SELECT pg_cancel_backend(leader_pid) FROM pg_stat_activity WHERE backend_type = 'parallel worker'});
$session->answer;
like($session->errors, qr/canceling statement due to user request/, 'a refresh is cancelled beside its reader process');
$session->quit;
Spice::wait_for($node, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}, 'a cancelled refresh ends its reader process');
$session = slow_refresh();
value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'parallel worker'});
$session->answer;
like($session->errors, qr/terminating|ended too early|lost connection to parallel worker/, 'the end of a reader process fails its refresh');
is($session->query('SELECT count(*) FROM wide'), $count, 'the end of a reader process fails nothing else');
$session->quit;
is(value(q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', 'no temporary file is left');
$node->stop;
done_testing;
