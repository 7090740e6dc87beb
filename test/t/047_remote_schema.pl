# A refresh that asks a database for its columns makes a schema for the time of the question.
# Other roles may create schemas, but none can take the name of that one beforehand.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $remote = Spice::init_node('remote', []);
$remote->start;
$remote->safe_psql('postgres', 'CREATE TABLE items AS SELECT 1 AS id');

my $node = Spice::start_node('schema', Spice::manifest([
	{ %{ Spice::dataset('items', 'postgres:public.items',
		params => { pg_host => $remote->host, pg_port => $remote->port, pg_db => 'postgres', pg_user => scalar getpwuid($<) }) },
		on_schema_change => 'sync_all_columns' } ]));
$node->safe_psql('postgres', q{
	CREATE TABLE made (name text);
	CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO public.made SELECT object_identity FROM pg_catalog.pg_event_trigger_ddl_commands(); END $$;
	CREATE EXTENSION postgres_fdw;
	CREATE EXTENSION spice});
Spice::wait_for($node, 'SELECT spice_ready()', 'the table is loaded');
$node->safe_psql('postgres', 'CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN (\'CREATE SCHEMA\') EXECUTE FUNCTION note()');

my $session = Spice::Session->new($node);
is($session->query(q{SELECT spice_refresh('items')}), '1', 'a refresh succeeds');
my $name = $node->safe_psql('postgres', 'SELECT string_agg(name, chr(44)) FROM made');
like($name, qr/^spice_remote_\d+$/, 'it makes a schema');
is($node->safe_psql('postgres', "SELECT to_regnamespace('$name') IS NULL"), 't', 'and leaves none');
$node->safe_psql('postgres', "CREATE ROLE stranger; CREATE SCHEMA $name AUTHORIZATION stranger");
is($session->query(q{SELECT spice_refresh('items')}), '1', 'the next one in the same process succeeds, too, if a stranger has taken that name');
is($session->errors, '', 'without an error');

$session->quit;
$node->stop;
done_testing();
