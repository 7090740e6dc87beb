# Parquet over HTTP: with a server that answers with ranges, only the footer, the columns and
# the row groups that the query reads are fetched; with any other, the whole file.

use strict;
use warnings;
use feature 'state';

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

plan skip_all => 'no nginx on this machine' unless -x '/usr/sbin/nginx';

my $folder = PostgreSQL::Test::Utils::tempdir();
my $nginx = Spice::Nginx->new;
my $origin = "http://127.0.0.1:$nginx->{port}";
my @columns = map { { name => "c$_", type => 'int64' } } 1 .. 10;

chmod 0755, $folder;

sub write_parquet
{
	my ($name, $first) = @_;
	my $spec = encode_json(
		{ schema => \@columns, group_rows => 5000, statistics => 'exact',
			rows => [ map { my $row = $_; [ map { $_ == 1 ? $row : $row * 1_000_003 + $_ } 1 .. 10 ] } $first .. $first + 49_999 ] });
	my $out = '';

	IPC::Run::run([ 'python3', "$FindBin::RealBin/../parquet.py" ], '<', \$spec, '>', \$out) or die;
	Spice::write_file("$folder/$name", $out);
	chmod 0644, "$folder/$name";
	return length $out;
}

my $size = write_parquet('a.parquet', 1);
my @once = (refresh_retry_enabled => JSON::PP::false);

sub serve
{
	$nginx->start("root $folder; $_[0]", '');
	return;
}

serve('');
my $node = Spice::new_node('range',
	Spice::manifest([
		Spice::dataset('whole', "$origin/a.parquet", @once),
		Spice::dataset('narrow', "$origin/a.parquet", @once, refresh_sql => 'SELECT c1 FROM narrow'),
		Spice::dataset('short', "$origin/a.parquet", @once, refresh_sql => 'SELECT * FROM short WHERE c1 > 45000') ]));

sub value { return $node->safe_psql('postgres', $_[0]); }

# the bytes of the newest refresh, as a part of the file
sub fetched
{
	my ($dataset) = @_;

	return value("SELECT bytes FROM spice.refreshes WHERE dataset = '$dataset' LIMIT 1") / $size;
}

Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded')
  or diag value('SELECT dataset, last_error FROM spice.datasets');
is(value('SELECT count(*) FROM ' . $_), 50000, "$_: every row") for qw(whole narrow);
is(value('SELECT count(*) || chr(32) || min(c1) || chr(32) || max(c10) FROM short'), '5000 45001 50000150010', 'the rows of a condition');
cmp_ok(fetched('narrow'), '<', 0.2, 'one of ten columns') or diag fetched('narrow');
cmp_ok(fetched('short'), '<', 0.2, 'one of ten row groups') or diag fetched('short');

value(qq{SELECT spice_refresh('$_')}) for qw(whole narrow);
is(value(q{SELECT string_agg(DISTINCT outcome || http_status, ' ') FROM (SELECT DISTINCT ON (dataset) outcome, http_status FROM spice.refreshes WHERE dataset <> 'short') r}),
	'unchanged304', 'an unchanged file costs one request');

$size = write_parquet('a.parquet', 2);
value(qq{SELECT spice_refresh('$_')}) for qw(whole narrow);
is(value("SELECT max(c1) FROM $_"), 50001, "$_: a changed file") for qw(whole narrow);

# --- servers that have no ranges, or do not say which version a range is of

foreach my $server ([ 'max_ranges 0;', 'no ranges' ], [ 'etag off;', 'no ETag' ], [ 'add_header ETag "W/\"weak\""; etag off;', 'a weak ETag' ])
{
	my ($config, $name) = @$server;

	state $first = 2;
	serve($config);
	$size = write_parquet('a.parquet', ++$first);
	value(q{SELECT spice_refresh('narrow')});
	is(value('SELECT max(c1) FROM narrow'), $first + 49_999, "$name: the whole file is fetched");
	cmp_ok(fetched('narrow'), '>=', 1, 'and nothing is left with the server');
}

$node->stop;
$nginx->stop;
done_testing();
