# A table that follows another PostgreSQL by logical replication.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $false = JSON::PP::false;
# made at run time, so that no file of the test has it; with what a connection string has to escape
my $password = q{p'w:\\} . join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 16);

my $remote = Spice::init_node('remote', [], 'wal_level = logical', 'max_wal_senders = 20',
	'max_replication_slots = 20', "listen_addresses = '127.0.0.1'", 'wal_sender_timeout = 5s');
Spice::write_file($remote->data_dir . '/pg_hba.conf', join("\n",
	'local all postgres trust', 'local all all scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256', ''));
$remote->start;

sub remote { return $remote->safe_psql('shop', $_[0]); }

$remote->safe_psql('postgres', 'CREATE DATABASE shop');
remote(q{
	CREATE ROLE reader LOGIN REPLICATION PASSWORD '} . $password =~ s/'/''/gr . q{';
	CREATE SCHEMA sales AUTHORIZATION reader;
	GRANT CREATE ON DATABASE shop TO reader;
	SET ROLE reader;
	CREATE TYPE sales.mood AS ENUM ('sad', 'ok', 'happy');
	CREATE TABLE sales.types (id bigint PRIMARY KEY, amount numeric(10,3), key uuid, doc jsonb, list int[], words text[],
		state sales.mood, at timestamptz, name text);
	COMMENT ON TABLE sales.types IS 'one of each';
	INSERT INTO sales.types VALUES (1, 12.345, '6f1e7c3a-0f5c-4b5e-9f57-2d4f0e1b7a11', '{"a": [1, 2.50]}', '{1,NULL,3}',
		'{"x y",NULL}', 'ok', '2024-02-29 12:00:00.123456+02', E'tab\t and \\\\N'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '');
	CREATE TABLE sales.orders (id int PRIMARY KEY, region text NOT NULL, total numeric(8,2), secret text);
	ALTER TABLE sales.orders REPLICA IDENTITY FULL;
	INSERT INTO sales.orders SELECT i, CASE WHEN i % 2 = 0 THEN 'eu' ELSE 'us' END, i FROM generate_series(1, 100) i;
});

my %params = (pg_host => $remote->host, pg_port => $remote->port, pg_db => 'shop', pg_user => 'reader',
	pg_pass => '${secrets:PG_PASS}');

sub following
{
	my ($name, %keys) = @_;

	return Spice::dataset($name, "postgres:$name", params => { %params, %{ delete $keys{params} // {} } },
		refresh_mode => 'changes', refresh_check_interval => '1s', %keys);
}

my @datasets = (following('sales.types'), following('sales.orders', refresh_sql => q{SELECT * FROM sales.orders WHERE region = 'eu'; -- theirs}));
my $node = Spice::start_node('main', Spice::manifest(\@datasets), "spice.role = 'keeper'", 'wal_retrieve_retry_interval = 500ms',
	'spice.max_refresh_workers = 4');
Spice::write_beside_manifest($node, '.env', qq{PG_PASS="} . $password =~ s/\\/\\\\/gr . qq{"\n});

sub value { return $node->safe_psql('postgres', $_[0]); }
value('CREATE ROLE keeper; CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice');

Spice::wait_for($node, 'SELECT spice_ready()', 'both are loaded');
is(value('SELECT count(*), sum(id) FROM sales.orders'), '50|2550', 'rows');
remote(q{INSERT INTO sales.orders VALUES (1000, 'eu', 5)});
Spice::wait_for($node, 'SELECT count(*) = 51 FROM sales.orders', 'an insert follows');
done_testing();
