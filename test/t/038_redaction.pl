# Whatever a source repeats of the secrets that it was sent, in whatever form and with
# whatever status, no message, view, log or dump has as much as six bytes of them in a row.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $false = JSON::PP::false;

# made at run time, so that no file of the test has them; each has what formats escape
my %secret = map { $_ => join('', map { ('a' .. 'z', 'A' .. 'Z', 0 .. 9)[ rand 62 ] } 1 .. 14) . "'/+&<" . join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 9) }
  qw(LOGIN PASSWORD HEADER PART);
my %escape = (
	plain => sub { $_[0] },
	JSON => sub { $_[0] =~ s/([^d-z0-9])/sprintf '\\u%04x', ord($1)/ger },
	HTML => sub { $_[0] =~ s/([^a-z])/'&#' . ord($1) . ';'/ger },
	percent => sub { $_[0] =~ s/([^a-z0-9])/sprintf '%%%02X', ord($1)/ger },
	twice => sub { ($_[0] =~ s/([^a-z0-9])/sprintf '%%%02x', ord($1)/ger) =~ s/%/&#37;/gr },
	base64 => sub { encode_base64("it is $_[0]", '') },
	cut => sub { substr $_[0], 0, 9 });
my %params = (
	http_username => '${secrets:LOGIN}', http_password => '${secrets:PASSWORD}',
	http_headers => 'X-Key: ${secrets:HEADER}, X-Token: Token token=${secrets:PART}');
my @columns = ({ name => 'id', type => 'bigint' });
my %of = (
	json => { params => {%params} },
	declared => { params => {%params}, columns => \@columns },
	csv => { params => { %params, file_format => 'csv' } },
	sheet => { params => { %params, file_format => 'csv' }, columns => \@columns });

sub described
{
	my ($name) = @_;
	my %keys = %{ $of{$name} };
	my $columns = delete $keys{columns};

	return { %{ Spice::dataset($name, $source->url("/$name"), %keys, refresh_retry_enabled => $false) }, $columns ? (columns => $columns) : () };
}

my %good = (json => '[{"id":1}]', declared => '[{"id":1}]', csv => "id\n1\n", sheet => "id\n1\n");
my @live = map { { name => "live_$_", from => $source->url("/$_"), params => $of{$_}{params}, $of{$_}{columns} ? (columns => $of{$_}{columns}) : (),
	acceleration => { enabled => $false } } } sort keys %of;
$source->set("/$_", body => $good{$_}) for keys %of;
my $node = Spice::start_node('redaction', undef, 'log_min_messages = debug1', 'log_error_verbosity = verbose');
Spice::write_beside_manifest($node, '.env', join '', map { qq{$_="$secret{$_}"\n} } sort keys %secret);
Spice::write_manifest($node, Spice::manifest([ (map { described($_) } sort keys %of), @live ]));
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded');

sub value { return $node->safe_psql('postgres', $_[0]); }

# every six bytes in a row, and longer pieces of what the answers say
my %forbidden;
foreach my $name (keys %secret)
{
	$forbidden{ substr $secret{$name}, $_, 6 } = $name for 0 .. length($secret{$name}) - 6;
	foreach my $way (keys %escape)
	{
		my $said = $escape{$way}->($secret{$name});
		$forbidden{$said} = "$name, $way";
		$forbidden{ substr $said, 8, 20 } = "$name, $way, in part" if $way eq 'base64' || $way eq 'HTML';
	}
}
my $forbidden = join '|', map { quotemeta } sort keys %forbidden;
my %leaks;

sub look
{
	my ($where, $text) = @_;

	$leaks{"$where: $forbidden{$1}"} = 1 while $text =~ /($forbidden)/g;
	return;
}

sub look_at_catalog
{
	my ($when) = @_;

	look("$when, activity", value('SELECT string_agg(to_jsonb(a)::text, chr(10)) FROM pg_stat_activity a'));
	look("$when, $_", value("SELECT coalesce(string_agg(t::text, chr(10)), '') FROM $_ t"))
	  for qw(spice_catalog.dataset spice.datasets spice.refreshes spice_catalog.refresh_history);
	return;
}

my @answers;
foreach my $way (sort keys %escape)
{
	my $said = join ', ', map { "key $_ " . $escape{$way}->($secret{$_}) } sort keys %secret;
	my $first = $escape{$way}->($secret{HEADER});

	push @answers, (
		(map { [ "$way, status $_", status => $_, body => $said ] } 200, 401, 429, 500),
		[ "$way, a problem", status => 403, body => { title => 'refused', detail => $said } ],
		[ "$way, HTML with status 200", body => "<html><body>$said</body></html>", headers => { 'Content-Type' => 'text/html' } ],
		[ "$way, a value", body => qq{[{"id":"$first"}]} ],
		[ "$way, a field", body => qq{[{"$first":1}]} ],
		[ "$way, a header of CSV", body => "$first\n1\n" ],
		[ "$way, a value of CSV", body => "id\n\"$first\"\n" ],
		[ "$way, a redirect", redirect => '/else/' . ($first =~ s/[<&]//gr) ]);
}
my $session = Spice::Session->new($node);
my $failed = 0;
foreach my $answer (@answers)
{
	my ($name, %answer) = @$answer;

	foreach my $dataset (sort keys %of)
	{
		$source->set("/$dataset", %answer);
		$session->query("\\set VERBOSITY verbose\nSELECT spice_refresh('$dataset'); SELECT * FROM live_$dataset");
		$failed += $session->errors =~ /ERROR/;
		look("$name, $dataset", $session->errors);
	}
}
cmp_ok($failed, '>', @answers, 'the source has been refused, and said why');

# by a worker, whose errors go to the catalog and to the log
foreach my $answer (grep { $_->[0] =~ /status 401|a value$/ } @answers)
{
	my ($name, %answer) = @$answer;
	my $last = value('SELECT max(id) FROM spice_catalog.refresh_history');

	$source->set('/declared', %answer);
	value(q{SELECT spice_refresh('declared', wait => false)});
	Spice::wait_for($node, "SELECT count(*) > 0 FROM spice_catalog.refresh_history WHERE id > $last AND outcome = 'failed'", "in the background: $name");
	look_at_catalog($name);
}
$session->quit;
my ($dump, $errors);
$node->run_log([ 'pg_dumpall', '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$errors);
look('dump', $dump =~ s/^COPY public\..*?^\\\.$//gmsr);
$node->stop;
look('log', slurp_file($node->logfile));
is_deeply([ sort keys %leaks ], [], 'no secret is anywhere') or diag(join "\n", sort keys %leaks);

done_testing();
