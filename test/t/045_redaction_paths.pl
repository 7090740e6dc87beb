# A source that repeats a credential late, or one that stands in the manifest itself: no
# error, view or log has as much as six bytes of it in a row.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

sub random_word { return join '', map { ('a' .. 'z')[ rand 26 ] } 1 .. 20; }

# made at run time, so that no file of the test has them
my %secret = (password => random_word(), token => random_word());

my $remote = Spice::init_node('remote', [], "listen_addresses = '127.0.0.1'");
Spice::write_file($remote->data_dir . '/pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
$remote->start;
$remote->safe_psql('postgres', qq{
	CREATE ROLE reader LOGIN PASSWORD '$secret{password}';
	CREATE FUNCTION told() RETURNS int LANGUAGE plpgsql AS \$\$ BEGIN
		RAISE EXCEPTION 'reader says $secret{password}' USING DETAIL = 'as it is: $secret{password}', HINT = '$secret{password}';
	END \$\$;
	CREATE VIEW repeats AS SELECT told() AS id;
	GRANT SELECT ON repeats TO reader});

my $source = Spice::Source->new;
$source->set('/items', status => 401, body => "the token $secret{token} is refused");
my %place = (pg_host => '127.0.0.1', pg_port => $remote->port, pg_db => 'postgres', pg_user => 'reader', pg_sslmode => 'disable');
my %keys = (refresh_retry_enabled => JSON::PP::false);
my $node = Spice::init_node('paths', [], "shared_preload_libraries = 'spice'", 'log_error_verbosity = verbose');
Spice::write_beside_manifest($node, '.env', "PASSWORD=$secret{password}\n");
Spice::write_manifest($node, Spice::manifest([
	Spice::dataset('param', 'postgres:public.repeats', %keys, params => { %place, pg_pass => '${secrets:PASSWORD}' }),
	Spice::dataset('string', 'postgres:public.repeats', %keys, params => {
		pg_connection_string => "host=127.0.0.1 port=$place{pg_port} dbname=postgres user=reader password=$secret{password} sslmode=disable" }),
	Spice::dataset('literal', $source->url('/items'), %keys, params => { http_headers => "Authorization: Bearer $secret{token}" }) ]));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice');

my $parts = join '|', map { my $word = $_; map { substr $word, $_, 6 } 0 .. length($word) - 6 } values %secret;
foreach my $dataset (qw(param string literal))
{
	Spice::wait_for($node, "SELECT last_error IS NOT NULL FROM spice.datasets WHERE dataset = '$dataset'", "$dataset fails in a worker");
	my (undef, undef, $errors) = $node->psql('postgres', "SELECT spice_refresh('$dataset')");

	like($errors, $dataset eq 'literal' ? qr/status 401/ : qr/reader says \*+/, "$dataset: the session learns what the source said");
	unlike($errors, qr/$parts/, "$dataset: but no secret");
	unlike($node->safe_psql('postgres', "SELECT $_ FROM spice.datasets, spice.refreshes WHERE spice.refreshes.dataset = '$dataset'"), qr/$parts/, "$dataset: $_ has none")
	  for qw(last_error error notice);
}
$node->stop;
unlike(slurp_file($node->logfile), qr/$parts/, 'the log has none');

done_testing();
