# What lies between a source and a refresh: names, connections, certificates, redirects to
# other hosts, a real web server.  Whatever fails there, the table stays as it was, the
# dataset says what happened and in which phase, and what may pass by itself is tried again.
#
# What a scripted source does within one connection is in 003_faults.pl.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IO::Compress::Gzip qw(gzip);
use IO::Socket::INET;
use MIME::Base64;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

plan skip_all => 'no nginx on this machine' unless -x '/usr/sbin/nginx';

my $true = JSON::PP::true;
my $false = JSON::PP::false;
my $room = $ENV{SPICE_ROOM};
my $certificates = Spice::Certificates->new;
my $folder = $certificates->{folder};
my @rows = map { { id => $_, text => 'some text to fill a row' } } 1 .. 20;
my %good = (body => \@rows);
my $source = Spice::Source->new;
my $nginx = Spice::Nginx->new;

# --- certificates

$certificates->authority($_) for qw(trusted stranger);
$certificates->certificate('right', 'trusted', 'localhost', -1, 1);
$certificates->certificate('unknown', 'stranger', 'localhost', -1, 1);
$certificates->certificate('another', 'trusted', 'elsewhere.test', -1, 1);
$certificates->certificate('expired', 'trusted', 'localhost', -3, -1);
$certificates->certificate('early', 'trusted', 'localhost', 1, 3);

sub tls
{
	my ($name) = @_;

	return "ssl_certificate $folder/$name.cert; ssl_certificate_key $folder/$name.key;";
}

# --- what a source may answer

my $packed = 'x' x 50_000_000;
gzip(\$packed, \my $once);
gzip(\$once, \my $twice);
my $head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
my $in_an_hour = strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + 3600));
my @faults = (
	[ 'a length that is too short', { raw => "${head}Content-Length: 30\r\n\r\n" . JSON::PP::encode_json(\@rows) },
		qr/invalid response: .*record 1/, 0 ],
	[ 'a length that is too long', { raw => "${head}Content-Length: 100\r\n\r\n" . '[{"id":1,"text":"x"}]' },
		qr/response is truncated; Phase transfer/, 1 ],
	[ 'a length that is no number', { raw => "${head}Content-Length: many\r\n\r\n" . '[{"id":1,"text":"x"}]' },
		qr/response is not valid HTTP; Phase transfer/, 0 ],
	[ 'a chunk whose size is no number', { raw => "${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n" },
		qr/Phase transfer/, 1 ],
	[ 'chunks without the last', { raw => "${head}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n" }, qr/Phase transfer/, 1 ],
	[ 'no HTTP', { raw => "SSH-2.0-OpenSSH_9.2p1\r\n" }, qr/response is not valid HTTP; Phase transfer/, 0 ],
	[ 'an answer of nothing', { raw => '' }, qr/connection was closed without an answer; Phase transfer/, 1 ],
	[ 'headers without end', { raw => "${head}" . join('', map { "X-$_: " . 'x' x 1000 . "\r\n" } 1 .. 400) },
		qr/Phase transfer/, 0 ],
	[ 'a body without end', { body => '[{"id":1}', chunked => $true, endless => ',{"id":2,"text":"xxxxxxxxx"}' x 1000 },
		qr/larger than spice.fetch_max_size; Phase transfer/, 0 ],
	[ 'a slow body without end', { body => '[{"id":1}', chunked => $true, endless => ',{"id":2}', rate => 100 },
		qr/transfer took too long; Phase transfer/, 1 ],
	[ 'a gzip bomb', { body_base64 => encode_base64($once), headers => { 'Content-Encoding' => 'gzip' } },
		qr/larger than spice.fetch_max_size; Phase transfer/, 0 ],
	[ 'a bomb in a bomb', { body_base64 => encode_base64($twice), headers => { 'Content-Encoding' => 'gzip, gzip' } },
		qr/Phase transfer/, 0 ],
	[ 'an encoding that it has not', { %good, headers => { 'Content-Encoding' => 'gzip' } },
		qr/could not be decompressed; Phase transfer/, 0 ],
	[ 'an error document in place of the array', { body => { error => 'quota exceeded', code => 17 } },
		qr/record has none of the columns of dataset .*It is record 1 .*field "/, 0 ],
	[ 'an error text in place of the array', { body => '"quota exceeded"' }, qr/invalid response: .*Dataset "/, 0 ],
	[ 'an empty body', { body => '' }, qr/invalid response: .*Dataset "/, 0 ],
	[ 'no content', { status => 204 }, qr/status 204; Phase status/, 0 ],
	[ 'too many requests until a date', { status => 429, body => '', headers => { 'Retry-After' => $in_an_hour } },
		qr/status 429; Phase status/, 1 ],
	[ 'a wait that never ends', { status => 503, body => '', headers => { 'Retry-After' => '9' x 30 } },
		qr/status 503; Phase status/, 1 ],
	[ 'a redirect to link-local', { redirect => 'http://169.254.169.254/latest/meta-data/' },
		qr/connection to a link-local address is refused; Phase connect, .*a redirect led there/, 0 ],
	[ 'a redirect to another port', { redirect => 'http://127.0.0.1:1/' },
		qr/connection to a loopback address is refused; Phase connect, .*a redirect led there/, 0 ],
	[ 'the same in disguise', { redirect => 'http://[::ffff:7f00:1]:1/' }, qr/loopback address is refused/, 0 ],
	[ 'the same as a number', { redirect => 'http://2130706433:1/' }, qr/loopback address is refused/, 0 ],
	[ 'a redirect to a private address', { redirect => 'http://10.0.0.1/' }, qr/private address is refused/, 0 ]);
my %next_refresh = (
	'too many requests until a date' => [ '55 min', '65 min' ],
	'a wait that never ends' => [ '23 h', '25 h' ]);
my $number = 0;
my %faults = map { sprintf('fault%02d', ++$number) => $_ } @faults;

# --- the datasets

my $proxy = "location / { proxy_pass $source->{base}; }";
my $secure = "https://localhost:$nginx->{port}";
my %slow = (refresh_check_interval => '1h');
my %credentials = (http_username => 'user', http_password => '${env:PASSWORD}', http_headers => 'X-Key: ${env:KEY}');
my %hurried = (client_timeout => '1s', transfer_timeout => '2s', connect_timeout => '1s');
my @datasets = (
	(map { Spice::dataset($_, $source->url("/$_"), %slow, $faults{$_}[0] =~ /slow/ ? (params => \%hurried) : ()) } sort keys %faults),
	Spice::dataset('items', $source->url('/items'), %slow, params => \%hurried),
	Spice::dataset('csv', $source->url('/csv'), %slow, params => { file_format => 'csv' }),
	Spice::dataset('secure', "$secure/secure", %slow, params => { client_timeout => '1s' }));
$ENV{SSL_CERT_FILE} = "$folder/trusted/cert";
$ENV{SPICE_PASSWORD} = 'a password';
$ENV{SPICE_KEY} = 'a key';

$source->set("/$_", %good) for qw(items secure), keys %faults;
my $csv = join '', "id,text\n", map { "$_->{id},$_->{text}\n" } @rows;
$source->set('/csv', body => $csv);
$nginx->start(tls('right') . $proxy, 'ssl');

# hosts with public addresses, which only a room of the test's own has
my ($one, $two, $metadata);
if ($room)
{
	$one = Spice::Source->new('203.0.113.10');
	$two = Spice::Source->new('203.0.113.11');
	$metadata = Spice::Source->new('169.254.169.254');
	$one->set('/named', %good, etag => $true);
	push @datasets, Spice::dataset('named', "http://one.test:$one->{port}/named", %slow, params => \%credentials);
}

my $node = Spice::new_node('transport', Spice::manifest(\@datasets),
	'spice.fetch_max_size = 2MB', 'spice.fetch_memory = 64kB', 'spice.max_refresh_workers = 4', 'max_worker_processes = 12');
my $session = Spice::Session->new($node);

sub value
{
	my ($query) = @_;
	my $answer = $session->query($query);

	die $session->errors if $session->errors =~ /ERROR/;
	return $answer;
}

ok($node->poll_query_until('postgres', 'SELECT spice_ready()'), 'every dataset is loaded, also over TLS with the CA of SSL_CERT_FILE')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));

# what a table holds, and which version of each row it is
sub version
{
	my ($dataset) = @_;

	return value("SELECT pg_relation_filenode('$dataset') || md5(string_agg(ctid || ' ' || xmin || t::text, ',' ORDER BY ctid))"
		  . " || count(*) FROM $dataset t");
}

# hands refreshes to the launcher and waits for their outcomes
sub refresh
{
	my @datasets = @_;
	my $last = value('SELECT coalesce(max(id), 0) FROM spice_catalog.refresh_history');
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	my %outcomes;

	value("SELECT spice_refresh('$_', wait => false)") for @datasets;
	until (keys %outcomes == @datasets)
	{
		die 'these have not been refreshed: ' . join ' ', grep { !$outcomes{$_} } @datasets if time > $deadline;
		select undef, undef, undef, 0.02;
		%outcomes = map { split /\|/ } split /\n/, value("SELECT dataset, outcome FROM spice_catalog.refresh_history WHERE id > $last"
			  . q{ AND finished IS NOT NULL AND trigger = 'request'});
	}
	return \%outcomes;
}

# a refresh that has failed says why, is tried again or not, and has done no harm
sub has_failed
{
	my ($name, $dataset, $before, $pattern, $retried) = @_;

	is(version($dataset), $before, "$name: the table keeps its rows");
	like(value("SELECT last_error FROM spice.datasets WHERE dataset = '$dataset'"), $pattern, "$name: the error names the cause");
	is(value("SELECT attempt > 0 FROM spice_catalog.dataset WHERE name = '$dataset'"), $retried ? 't' : 'f',
		"$name: " . ($retried ? 'retried' : 'not retried before the interval is over'));
	return;
}

sub fails
{
	my ($name, $dataset, $pattern, $retried) = @_;
	my $before = version($dataset);

	is(refresh($dataset)->{$dataset}, 'failed', $name);
	has_failed($name, $dataset, $before, $pattern, $retried);
	return;
}

# the source is well again
sub heals
{
	my ($name, $dataset) = @_;

	$source->set("/$dataset", $dataset eq 'csv' ? (body => $csv) : %good);
	is(value("SELECT spice_refresh('$dataset'); SELECT status || failures FROM spice.datasets WHERE dataset = '$dataset'"),
		"0\nready0", "$name: the next refresh succeeds");
	return;
}

# --- certificates

my @certificates = (
	[ 'an unknown authority', 'unknown', qr/certificate is not trusted; Phase TLS, .*(?:issuer|self-signed)/ ],
	[ 'another host name', 'another', qr/certificate is not trusted; Phase TLS, .*name/ ],
	[ 'an expired certificate', 'expired', qr/certificate is not trusted; Phase TLS, .*expired/ ],
	[ 'a certificate of the future', 'early', qr/certificate is not trusted; Phase TLS, .*not yet valid/ ]);

foreach my $certificate (@certificates)
{
	my ($name, $file, $pattern) = @$certificate;

	$source->clear_log;
	$nginx->start(tls($file) . $proxy, 'ssl');
	fails($name, 'secure', $pattern, 0);
	is(scalar $source->log, 0, "$name: the source gets no request");
	$nginx->start(tls('right') . $proxy, 'ssl');
	heals($name, 'secure');
}

# --- a real web server, and what is behind it

$nginx->start($proxy, '');
fails('no TLS where it is expected', 'secure', qr/TLS handshake failed; Phase TLS/, 1);
my @answers = (
	[ 'status 401', 'return 401;', qr/status 401; Phase status/, 0 ],
	[ 'status 403', 'return 403;', qr/status 403; Phase status/, 0 ],
	[ 'status 429', 'return 429;', qr/status 429; Phase status/, 1 ],
	[ 'status 502', 'location / { proxy_pass http://127.0.0.1:1; }', qr/status 502; Phase status, .*Bad Gateway/, 1 ],
	[ 'https that leads to http', "return 302 $source->{base}/secure;", qr/redirect is refused: it leads from https to http/, 0 ],
	[ 'a login page', q{default_type text/html; return 200 '<!DOCTYPE html><html><body>Please log in</body></html>';},
		qr/source answered with an HTML page; Phase status, .*the page says: Please log in/, 0 ],
	[ 'a page that is cut off', q|return 200 '[{"id":1,"text":"x"},{"id":2,';|, qr/invalid response: .*record 2/, 0 ]);
foreach my $answer (@answers)
{
	my ($name, $server, $pattern, $retried) = @$answer;

	$nginx->start(tls('right') . $server, 'ssl');
	fails("nginx: $name", 'secure', $pattern, $retried);
}
$nginx->stop;
fails('nginx is gone', 'secure', qr/connection could not be made; Phase connect/, 1);
$nginx->start(tls('right') . $proxy, 'ssl');
Spice::wait_for($node, q{SELECT status = 'ready' AND failures = 0 FROM spice.datasets WHERE dataset = 'secure'},
	'a retry succeeds when nginx is back');
$nginx->start(tls('right') . "proxy_buffering off; gzip on; gzip_types *; gzip_min_length 1; $proxy", 'ssl');
$source->set('/secure', body => [ @rows, { id => 21, text => 'packed' } ]);
is(refresh('secure')->{secure}, 'loaded', 'a response that nginx compresses is loaded');
is(value('SELECT text FROM secure WHERE id = 21'), 'packed', 'the response was compressed');

# --- what a source answers

# a dataset each, so that they need not wait for one another
my %before = map { $_ => version($_) } keys %faults;
$source->set("/$_", %{ $faults{$_}[1] }) for keys %faults;
my $outcomes = refresh(sort keys %faults);
foreach my $dataset (sort keys %faults)
{
	my ($name, undef, $pattern, $retried) = @{ $faults{$dataset} };

	is($outcomes->{$dataset}, 'failed', $name);
	has_failed($name, $dataset, $before{$dataset}, $pattern, $retried);
	is(value(sprintf q{SELECT next_refresh BETWEEN now() + interval '%s' AND now() + interval '%s' FROM spice.datasets
		WHERE dataset = '%s'}, @{ $next_refresh{$name} }, $dataset), 't', "$name: which is honoured") if $next_refresh{$name};
	heals($name, $dataset);
}
is(value('SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary file is left');

# the same page where records have no syntax that it could break
$source->set('/csv', body => "<!DOCTYPE html>\n<html><body>\n<p>Please log in</p>\n</body></html>\n",
	headers => { 'Content-Type' => 'text/html' });
fails('a login page in place of CSV', 'csv', qr/HTML page; .*Please log in/, 0);
heals('a login page in place of CSV', 'csv');

# --- connections

# takes no connection: the queue of those that wait is full
sub deaf_listener
{
	my ($port) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 0, ReuseAddr => 1) or die $!;
	my @waiting = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Blocking => 0) } 1 .. 8;

	select undef, undef, undef, 0.1;
	return [ $listener, @waiting ];
}

my $port = $source->{port};
$source->stop;
fails('connection refused', 'items', qr/connection could not be made; Phase connect/, 1);
my $deaf = deaf_listener($port);
fails('a connection that nobody takes', 'items', qr/connecting took too long; Phase connect/, 1);
undef $deaf;
$nginx->stop;
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $nginx->{port}, Listen => 5, ReuseAddr => 1) or die $!;
fails('a TLS handshake without answer', 'secure', qr/TLS handshake took too long; Phase TLS/, 1);
undef $mute;

my @moved = map { $_->{name} eq 'items' ? Spice::dataset('items', 'http://nowhere.invalid/items', %slow) : $_ } @datasets;
Spice::write_manifest($node, Spice::manifest(\@moved));
value('SELECT spice_reload()');
fails('a host name that does not exist', 'items', qr/host name could not be resolved; Phase resolve, .*nowhere\.invalid/, 1);
Spice::write_manifest($node, Spice::manifest(\@datasets));

# --- other hosts

SKIP:
{
	skip 'no room with a network of its own (test/room)', 1 unless $room;

	my $hosts = slurp_file("$room/hosts");
	my $write_hosts = sub { open my $file, '>', "$room/hosts" or die $!; print $file $_[0]; close $file or die $! };

	$two->set('/landing', body => [ @rows, { id => 21, text => 'landed' } ], etag => $true);
	$one->clear_log;
	$one->set('/named', redirect => "http://two.test:$two->{port}/landing");
	is(refresh('named')->{named}, 'loaded', 'a redirect to another host is answered');
	is(value('SELECT text FROM named WHERE id = 21'), 'landed', 'the redirect is followed');
	my ($asked) = $one->log('/named');
	is($asked->{user}, 'user', 'the first host gets the credentials');
	is($asked->{headers}{'X-Key'}, 'a key', 'the first host gets the header');
	ok($asked->{headers}{'If-None-Match'}, 'the first host gets the validator');
	my @landed = $two->log('/landing');
	is(scalar @landed, 1, 'the second host gets one request');
	ok(!$landed[0]{authorization}, 'the second host gets no credentials');
	is(join(' ', sort grep { /^x-|^cookie|^if-/i } keys %{ $landed[0]{headers} }), '', 'the second host gets no header and no validator');

	$two->clear_log;
	$two->set('/landing', redirect => "http://one.test:$one->{port}/back");
	$one->set('/back', body => [ @rows, { id => 21, text => 'back' } ]);
	is(refresh('named')->{named}, 'loaded', 'a redirect to another host and back is answered');
	is(value('SELECT text FROM named WHERE id = 21'), 'back', 'the redirect is followed');
	my ($back) = $one->log('/back');
	ok(!$back->{authorization}, 'but another host has chosen the path: without credentials');
	is(join(' ', sort grep { /^x-|^if-/i } keys %{ $back->{headers} }), '', 'without headers and validators');
	$two->set('/landing', redirect => "http://localhost:$source->{port}/items");
	fails('a redirect there and to a loopback address', 'named', qr/loopback address is refused/, 0);

	my %targets = (
		"http://169.254.169.254:$metadata->{port}/secret" => 'link-local',
		"http://metadata.test:$metadata->{port}/secret" => 'link-local',
		"http://[::ffff:169.254.169.254]:$metadata->{port}/secret" => 'link-local',
		'http://localhost:1/secret' => 'loopback');
	$metadata->set('/secret', %good);
	foreach my $target (sort keys %targets)
	{
		$one->set('/named', redirect => $target);
		fails("a redirect to $target", 'named', qr/$targets{$target} address is refused/, 0);
		is(scalar $metadata->log, 0, "a redirect to $target: it is not asked");
	}

	$metadata = undef;
	$one->set('/named', %good);
	$write_hosts->($hosts =~ s/^203.0.113.10.*\n//mr);
	fails('a host that has lost its name', 'named', qr/host name could not be resolved; Phase resolve/, 1);
	$write_hosts->($hosts =~ s/^203.0.113.10/169.254.169.254/mr);
	fails('a name that has become link-local', 'named', qr/link-local address is refused; Phase connect/, 0);
	$write_hosts->($hosts);
	is(refresh('named')->{named}, 'loaded', 'the host\'s name resolves again');
}

$node->stop;
done_testing();
