# A secret is not in the memory of a process that has done its refresh: a core dump, a
# swapped page or a stray read shows none.
#
# The test reads the memory of the server's processes, as their own user may.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my %mark = map { $_ => "mark$_" . join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 24) } qw(password header);
# of the password's end alone, wherever the user's name leaves it in the three bytes
my %sought = (%mark, basic => substr(encode_base64("user:$mark{password}", ''), 12, 24));
my @good = (body => [ { id => 1 } ], basic => [ 'user', $mark{password} ]);
my %params = (
	client_timeout => '1s', http_username => 'user', http_password => '${secrets:PASSWORD}',
	http_headers => 'X-Token: Bearer ${secrets:HEADER}, X-Key: ${secrets:HEADER}');
my $told = "password $mark{password}, header $mark{header}";
my %once = (refresh_retry_enabled => JSON::PP::false);

$source->set("/$_", @good) for qw(items ticking);
my $node = Spice::start_node('wiped',
	Spice::manifest([
		Spice::dataset('items', $source->url('/items'), %once, params => \%params),
		# so that the worker does not leave
		Spice::dataset('ticking', $source->url('/ticking'), %once, refresh_check_interval => '1s', params => \%params) ]),
	'spice.max_refresh_workers = 1');
Spice::write_beside_manifest($node, '.env', "SPICE_PASSWORD=$mark{password}\nSPICE_HEADER=$mark{header}\n");
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
ok($node->poll_query_until('postgres', 'SELECT spice_ready()'), 'each dataset is loaded with its secret');

# where each mark is in what the process can write to and shares with nobody
sub find_marks
{
	my ($pid) = @_;
	my %found;

	open my $maps, '<', "/proc/$pid/maps" or die $!;
	open my $memory, '<:raw', "/proc/$pid/mem" or die "memory of process $pid: $!";
	while (my $line = <$maps>)
	{
		my ($from, $to, $name) = $line =~ /^(\w+)-(\w+) rw.p \S+ \S+ \S+\s*(.*)/ or next;
		my ($start, $length) = (hex $from, hex($to) - hex($from));
		my $bytes;

		next unless sysseek($memory, $start, 0) && sysread($memory, $bytes, $length);
		foreach my $mark (sort keys %sought)
		{
			for (my $at = -1; ($at = index($bytes, $sought{$mark}, $at + 1)) >= 0;)
			{
				my $around = substr $bytes, $at > 60 ? $at - 60 : 0, 150;

				push @{ $found{$mark} }, sprintf '%s %x: %s', $name, $start + $at, $around =~ s/[^ -~]/./gr;
			}
		}
	}
	return \%found;
}

# the process that refreshes for the launcher
sub worker_pid { return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'spice refresh'}) }

# The worker may be at the next refresh of the other dataset: what stays is what counts.
sub marks_of_worker
{
	my $found = find_marks(worker_pid());

	for (my $tries = 10; %$found && $tries > 0; $tries--)
	{
		select undef, undef, undef, 0.2;
		$found = find_marks(worker_pid());
	}
	return $found;
}

my $session = Spice::Session->new($node);
my $pid = $session->query('SELECT pg_backend_pid()');
$source->set('/items', @good, hold => JSON::PP::true);
$source->clear_log;
$session->send(q{SELECT spice_refresh('items')});
$source->wait('/items', 'held');
cmp_ok(scalar keys %{ find_marks($pid) }, '>=', 2, 'a process has the secrets during its request');
$source->set('/items', @good);
$source->release('/items');
$session->answer;

my @answers = (
	[ 'a refresh', @good, body => [ { id => 2 } ] ],
	[ 'one that is unchanged', @good, body => [ { id => 2 } ] ],
	[ 'status 401', status => 401, body => $told ],
	[ 'status 403', status => 403, body => { title => 'refused', detail => $told } ],
	[ 'status 500', status => 500, body => "<html>$told</html>", headers => { 'Content-Type' => 'text/html' } ],
	[ 'no records', @good, body => '{' ],
	[ 'a redirect', redirect => "/else/$mark{password}?token=$mark{header}" ],
	[ 'a timeout', @good, stall_after => 1 ],
	[ 'a reset', @good, reset_after => 1 ]);
foreach my $answer (@answers)
{
	my ($name, %answer) = @$answer;

	$source->set('/items', %answer);
	$session->query(q{SELECT spice_refresh('items')});
	is_deeply(find_marks($pid), {}, "$name in a session") or diag(explain(find_marks($pid)));
	my $last = $node->safe_psql('postgres', 'SELECT max(id) FROM spice_catalog.refresh_history');
	$node->safe_psql('postgres', q{SELECT spice_refresh('items', wait => false)});
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM spice_catalog.refresh_history WHERE id > $last AND dataset = 'items' AND finished IS NOT NULL");
	my $found = marks_of_worker();
	is_deeply($found, {}, "$name in a worker") or diag(explain($found));
}
is_deeply(find_marks(Spice::pid_of($node, 'spice launcher')), {}, 'the launcher never has one');
$node->stop;
done_testing();
