# What belongs to spice, and what does not: the extension, the database it is in, and slots
# of a database that this one is a copy of.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $remote = Spice::init_node('remote', [], 'wal_level = logical', 'max_wal_senders = 20', 'max_replication_slots = 20', "listen_addresses = '127.0.0.1'", 'autovacuum = off');
$remote->start;
$remote->safe_psql('postgres', q{CREATE TABLE items (id int PRIMARY KEY, word text); INSERT INTO items VALUES (1, 'a'), (2, 'b')});

my $node = Spice::start_node('main',
	Spice::manifest(
		[
			Spice::dataset('items', 'postgres:public.items', refresh_mode => 'changes', refresh_check_interval => '500ms',
				params => { pg_host => $remote->host, pg_port => $remote->port, pg_db => 'postgres', pg_user => scalar getpwuid($<) })
		]),
	"spice.role = 'keeper'", 'wal_retrieve_retry_interval = 200ms');
$node->safe_psql('postgres', q{CREATE ROLE keeper; CREATE ROLE stranger LOGIN; CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice});
Spice::wait_for($node, q{SELECT count(*) = 2 FROM items}, 'the table follows its source');

# ---- the owner of the table, in the copy that a change of the definition asks for ----

$node->safe_psql('postgres', q{
	CREATE TABLE seen (what text, by name DEFAULT current_user);
	GRANT INSERT ON seen TO PUBLIC;
	CREATE SCHEMA keep AUTHORIZATION keeper;
	SET ROLE keeper;
	CREATE FUNCTION keep.note(what text) RETURNS boolean LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO public.seen VALUES (what); RETURN true; END$$;
	ALTER TABLE public.items ADD CHECK (keep.note('check'))});
my $manifest = slurp_file($node->data_dir . '/spicepod.yaml');
$manifest =~ s/"refresh_mode"/"refresh_sql" : "SELECT * FROM items WHERE id < 100", "refresh_mode"/;
Spice::write_manifest($node, $manifest);
Spice::wait_for($node, q{SELECT count(*) = 2 FROM spice.refreshes WHERE outcome = 'loaded'}, 'it is copied again');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT what || ' ' || by, ', ') FROM seen}), 'check keeper',
	'a CHECK constraint has the rights of the table\'s owner');

# ---- DROP EXTENSION by those who may not ----

my $session = Spice::Session->new($node);
$session->query('BEGIN; SELECT spice_ready()');
like(Spice::error_of($node, q{SET statement_timeout = '60s'; SET ROLE stranger; DROP EXTENSION spice}), qr/must be owner of extension spice/,
	'a stranger does not wait for what the extension is in use for');
like(Spice::error_of($node, q{SET statement_timeout = '60s'; SET default_transaction_read_only = on; DROP EXTENSION spice}), qr/in a read-only transaction/,
	'nor does a transaction that only reads');
$session->quit;

# ---- the database ----

# what core itself has in the database is not spice's to send away
$node->safe_psql('postgres', q{SELECT spice_pause('items')});
my $subscription = $node->safe_psql('postgres', 'SELECT subname FROM pg_subscription');
$node->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription DISABLE");
Spice::wait_for($node, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%worker' AND datname IS NOT NULL}, 'its subscription rests');
$node->safe_psql('template1', 'ALTER DATABASE postgres RENAME TO renamed');
$node->safe_psql('template1', 'ALTER DATABASE renamed RENAME TO postgres');
pass('a database that is served can be renamed');
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');
pass('and copied');
is($node->safe_psql('copy', 'SELECT count(*) FROM spice.slot'), '1', 'a copy has the original\'s row of its slot');
is($node->safe_psql('copy', 'SELECT slot IS NULL FROM spice.datasets'), 't', 'which is not the copy\'s');
$node->append_conf('postgresql.conf', q{spice.database = 'copy'});
$node->restart;
$node->safe_psql('copy', q{SELECT spice_resume('items')});
$remote->safe_psql('postgres', q{INSERT INTO items VALUES (3, 'c')});
ok($node->poll_query_until('copy', q{SELECT count(*) = 3 FROM items}), 'the copy follows the source by itself');
is($node->safe_psql('postgres', 'SELECT count(*) FROM items'), '2', 'beside the original');
is($remote->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots'), '2', 'with a slot of its own');

$node->stop;
$remote->stop;
done_testing();
