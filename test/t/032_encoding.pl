# A body is believed only when all of it is there and nothing else: of an encoded one
# the decoder has to see the end of each stream and its checksum.  What a few bytes
# unpack to keeps the process from nothing.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Compress::Raw::Zlib;
use IO::Compress::Gzip qw(gzip);
use IO::Compress::Deflate qw(deflate);
use IO::Compress::RawDeflate qw(rawdeflate);
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $csv = join "\n", 'id,text', (map { "$_,some text of record $_" } 1 .. 2000), '';
$source->set('/items', body => [ { id => 2, text => 'other' } ]);
$source->set('/sheet', body => $csv);
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);
my $node = Spice::new_node('encoding',
	Spice::manifest(
		[
			Spice::dataset('items', $source->url('/items'), %slow),
			Spice::dataset('sheet', $source->url('/sheet'), %slow, params => { file_format => 'csv' })
		]),
	'spice.fetch_max_size = 4GB');
my $good = '[{"id":1,"text":"packed"}]';

sub value { return $node->safe_psql('postgres', $_[0]); }

sub packed
{
	my ($by, $text) = @_;

	$by->(\$text, \my $out) or die;
	return $out;
}

sub serve
{
	my ($path, $bytes, $encoding, %more) = @_;

	$source->set($path, body_base64 => encode_base64($bytes, ''), %more,
		headers => { defined $encoding ? ('Content-Encoding' => $encoding) : (), %{ $more{headers} // {} } });
	return;
}

# from bytes that were made with the libraries' own tools
sub bytes { return pack 'H*', $_[0]; }

my $zstd = bytes('28b52ffd241ad100005b7b226964223a312c2274657874223a227061636b6564227d5d02d9d5e3');
my $two_frames = bytes('28b52ffd24094900005b7b226964223a312cdbeed1d4') . bytes('28b52ffd24118900002274657874223a227061636b6564227d5df651af12');
my $brotli = bytes('8b0c805b7b226964223a312c2274657874223a227061636b6564227d5d03');
my $skippable = bytes('502a4d1803000000') . 'abc';
my $other = '[{"id":2,"text":"other"}]';
my $gzip = packed(\&gzip, $good);
my $deflate = packed(\&deflate, $good);
my $raw = packed(\&rawdeflate, $good);

Spice::wait_for($node, 'SELECT spice_ready()', 'both are loaded');

# --- what is whole

my @whole = (
	[ 'gzip', $gzip, 'gzip' ], [ 'gzip by its old name', $gzip, 'x-gzip' ],
	[ 'gzip of several members', packed(\&gzip, '[{"id":1,') . packed(\&gzip, '') . packed(\&gzip, '"text":"packed"}]'), 'gzip' ],
	[ 'deflate with the header of zlib', $deflate, 'deflate' ], [ 'deflate without it', $raw, 'Deflate' ],
	[ 'zstd', $zstd, 'zstd' ], [ 'zstd of several frames', $skippable . $two_frames, 'zstd' ], [ 'br', $brotli, 'br' ],
	[ 'gzip beside a word that encodes nothing', $gzip, 'aws-chunked, gzip' ],
	(map { [ "a word that encodes nothing: $_", $good, $_ ] } 'identity', 'none', 'utf-8', 'UTF8', 'aws-chunked', ''));

foreach my $case (@whole)
{
	my ($name, $bytes, $encoding) = @$case;

	serve('/items', $other, undef);
	value(q{SELECT spice_refresh('items')});
	serve('/items', $bytes, $encoding, chunked => JSON::PP::true);
	my (undef, $answer) = $node->psql('postgres', q{SELECT spice_refresh('items'); SELECT text FROM items});
	is($answer, "1\npacked", $name);
}
my ($asked) = $source->log('/items');
is($asked->{headers}{'Accept-Encoding'}, 'gzip, deflate, zstd, br', 'which a request offers to take');

# --- what is not

my $sheet = packed(\&gzip, $csv);
my $sheet_raw = packed(\&rawdeflate, $csv);
my $early = qr/response could not be decompressed.*the compressed data ends too early/s;
my $damaged = qr/response could not be decompressed/;
my $follows = qr/response could not be decompressed.*something follows the end of the compressed data/s;

sub changed
{
	my ($bytes, $at) = @_;

	substr($bytes, $at, 1) ^= "\x01";
	return $bytes;
}

my @faults = (
	[ 'gzip that is cut in half', substr($sheet, 0, length($sheet) / 2), 'gzip', $early ],
	[ 'gzip without its checksum', substr($sheet, 0, -8), 'gzip', $early ],
	[ 'gzip without the last byte', substr($sheet, 0, -1), 'gzip', $early ],
	[ 'gzip with another checksum', changed($sheet, -8), 'gzip', $damaged ],
	[ 'gzip with another length', changed($sheet, -4), 'gzip', $damaged ],
	[ 'gzip whose second member is cut', $sheet . substr(packed(\&gzip, "9,x\n"), 0, -3), 'gzip', $early ],
	[ 'gzip with something behind it', $sheet . 'x', 'gzip', $follows ],
	[ 'gzip of nothing', '', 'gzip', $early ],
	[ 'no gzip', $csv, 'gzip', $damaged ],
	[ 'deflate that is cut', substr(packed(\&deflate, $csv), 0, -1), 'deflate', $early ],
	[ 'deflate with another checksum', changed(packed(\&deflate, $csv), -1), 'deflate', $damaged ],
	[ 'deflate without header that is cut', substr($sheet_raw, 0, -2), 'deflate', $early ],
	[ 'deflate with something behind it', "${sheet_raw}x", 'deflate', $follows ],
	[ 'zstd that is cut', substr($zstd, 0, -1), 'zstd', $early ],
	[ 'zstd with another checksum', changed($zstd, -1), 'zstd', $damaged ],
	[ 'zstd with something behind it', "${zstd}xxxxxxxx", 'zstd', $follows ],
	[ 'zstd whose second frame is cut', substr($two_frames, 0, -6), 'zstd', $early ],
	[ 'br that is cut', substr($brotli, 0, -1), 'br', $early ],
	[ 'br with something behind it', "${brotli}x", 'br', $follows ],
	[ 'an encoding that is not offered', $csv, 'compress', qr/content encoding "compress" is not supported/ ],
	[ 'an encoding in an encoding', packed(\&gzip, $sheet), 'gzip, gzip', qr/content encoding "gzip, gzip" is not supported/ ],
	[ 'a page of HTML', "<h1>502 Bad Gateway</h1>\n<p>nginx</p>\n", undef,
		qr/source answered with an HTML page.*the page says: 502 Bad Gateway nginx/s, headers => { 'Content-Type' => 'text/html' } ],
	[ 'a page that does not say so', "\n<!DOCTYPE html>\n<html><body>Please log in</body></html>\n", undef,
		qr/source answered with an HTML page.*Please log in/s, headers => { 'Content-Type' => 'text/csv' } ]);

foreach my $case (@faults)
{
	my ($name, $bytes, $encoding, $pattern, %more) = @$case;

	serve('/sheet', $bytes, $encoding, %more);
	like(Spice::error_of($node, q{SELECT spice_refresh('sheet')}), $pattern, $name);
	is(value('SELECT count(*) FROM sheet'), '2000', "$name: the table is as it was");
}
my $why = packed(\&gzip, '{"title":"quota is used up"}');
serve('/sheet', $why, 'gzip', status => 429);
like(Spice::error_of($node, q{SELECT spice_refresh('sheet')}), qr/status 429.*quota is used up/s, 'an error is decoded to be quoted');
serve('/items', $other, undef, headers => { 'Content-Type' => 'text/html; charset=UTF-8' });
is(value(q{SELECT spice_refresh('items'); SELECT text FROM items}), "1\nother", 'JSON that is declared as HTML is JSON');

# --- what unpacks to gigabytes

# a frame of zstd whose blocks are a byte each, to be repeated 128 kB long
my $zeros = bytes('28b52ffd0068') . pack('VX', 128 * 1024 << 3 | 2) . 'x';
my $bomb = $zeros . (pack('V', (128 * 1024 << 3 | 2) | ord('x') << 24) x 26000);
my $member = packed(\&gzip, 'x' x 100_000_000);

foreach my $case ([ 'zstd', $bomb ], [ 'gzip', $member x 40 ])
{
	my ($encoding, $bytes) = @$case;

	serve('/items', $bytes, $encoding);
	my $last = value('SELECT max(id) FROM spice_catalog.refresh_history');
	value(q{SELECT spice_refresh('items', wait => false)});
	Spice::wait_for($node, 'SELECT count(*) = 1 FROM pg_ls_tmpdir()', "$encoding: some of it is unpacked");
	value(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'spice refresh'});
	Spice::wait_for($node, "SELECT count(*) = 1 FROM spice_catalog.refresh_history WHERE id > $last AND finished IS NOT NULL",
		"$encoding: the refresh has ended");
	is(value("SELECT error ~ 'canceling statement' AND bytes < 2e9 FROM spice_catalog.refresh_history WHERE id > $last"), 't',
		"$encoding: by a cancel that did not wait for the rest");
}

$node->stop;
done_testing();
