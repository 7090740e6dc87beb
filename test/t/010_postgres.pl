# Another PostgreSQL as a source: types, what it is asked, who may read, what becomes of
# passwords, and of a source that is wrong, changes or is away.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $false = JSON::PP::false;
# made at run time, so that no file of the test has it; with what a passfile has to escape
my $password = 'pw:\\' . join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 16);
my $other_password = join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 16);

my $remote = Spice::init_node('remote', [], "log_statement = 'all'", "listen_addresses = '127.0.0.1'");
Spice::write_file($remote->data_dir . '/pg_hba.conf', join("\n",
	'local all ' . getpwuid($<) . ' trust', 'local all all scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256', ''));
$remote->start;

sub remote { return $remote->safe_psql('shop', $_[0]); }

$remote->safe_psql('postgres', 'CREATE DATABASE shop');
remote(q{
	CREATE ROLE reader LOGIN PASSWORD '} . $password =~ s/'/''/gr . q{';
	CREATE SCHEMA sales;
	GRANT USAGE ON SCHEMA sales TO reader;
	CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
	CREATE DOMAIN posint AS integer CHECK (value > 0);
	CREATE DOMAIN money2 AS numeric(12,2);
	CREATE DOMAIN moods AS mood[];
	CREATE TYPE pair AS (a int, b text);
	CREATE TABLE sales.types (id bigint PRIMARY KEY, small smallint, amount numeric(10,3), any_amount numeric,
		name varchar(20), note text COLLATE "C", code char(4), ok boolean, key uuid, doc jsonb, raw json, list int[],
		words text[], state mood, states mood[], all_states moods, size posint NOT NULL, sizes posint[],
		price money2, photo bytea, at timestamptz, local_at timestamp, day date, span interval, real real, double double precision,
		address inet, range int4range, cash money, relation regclass, p pair, "Odd ""name" int);
	COMMENT ON TABLE sales.types IS 'one of each';
	COMMENT ON COLUMN sales.types.amount IS 'in euro';
	COMMENT ON COLUMN sales.types.name IS 'a name';
	INSERT INTO sales.types VALUES (1, 2, 12.345, 1e-30, 'it''s', 'n', 'ab', true, '6f1e7c3a-0f5c-4b5e-9f57-2d4f0e1b7a11',
		'{"a": [1, 2.50]}', '{"b" :1}', '{1,NULL,3}', '{"x y",NULL}', 'ok', '{sad,happy}', '{ok}', 5, '{7,8}',
		9.99, '\xdeadbeef', '2024-02-29 12:00:00.123456+02', '1999-12-31 23:59:59', '0044-03-15 BC', '1 mon -2 days 03:04:05.678',
		0.1, 0.30000000000000004, '10.1.2.3/24', '[1,5)', 12.5, 'pg_class', '(1,two)', 3),
		(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	CREATE TABLE sales.orders (id int PRIMARY KEY, status mood NOT NULL, kind text, total numeric(8,2), updated_at timestamptz NOT NULL, seconds bigint);
	INSERT INTO sales.orders SELECT i, CASE i % 3 WHEN 0 THEN 'sad' WHEN 1 THEN 'ok' ELSE 'happy' END::mood,
		CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END, i, timestamptz '2024-01-01 00:00Z' + i * interval '1 h', extract(epoch FROM now()) - i * 3600
		FROM generate_series(1, 100) i;
	CREATE TABLE sales.view_of AS SELECT id, kind FROM sales.orders WHERE id <= 3;
	CREATE VIEW sales.view AS SELECT * FROM sales.view_of;
	CREATE TABLE sales.hidden (id int);
	GRANT SELECT ON sales.types, sales.orders, sales.view TO reader;
});

my %params = (pg_host => $remote->host, pg_port => $remote->port, pg_db => 'shop', pg_user => 'reader',
	pg_pass => '${secrets:PG_PASS}');

sub from_postgres
{
	my ($name, $relation, %keys) = @_;

	return Spice::dataset($name, "postgres:$relation", params => { %params, %{ delete $keys{params} // {} } },
		refresh_retry_enabled => $false, %keys);
}

sub live
{
	my ($name, $relation) = @_;

	return { name => $name, from => "postgres:$relation", params => \%params, acceleration => { enabled => $false } };
}

my @datasets = (
	from_postgres('types', 'sales.types', primary_key => 'id'),
	from_postgres('orders', 'Sales."orders"',
		refresh_sql => q{SELECT * FROM orders WHERE kind = 'even' AND total > 10 AND status > 'ok'}),
	from_postgres('viewed', 'sales.view'),
	live('live', 'sales.orders'));

my $node = Spice::start_node('main', Spice::manifest(\@datasets), 'log_min_messages = debug2', "spice.role = 'keeper'");
Spice::write_beside_manifest($node, '.env', qq{PG_PASS='$password'\n});

sub value { return $node->safe_psql('postgres', $_[0]); }
sub refresh { return value("SELECT spice_refresh('$_[0]')"); }

sub change
{
	Spice::write_manifest($node, Spice::manifest([ @_ ]));
	value('SELECT * FROM spice_reload()');
	return;
}

# What a statement is told when it fails.
sub error_of
{
	my ($sql) = @_;
	my ($status, $answer, $error) = $node->psql('postgres', $sql);

	isnt($status, 0, "fails: $sql");
	return $error;
}

sub last_error { return value("SELECT last_error FROM spice.datasets WHERE dataset = '$_[0]'"); }

value('CREATE ROLE keeper; CREATE ROLE app; GRANT CREATE ON SCHEMA public TO keeper; CREATE EXTENSION spice');

# ------- without the wrapper
Spice::wait_for($node, q{SELECT bool_and(status = 'error') FROM spice.datasets}, 'a database without postgres_fdw gets an error');
like(last_error('orders'), qr/dataset "orders" needs the foreign data wrapper postgres_fdw.*CREATE EXTENSION postgres_fdw/,
	'the error\'s hint says what to install');
value('CREATE EXTENSION postgres_fdw');
is(refresh('types'), '2', 'the dataset is loaded once postgres_fdw is there');
value(q{SELECT spice_resume('orders'), spice_resume('viewed'), spice_resume('live')});
Spice::wait_for($node, 'SELECT spice_ready()', 'the launcher loads the other datasets');

# ------- types
is(value(q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = 'types'::regclass AND attnum > 0}),
	'id bigint, small smallint, amount numeric(10,3), any_amount numeric, name character varying(20), note text,'
	. ' code character(4), ok boolean, key uuid, doc jsonb, raw json, list integer[], words text[], state text,'
	. ' states text[], all_states text[], size integer, sizes integer[], price numeric(12,2), photo bytea,'
	. ' at timestamp with time zone, local_at timestamp without time zone, day date, span interval, real real,'
	. ' double double precision, address inet, range int4range, cash text, relation text, p text, Odd "name integer',
	'the table has the columns and types of the source');
my $row = q{SELECT to_jsonb(t) - '{cash,relation,p}'::text[] || jsonb_build_object('p', p::text) FROM %s t WHERE id = 1};
is(value(sprintf $row, 'types'), remote(sprintf $row, 'sales.types'), 'every value is that of the source');
is(value(q{SELECT count(*) FROM types t, jsonb_each(to_jsonb(t)) e WHERE t.id = 2 AND e.value <> 'null'}), '2', 'nulls stay nulls');
is(value(q{SELECT obj_description('types'::regclass), col_description('types'::regclass, 3), col_description('types'::regclass, 5)}),
	'one of each|in euro|a name', 'descriptions of the source become comments');
is(value('SELECT count(*) FROM viewed'), '3', 'a view can be a source');

# ------- what the source is asked
sub plan { return value("EXPLAIN (VERBOSE, COSTS OFF) $_[0]"); }
my $plan = plan(q{SELECT * FROM spice_source.orders WHERE kind = 'even' AND total > 10 AND status > 'ok'});
like($plan, qr/Remote SQL: SELECT .* WHERE \(\(total > 10::numeric\)\) AND \(\(kind = 'even'\)\)|Remote SQL: SELECT .* WHERE \(\(kind = 'even'\)\) AND \(\(total > 10::numeric\)\)/,
	'conditions on types that both servers have are sent to the source');
like($plan, qr/Filter: .*status.*> 'ok'::text/, 'a condition on an enum is not sent to the source');
is(value(q{SELECT count(*) FROM orders}), remote(q{SELECT count(*) FROM sales.orders WHERE kind = 'even' AND total > 10 AND status::text > 'ok'}),
	'a condition on an enum has the meaning of this server');
unlike($plan, qr/Remote SQL:.* WHERE.*status/, 'the source does not get the condition on an enum');
like(slurp_file($remote->logfile), qr/FETCH 1000 FROM/, 'rows are fetched in batches');
my $seen = slurp_file($remote->logfile);
like($seen, qr/CURSOR FOR\s+SELECT .* FROM sales\.orders WHERE .*kind = 'even'/, 'a refresh sends the same query');

# ------- who may
my $live = 'spice_' . value(q{SELECT id FROM spice_catalog.dataset WHERE name = 'live'});
value('GRANT SELECT ON live TO app');
is(value('SET ROLE app; SELECT count(*) FROM live'), '100', 'a role with SELECT reads the source live');
is(value('SET ROLE keeper; SELECT count(*) FROM spice_source.orders'), '100', 'the role of the tables reads the foreign table');
like(error_of("SET ROLE $_->[0]; $_->[1]"), $_->[2], "$_->[0] cannot: $_->[1]")
  for [ 'app', 'SELECT * FROM spice_source.orders', qr/permission denied/ ],
  [ 'app', "CREATE FOREIGN TABLE pg_temp.x (id int) SERVER $live", qr/permission denied for foreign server/ ],
  [ 'keeper', "CREATE FOREIGN TABLE public.x (id int) SERVER $live", qr/permission denied for foreign server/ ],
  [ 'keeper', "CREATE USER MAPPING FOR keeper SERVER $live", qr/permission denied for foreign server/ ],
  [ 'keeper', qq{ALTER SERVER $live OPTIONS (SET host '127.0.0.1')}, qr/must be owner/ ],
  [ 'keeper', q{ALTER FOREIGN TABLE live OPTIONS (SET table_name 'hidden')}, qr/must be owner/ ],
  [ 'keeper', "IMPORT FOREIGN SCHEMA sales FROM SERVER $live INTO public", qr/permission denied for foreign server/ ],
  [ 'keeper', 'DELETE FROM live', qr/permission denied/ ];
like(error_of('DELETE FROM live'), qr/does not allow deletes/, 'even a superuser cannot write to the source');

# ------- passwords
my @files = glob($node->data_dir . '/pg_stat_tmp/spice_*.pgpass');
is(scalar @files, 4, 'each dataset with a password has a passfile');
is(join(' ', map { sprintf '%o', (stat)[2] & 07777 } @files), '600 600 600 600', 'only the server\'s user may read a passfile');

# ------- append
push @datasets, { %{ from_postgres('events', 'sales.orders', refresh_mode => 'append', engine => 'duckdb', mode => 'file',
	primary_key => 'id', on_conflict => { id => 'upsert' }) }, time_column => 'updated_at' },
  { %{ from_postgres('recent', 'sales.orders', refresh_data_window => '10h') }, time_column => 'seconds', time_format => 'unix_seconds' };
change(@datasets);
Spice::wait_for($node, q{SELECT count(*) = 100 FROM events}, 'the first append loads every row');
my $offset = -s $remote->logfile;
remote(q{INSERT INTO sales.orders VALUES (101, 'ok', 'odd', 1, '2024-01-05 05:00Z', 0);
	UPDATE sales.orders SET total = 77, updated_at = '2024-01-05 06:00Z' WHERE id = 7});
refresh('events');
like(slurp_file($remote->logfile, $offset), qr/CURSOR FOR\s+SELECT .* WHERE .*updated_at >= '2024-01-05 04:00:00\+00'/,
	'later appends ask the source for new rows only');
is(value('SELECT count(*), (SELECT total FROM events WHERE id = 7) FROM events'), '101|77.00', 'the table has the new rows');
$offset = -s $remote->logfile;
is(refresh('recent'), '9', 'refresh_data_window limits the rows');
like(slurp_file($remote->logfile, $offset), qr/CURSOR FOR\s+SELECT .* WHERE .*seconds >= \d+::bigint/, 'the condition of refresh_data_window is sent to the source');

# ------- declared columns
push @datasets, { %{ from_postgres('declared', 'sales.orders') }, columns => [
	{ name => 'total', type => 'numeric(8,1)', description => 'rounded' }, { name => 'kind', nullable => $false },
	{ name => 'id', type => 'bigint' } ] };
change(@datasets);
is(refresh('declared'), '101', 'declared columns are loaded');
is(value(q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '!' ELSE '' END, ', '
	ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'declared'::regclass AND attnum > 0}),
	'total numeric(8,1), kind text!, id bigint, status text, updated_at timestamp with time zone, seconds bigint',
	'declared columns come first and have their declared types');
unlike(plan('SELECT * FROM spice_source.declared WHERE total > 5 AND id > 5'), qr/Remote SQL:.*WHERE/,
	'conditions on a declared type are evaluated here');
is(value(q{SELECT col_description('declared'::regclass, 1)}), 'rounded', q{the manifest's description wins});
change(@datasets[ 0 .. $#datasets - 1 ], { %{ from_postgres('declared', 'sales.orders') }, columns => [ { name => 'nowhere' } ] });
like(error_of(q{SELECT spice_refresh('declared')}), qr/column "nowhere" of dataset "declared" is not in the source/, 'a declared column that the source lacks is an error');

# ------- a source that changes
push @datasets, pop(@datasets), from_postgres('followed', 'sales.orders');
$datasets[-1]{on_schema_change} = 'sync_all_columns';
push @datasets, { %{ from_postgres('strict', 'sales.orders') }, on_schema_change => 'fail' },
  { %{ from_postgres('grown', 'sales.orders') }, on_schema_change => 'append_new_columns' };
change(@datasets);
refresh($_) for qw(declared followed strict grown);
remote('ALTER TABLE sales.orders ADD COLUMN extra int DEFAULT 5, ALTER COLUMN id TYPE bigint; COMMENT ON COLUMN sales.orders.extra IS \'more\'');
is(refresh('declared'), '101', 'a new column of the source does not fail the refresh');
is(value(q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'declared'::regclass AND attname = 'extra'}), '0', 'on_schema_change block leaves the new column out');
like(error_of(q{SELECT spice_refresh('strict')}), qr/has changed its fields.*Field "extra" is no column/s, 'on_schema_change fail raises an error');
is(refresh('grown'), '101', 'on_schema_change append_new_columns is applied');
is(value(q{SELECT count(*) FROM grown WHERE extra = 5}), '101', 'the new column is added');
is(refresh('followed'), '101', 'on_schema_change sync_all_columns is applied');
is(value(q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = 'followed'::regclass AND attname IN ('id', 'extra')}), 'id bigint, extra integer', 'a changed type is followed');
remote('ALTER TABLE sales.orders DROP COLUMN extra, DROP COLUMN seconds');
like(error_of(q{SELECT spice_refresh('declared')}), qr/column "seconds" does not exist.*HINT:.*on_schema_change/s, 'a column leaves the source');
is(refresh('followed'), '101', 'the removed column is followed');
is(value(q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'followed'::regclass AND attname = 'seconds'}), '0', 'the table no longer has the column');

remote('CREATE TABLE sales.strict (id int PRIMARY KEY, note text NOT NULL); GRANT SELECT ON sales.strict TO PUBLIC');
change(@datasets, from_postgres('nullable', 'sales.strict', refresh_sql => 'SELECT id, note FROM nullable WHERE note IS NULL'));
is(refresh('nullable'), '0', 'a NOT NULL of the source');
remote('ALTER TABLE sales.strict ALTER COLUMN note DROP NOT NULL; INSERT INTO sales.strict VALUES (1, NULL)');
is(refresh('nullable'), '1', 'that is dropped there is believed no more');

# ------- a source that is wrong
push @datasets, from_postgres('missing', 'sales.nothing'), from_postgres('hidden', 'sales.hidden'),
  from_postgres('encrypted', 'sales.view', params => { pg_host => '127.0.0.1' }),
  from_postgres('slow', 'sales.view', params => { client_timeout => '100ms' }, refresh_sql => 'SELECT * FROM slow'),
  Spice::dataset('texted', 'postgres:sales.view', params => { pg_connection_string => '${secrets:PG_TEXT}', pg_sslmode => 'disable' },
	refresh_retry_enabled => $false),
  Spice::dataset('addressed', 'postgres:sales.view', params => {
	  pg_connection_string => sprintf('hostaddr=127.0.0.1 port=%d dbname=shop user=reader sslmode=disable', $remote->port),
	  pg_pass => '${secrets:PG_PASS}' }, refresh_retry_enabled => $false),
  Spice::dataset('garbled', 'postgres:sales.view', params => { pg_connection_string => "host=x '\${secrets:PG_PASS}" });
my $text = sprintf 'host=127.0.0.1 port=%d dbname=shop user=reader password=\'%s\'', $remote->port, $password =~ s/\\/\\\\/gr;
Spice::write_beside_manifest($node, '.env', qq{PG_PASS='$password'\nPG_TEXT="} . $text =~ s/\\/\\\\/gr . qq{"\n});
change(@datasets);
like(error_of(q{SELECT spice_refresh('missing')}), qr/the source of dataset "missing" has no relation sales\.nothing.*HINT/s, 'a missing relation of the source is an error with its cure');
like(error_of(q{SELECT spice_refresh('hidden')}), qr/permission denied for table hidden.*HINT:.*GRANT SELECT/s, 'a missing privilege on the source is an error with its cure');
like(error_of(q{SELECT spice_refresh('encrypted')}), qr/SSL.*HINT:.*pg_sslmode is verify-full/s, 'an unencrypted connection is an error where TLS is required');
is(refresh('texted'), '3', 'a connection string can come from a secret store');
is(refresh('addressed'), '3', 'one that names an address and no host, with the password as a param');
like(error_of(q{SELECT spice_refresh('garbled')}), qr/pg_connection_string of dataset "garbled" is not a connection string/, 'a malformed connection string is an error');
my $blocker = Spice::Session->new($remote, 'shop');
$blocker->query('BEGIN; LOCK TABLE sales.view_of');
like(error_of(q{SELECT spice_refresh('slow')}), qr/statement timeout.*HINT:.*client_timeout/s, 'client_timeout');
my $waiter = Spice::Session->new($node);
$waiter->send(q{SELECT spice_refresh('viewed')});
$remote->poll_query_until('shop', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'reader' AND wait_event_type = 'Lock'});
value(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%spice_refresh(''viewed'')%' AND pid <> pg_backend_pid()});
$waiter->answer;
like($waiter->errors, qr/canceling statement due to user request/, 'a cancel ends a refresh that waits for the source');
$waiter->quit;
ok($remote->poll_query_until('shop', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'reader' AND wait_event_type = 'Lock'}),
	'the cancel ends the query on the source');
$blocker->quit;

# ------- another password, an outage
remote("ALTER ROLE reader PASSWORD '$other_password'");
like(error_of(q{SELECT spice_refresh('viewed')}), qr/could not connect to server "spice_\d+".*password authentication failed.*HINT: .*pg_pass/s,
	'a wrong password fails the refresh');
value(q{SELECT spice_refresh('viewed', wait => false)});
Spice::wait_for($node, q{SELECT last_error LIKE '%password authentication failed%pg_pass%' FROM spice.datasets WHERE dataset = 'viewed'},
	'the error of a wrong password has its cure');
is(value('SELECT count(*) FROM viewed'), '3', 'the table still answers');
Spice::write_beside_manifest($node, '.env', "PG_PASS=$other_password\n");
is(refresh('viewed'), '3', 'a corrected password is used at once');
$datasets[2]{acceleration}{refresh_retry_enabled} = $true;
$remote->stop;
change(@datasets);
Spice::wait_for($node, q{SELECT last_error LIKE '%could not connect%pg_host%' AND next_refresh IS NOT NULL FROM spice.datasets
	WHERE dataset = 'viewed'}, 'a source that is away is tried again');
is(value('SELECT count(*) FROM viewed'), '3', 'the table answers while the source is away');
$remote->start;
Spice::wait_for($node, q{SELECT status = 'ready' FROM spice.datasets WHERE dataset = 'viewed'}, 'the dataset is refreshed when the source is back');

# ------- of a dataset that leaves, nothing stays but the table
my ($id, $database) = split /\|/, value(q{SELECT d.id, b.oid FROM spice_catalog.dataset d, pg_database b WHERE d.name = 'viewed' AND b.datname = 'postgres'});
my $file = $node->data_dir . "/pg_stat_tmp/spice_${database}_$id.pgpass";
ok(-e $file, 'a dataset in the manifest keeps its passfile');
change(@datasets[ 0 .. 1 ], $datasets[3]);
ok(!-e $file, 'a dataset that has left the manifest has no passfile');
value(q{SELECT spice_drop('viewed')});
is(value(q{SELECT count(*) FROM pg_foreign_server WHERE srvname = 'spice_viewed'}), '0', 'spice_drop() drops the foreign server');
is(value(q{SELECT string_agg(dataset, ' ' ORDER BY dataset) FROM spice.datasets WHERE status <> 'removed'}), 'live orders types', 'the other servers stay');

# ------- a dump has none of the passwords, nor has anything else
my %seen;
sub look
{
	my ($where, $content) = @_;

	$seen{$where} = 1 if index($content, $password) >= 0 || index($content, $other_password) >= 0
	  || index($content, substr($password, 4)) >= 0;
	return;
}

my ($dump, $errors);
$node->run_log([ 'pg_dumpall', '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$errors);
like($dump, qr/CREATE SERVER spice_\d+ .*passfile 'pg_stat_tmp\/spice_/s, 'a dump has the servers');
look('dump', $dump);
look($_, value("SELECT string_agg(to_jsonb(t)::text, chr(10)) FROM $_ t"))
  for qw(pg_foreign_server pg_user_mapping pg_foreign_table pg_description pg_settings spice_catalog.dataset spice.manifest spice_catalog.refresh_history spice.datasets spice.refreshes);
$node->command_ok([ 'pg_basebackup', '-D', $node->basedir . '/copy', '-c', 'fast', '-d', $node->connstr('postgres') ], 'a base backup')
  if $node->safe_psql('postgres', 'SHOW wal_level') ne 'minimal';
is(scalar(glob($node->basedir . '/copy/pg_stat_tmp/*')), undef, 'a base backup has no passfile');

# ------- DROP EXTENSION
@files = glob($node->data_dir . '/pg_stat_tmp/spice_*');
isnt(scalar @files, 0, 'there are passfiles before DROP EXTENSION');
value('DROP EXTENSION spice CASCADE');
Spice::wait_for($node, q{SELECT count(*) = 0 FROM pg_ls_dir('pg_stat_tmp') f WHERE f LIKE 'spice%'}, 'DROP EXTENSION takes them away');
is(value(q{SELECT count(*) FROM pg_foreign_server}), '0', 'DROP EXTENSION drops the servers');

$node->stop;
my $log = slurp_file($node->logfile);
like($log, qr/DEBUG: /, 'the log has the statements');
look('log', $log);
is_deeply(\%seen, {}, 'no catalog, view, log or dump has a password')
  or diag(explain(\%seen));

$remote->stop;
done_testing();
