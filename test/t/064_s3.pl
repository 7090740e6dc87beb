# Objects of an S3 store: which are read, with which signature; and that no fault of the
# store or of the network ever mixes two versions of its objects.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my ($input, $port) = ('', '');
my $store = IPC::Run::start([ 'python3', "$FindBin::RealBin/../s3.py", '--region', 'eu-test-1', '--page', '2' ],
	'<', \$input, '>', \$port);
$store->pump until $port =~ /\n/;
chomp $port;
my $http = HTTP::Tiny->new(proxy => undef, http_proxy => undef);

sub control
{
	my ($method, $path, $content, %headers) = @_;
	my $answer = $http->request($method, "http://127.0.0.1:$port/!$path", { content => $content // '', headers => \%headers });

	die "$path: $answer->{content}" unless $answer->{success};
	return $answer->{content};
}

# names are bytes, as keys are
sub put
{
	my ($name, $content) = @_;

	$name =~ s/([^A-Za-z0-9\/._-])/sprintf '%%%02X', ord $1/ge;
	control('PUT', "object/$name", $content);
	return;
}

sub parquet
{
	my ($spec) = @_;
	my ($in, $out) = (encode_json($spec), '');

	IPC::Run::run([ 'python3', "$FindBin::RealBin/../parquet.py" ], '<', \$in, '>', \$out) or die;
	return $out;
}

sub fault { return control('PUT', 'fault', encode_json({@_})); }
sub requests { return @{ decode_json(control('GET', 'log')) }; }

my %place = (s3_endpoint => "http://127.0.0.1:$port", s3_region => 'eu-test-1', allow_http => 'true');
my %key = (%place, s3_key => 'tester', s3_secret => '${secrets:S3}');
my %once = (refresh_retry_enabled => JSON::PP::false);
my @datasets;

sub add
{
	my ($name, $from, %params) = @_;

	push @datasets, Spice::dataset($name, $from, %once, params => \%params);
	return;
}

put("private/data/$_", "id,name\n1,$_\n") for
  ('a.csv', 'b c.csv', 'd+e.csv', "f\xc3\xbc\xe2\x82\xac.csv", 'g%20h.csv', 'deep/er/i&j=k.csv', '_skip/x.csv', '.x.csv', 'deep/_y.csv');
put('private/data/notes.txt', 'no rows');
put('private/data2/other.csv', "id,name\n2,other\n");
put('private/lines/a.jsonl', qq({"id": 1}\n{"id": 2}\n));
put('private/lines/b.jsonl', qq({"id": 3}\n));
put('public/open.json', '[{"id": 7}]');
put('private/dots/../up.csv', "id\n1\n");
my @columns = map { { name => "c$_", type => 'int64' } } 1 .. 10;
put("private/lake/$_.parquet",
	parquet({ schema => \@columns, group_rows => 5000, rows => [ map { my $row = $_; [ map { $_ == 1 ? $row : $row * 1_000_003 + $_ } 1 .. 10 ] } 1 .. 10000 ] }))
  for qw(a b);

add('folder', 's3://private/data', %key, file_format => 'csv');
add('one', 's3://private/data/b c.csv', %key);
add('lines', 's3://private/lines/', %key, file_format => 'jsonl');
add('open', 's3://public/open.json', %place);
add('public_key', 's3://public/open.json', %key, s3_auth => 'key');
add('unsigned', 's3://private/data', %place, file_format => 'csv', s3_auth => 'public');
add('wrong', 's3://private/data', %key, s3_secret => 'another', file_format => 'csv');
add('region', 's3://private/data', %key, s3_region => 'us-west-9', file_format => 'csv');
add('token', 's3://private/data', %key, s3_session_token => '${secrets:TOKEN}', file_format => 'csv');
add('clear', 's3://private/data', %key, allow_http => 'false', file_format => 'csv');
add('dots', 's3://private/dots/../up.csv', %key);
add('hidden', 's3://private/dots', %key, file_format => 'csv');
add('none', 's3://private/absent', %key, file_format => 'csv');
add('lake', 's3://private/lake/', %key, file_format => 'parquet');
add('narrow', 's3://private/lake/', %key, file_format => 'parquet');
$datasets[-1]{acceleration}{refresh_sql} = 'SELECT c1 FROM narrow';

add('sorted', 's3://private/sorted', %key, file_format => 'parquet');
$datasets[-1]{acceleration}{refresh_sql} = 'SELECT * FROM sorted WHERE c1 > 90000';
put("private/days/day=2024-01-0$_/a.csv", "id\n$_\n") for 1 .. 3;
add('days', 's3://private/days', %key, file_format => 'csv', hive_partitioning_enabled => 'true');
$datasets[-1]{acceleration}{refresh_sql} = q{SELECT * FROM days WHERE day >= '2024-01-02'};
$datasets[-1]{metadata} = { _location => 'enabled' };

my $node = Spice::start_node('s3', undef);
Spice::write_beside_manifest($node, '.env', "SPICE_S3=test/secret+key\nSPICE_TOKEN=token/+=\n");
Spice::write_manifest($node, Spice::manifest(\@datasets));
$node->safe_psql('postgres', 'CREATE EXTENSION spice');

sub value { return $node->safe_psql('postgres', $_[0]); }
sub refresh { return value("SELECT spice_refresh('$_[0]')"); }
sub error { return Spice::error_of($node, "SELECT spice_refresh('$_[0]')"); }

# --- what is read

Spice::wait_for($node, q{SELECT bool_and(loaded) FROM (SELECT rows IS NOT NULL AS loaded FROM spice.datasets
	WHERE dataset IN ('folder', 'one', 'lines', 'open', 'public_key', 'lake', 'narrow', 'days')) d}, 'what is there for the reader is loaded')
  or diag value('SELECT dataset, last_error FROM spice.datasets');
is(value('SELECT string_agg(name, chr(10) ORDER BY name COLLATE "C") FROM folder'),
	join("\n", 'a.csv', 'b c.csv', 'd+e.csv', 'deep/er/i&j=k.csv', "f\xc3\xbc\xe2\x82\xac.csv", 'g%20h.csv'),
	'every object below the prefix, over several pages, whatever its key');
is(value('SELECT name FROM one'), 'b c.csv', 'an object by its key');
is(value('SELECT array_agg(id ORDER BY id) FROM lines'), '{1,2,3}', 'JSON Lines of several objects');
is(value('SELECT id FROM open'), 7, 'a public object without a key');
is(value('SELECT id FROM public_key'), 7, 'and with one');
is(value('SELECT count(*) || chr(32) || sum(c1) || chr(32) || sum(c10) FROM lake'), '20000 100010000 100010300230000', 'Parquet')
  or diag value('SELECT count(*), sum(c1), sum(c10) FROM lake');

# --- what is refused

like(error('unsigned'), qr/status 403.*Access Denied.*Without a key only public objects/s, 'without a key: the cure');
like(error('wrong'), qr/status 403.*SignatureDoesNotMatch.*Check s3_key, s3_secret/s, 'another secret');
like(error('region'), qr/status 403/, 'another region');
like(error('clear'), qr/not encrypted.*allow_http: true/s, 'an endpoint in the clear needs to be allowed');
like(error('dots'), qr/cannot read object "dots\/\.\.\/up\.csv"/, 'a key with .. is refused by name');
like(error($_), qr/no file to read/, "$_: a prefix without an object") for qw(none hidden);
put('private/data/a.csv', "id,name\n1,a.csv\n");
control('PUT', 'token', 'token/+=');
is(refresh('token'), 6, 'a session token is sent and signed');
like(error('folder'), qr/status 403/, 'and needed');
control('PUT', 'token', '');
is(refresh('folder'), 6, 'a store without sessions needs none');

# --- an unchanged list is all that is fetched

requests();
is(refresh('folder'), 0, 'an unchanged prefix loads nothing');
is(scalar(grep { $_->{path} !~ /list-type/ } requests()), 0, 'and no object is asked for');
put('private/data/a.csv', "id,name\n5,new\n");
is(refresh('folder'), 6, 'a replaced object is noticed');
is(value(q{SELECT id FROM folder WHERE name = 'new'}), 5, 'and read');

# --- only what the query reads

put('private/days/day=2024-01-04/a.csv', "id\n4\n");
requests();
is(refresh('days'), 3, 'a condition on folders');
is_deeply([ map { $_->{path} =~ /day%3D2024-01-0(\d)/ } grep { $_->{path} !~ /list-type/ } requests() ], [ 2, 3, 4 ],
	'objects that it excludes are not asked for');
is(value('SELECT _location FROM days WHERE id = 4'), 's3://private/days/day=2024-01-04/a.csv', 'and rows know their object');

my $size = length $http->get("http://127.0.0.1:$port/!log")->{content};
put('private/lake/c.parquet', parquet({ schema => \@columns, group_rows => 50000,
	rows => [ map { my $row = $_; [ map { $_ == 1 ? $row : $row * 1_000_003 + $_ } 1 .. 10 ] } 1 .. 100000 ] }));
requests();
refresh('narrow');
my ($fetched, $whole) = (0, 100000 * 80);
foreach my $request (grep { $_->{path} =~ /c\.parquet/ } requests())
{
	my ($first, $last) = ($request->{range} // '') =~ /^bytes=(\d+)-(\d+)$/ or die 'not a range';
	$fetched += $last - $first + 1;
	ok($request->{if_match}, 'a range is of one version') if $fetched == $last - $first + 1;
}
cmp_ok($fetched, '<', $whole / 5, "one of ten columns: $fetched of $whole bytes");
is(value('SELECT count(*) FROM narrow'), 120000, 'and all of its rows');

# --- and no row groups that a condition excludes

put('private/sorted/a.parquet', parquet({ schema => \@columns, group_rows => 10000, statistics => 'exact',
	rows => [ map { my $row = $_; [ map { $_ == 1 ? $row : $row * 1_000_003 + $_ } 1 .. 10 ] } 1 .. 100000 ] }));
requests();
is(refresh('sorted'), 10000, 'a condition on a sorted column');
$fetched = 0;
foreach my $request (grep { $_->{path} =~ /a\.parquet/ } requests())
{
	my ($first, $last) = $request->{range} =~ /(\d+)-(\d+)/;
	$fetched += $last - $first + 1;
}
# the footer is read twice, by the inference of types and by the query
cmp_ok($fetched, '<', $whole * 0.13, "one of ten row groups: $fetched of $whole bytes");

# --- faults: the table keeps its rows, and a retry finds the way

put('private/lines/b.jsonl', qq({"id": 4}\n));
fault(path => 'a.jsonl', kind => 'slow');
like(error('lines'), qr/status 503.*SlowDown/s, 'SlowDown');
fault(path => 'b.jsonl', kind => 'cut');
like(error('lines'), qr/truncated/, 'a body that is cut');
fault(path => 'b.jsonl', kind => 'replace', key => 'private/lines/b.jsonl', body => qq({"id": 5}\n));
like(error('lines'), qr/status 412.*changed while it was read/s, 'an object that is replaced between list and get');
fault(path => 'b.jsonl', kind => 'delete', key => 'private/lines/b.jsonl');
like(error('lines'), qr/status 404/, 'one that is deleted');
put("private/lines/$_.jsonl", qq({"id": 6}\n)) for qw(b c);
fault(path => 'start-after', kind => 'delete', key => 'private/lines/a.jsonl');
like(error('lines'), qr/status 404/, 'a list that changes between its pages');
is(value('SELECT array_agg(id ORDER BY id) FROM lines'), '{1,2,3}', 'all the while the table keeps its rows');
is(refresh('lines'), 2, 'then it has the new ones');

put('private/lake/d.parquet', parquet({ schema => \@columns, rows => [ map { [ ($_) x 10 ] } 1 .. 20000 ] }));
fault(path => 'c.parquet', kind => 'cut');
like(error('lake'), qr/truncated/, 'a range that is cut');
fault(path => 'd.parquet', kind => 'whole');
like(error('lake'), qr/larger than|range that it was asked for/, 'a range that is not honoured');
fault(path => 'd.parquet', kind => 'replace', key => 'private/lake/d.parquet', body => 'PAR1');
like(error('lake'), qr/status 412/, 'an object that is replaced between its ranges');
is(value('SELECT count(*) FROM lake'), 20000, 'all the while the table keeps its rows');

# --- a fault that passes is tried again

$_->{acceleration}{refresh_retry_enabled} = JSON::PP::true for grep { $_->{name} eq 'lines' } @datasets;
Spice::write_manifest($node, Spice::manifest(\@datasets));
value('SELECT spice_reload()');
put('private/lines/b.jsonl', qq({"id": 8}\n));
fault(path => 'b.jsonl', kind => 'slow');
value(q{SELECT spice_refresh('lines', wait => false)});
Spice::wait_for($node, q{SELECT array_agg(id ORDER BY id) = '{6,8}' FROM lines}, 'SlowDown is retried');

# --- secrets

unlike(value('SELECT string_agg(d::text, chr(10)) FROM spice.datasets d') . slurp_file($node->logfile), qr/test\/secret|token\/\+=/,
	'no secret is in the log or in a view');

$node->stop;
$input = undef;
$store->kill_kill;
done_testing();
