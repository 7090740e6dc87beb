# A source that asks to wait is waited for between pages, a failure in the middle is tried again,
# and limits hold over all processes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $other = Spice::Source->new;
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);

sub page
{
	my ($path, $number, $last, %more) = @_;
	my %headers = $number < $last ? (Link => "<$path?page=" . ($number + 1) . '>; rel="next"') : ();

	return { body => [ { id => $number } ], %more, headers => { %headers, %{ $more{headers} // {} } } };
}

# pages 1 to $last, of which some are special
sub pages
{
	my ($path, $last, %special) = @_;

	$source->set($path, %{ page($path, 1, $last, %{ $special{1} // {} }) },
		queries => { map { ("page=$_" => page($path, $_, $last, %{ $special{$_} // {} })) } 2 .. $last });
	return;
}

sub requests { return scalar($source->log($_[0])); }

pages('/bucket', 4, 2 => { fail_times => 2, fail_status => 429, retry_after => 1 });
pages('/broken', 3, 2 => { fail_times => 3, fail_status => 500 });
pages('/counted', 3, 1 => { headers => { 'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => 1 } });
pages('/first', 2, 1 => { fail_times => 2 });
pages("/spread$_", 25) for 1, 2;
my %limit = (requests_per_second_limit => 20);
my %alone = (max_concurrent_requests => 1);
my $node = Spice::new_node('limits',
	Spice::manifest([
			map { Spice::dataset($_, $source->url("/$_"), %slow, params => { $_ eq 'first' ? (max_retries => 2, retry_backoff_method => 'linear', retry_jitter => 0) : () }) }
			  qw(bucket broken counted first) ]),
	'spice.max_refresh_workers = 4');
sub value { return $node->safe_psql('postgres', $_[0]); }
sub ids { return value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM $_[0]"); }

Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));
is(ids('bucket'), '1 2 3 4', 'a leaky bucket that answers 429 with Retry-After is waited for');
is(requests('/bucket'), 6, 'and the pages before are not asked for again');
is(ids('broken'), '1 2 3', 'a page with status 500 is tried again three times');
is(ids('counted'), '1 2 3', 'a limit that is used up is waited for');
my @counted = map { $_->{began} } $source->log('/counted');
cmp_ok($counted[1] - $counted[0], '>=', 0.9, 'as long as the source says');
is(ids('first'), '1 2', 'a first page is tried again where max_retries says so');

pages('/broken', 3, 2 => { fail_times => 4, fail_status => 500 });
like(Spice::error_of($node, q{SELECT spice_refresh('broken')}), qr/status 500/, 'a failure that does not pass fails');
is(ids('broken'), '1 2 3', 'and the table stays');
pages('/bucket', 4, 2 => { fail_times => 1, fail_status => 429, retry_after => 300 });
like(Spice::error_of($node, q{SELECT spice_refresh('bucket')}), qr/status 429/, 'a wait of minutes is left to the next refresh');

# limits over workers
$source->clear_log;
pages("/alone$_", 5, map { ($_ => { delay => 0.05 }) } 1 .. 5) for 1 .. 3;
Spice::write_manifest($node,
	Spice::manifest([
			map { Spice::dataset("spread$_", $source->url("/spread$_"), %slow, params => { %limit }) } 1, 2 ]));
Spice::wait_for($node, q{SELECT count(*) FILTER (WHERE status = 'ready') = 2 FROM spice.datasets WHERE dataset ~ 'spread'}, 'datasets with a rate are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));
is(value('SELECT count(*) FROM spread1') + value('SELECT count(*) FROM spread2'), 50, 'with all of their pages');
my @times = map { $_->{began} } $source->log('/spread1'), $source->log('/spread2');
@times = sort { $a <=> $b } @times;
my $most = 0;
for my $first (@times)
{
	# the source, on a busy machine, hears of a request up to a tenth of a second late
	my $n = grep { $_ >= $first && $_ < $first + 0.9 } @times;
	$most = $n if $n > $most;
}
cmp_ok($most, '<=', 20, 'two workers together never ask more than 20 times in a second');
cmp_ok(@times / ($times[-1] - $times[0]), '>', 15, 'and come close to it');

Spice::write_manifest($node,
	Spice::manifest([ map { Spice::dataset("alone$_", $source->url("/alone$_"), %slow, params => { %alone }) } 1 .. 3 ]));
Spice::wait_for($node, q{SELECT count(*) FILTER (WHERE status = 'ready') = 3 FROM spice.datasets WHERE dataset ~ 'alone'}, 'datasets that ask one at a time are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));
is((sort { $b <=> $a } map { $_->{beside} } map { $source->log("/alone$_") } 1 .. 3)[0], 0,
	'where one request at a time is allowed no two are under way');

$node->stop;
done_testing();
