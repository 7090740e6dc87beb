# A table that follows another PostgreSQL by logical replication.

use strict;
use warnings;

use Encode;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $true = JSON::PP::true;
my $false = JSON::PP::false;
# made at run time, so that no file of the test has it; with what a connection string has to escape
my $secret = join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 16);
my $password = q{p'w:\\} . $secret;

my $remote = Spice::init_node('remote', [], 'wal_level = logical', 'max_wal_senders = 20',
	'max_replication_slots = 20', "listen_addresses = '127.0.0.1'", 'wal_sender_timeout = 5s', 'autovacuum = off');
Spice::write_file($remote->data_dir . '/pg_hba.conf', join("\n",
	'local all ' . getpwuid($<) . ' trust', 'local all all scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256', ''));
$remote->start;

sub remote { return $remote->safe_psql('shop', $_[0]); }

$remote->safe_psql('postgres', 'CREATE DATABASE shop');
remote(q{
	CREATE ROLE reader LOGIN REPLICATION PASSWORD '} . $password =~ s/'/''/gr . q{';
	CREATE ROLE weak LOGIN PASSWORD '} . $password =~ s/'/''/gr . q{';
	CREATE SCHEMA sales AUTHORIZATION reader;
	GRANT CREATE ON DATABASE shop TO reader;
	CREATE TABLE public.foreigners (id int PRIMARY KEY, name text);
	GRANT SELECT ON public.foreigners TO reader;
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
	CREATE TABLE sales.picked (id int, part int, name text, secret text, PRIMARY KEY (part, id));
	INSERT INTO sales.picked SELECT i, i % 3, 'n' || i, 's' FROM generate_series(1, 30) i;
	CREATE TABLE sales.keyless (id int);
	CREATE VIEW sales.seen AS SELECT * FROM sales.orders;
	CREATE TABLE sales.parts (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
	CREATE TABLE sales.parts_low PARTITION OF sales.parts FOR VALUES FROM (0) TO (10);
	CREATE TABLE sales.parts_high PARTITION OF sales.parts FOR VALUES FROM (10) TO (20);
	INSERT INTO sales.parts VALUES (1, 1), (11, 11);
});

my %params = (pg_host => $remote->host, pg_port => $remote->port, pg_db => 'shop', pg_user => 'reader',
	pg_pass => '${secrets:PG_PASS}');

sub following
{
	my ($name, %keys) = @_;

	return Spice::dataset($name, "postgres:$name", params => { %params, %{ delete $keys{params} // {} } },
		refresh_mode => 'changes', refresh_check_interval => '500ms', %keys);
}

my $types = following('sales.types', mode => 'memory');
my $orders = following('sales.orders', refresh_sql => q{SELECT * FROM sales.orders WHERE region = 'eu'; -- theirs});
my $picked = following('sales.picked', refresh_sql => 'SELECT name, id, part FROM picked WHERE part > 0', indexes => { name => 'enabled' });
my $node = Spice::start_node('main', Spice::manifest([ $types, $orders, $picked ]), "spice.role = 'keeper'",
	'wal_retrieve_retry_interval = 200ms', 'spice.max_refresh_workers = 4', 'restart_after_crash = on');
Spice::write_beside_manifest($node, '.env', qq{PG_PASS="} . $password =~ s/\\/\\\\/gr . qq{"\n});

sub value { return $node->safe_psql('postgres', $_[0]); }

sub change
{
	Spice::write_manifest($node, Spice::manifest([ @_ ]));
	value('SELECT * FROM spice_reload()');
	return;
}

sub error_of { return Spice::error_of($node, @_); }
sub wait_for_error { return Spice::wait_for_error($node, @_); }
sub wait_for_status { return Spice::wait_for_status($node, @_); }
sub wait_for_same { return Spice::wait_for_same($node, \&remote, @_); }
sub snapshots { return value("SELECT count(*) FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = '$_[0]'"); }
sub notice { return value("SELECT notice FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = '$_[0]' LIMIT 1"); }
sub slots { return remote(q{SELECT count(*) FROM pg_replication_slots}); }
sub slot_of { return value("SELECT slot FROM spice.datasets WHERE dataset = '$_[0]'"); }

sub drop_slot
{
	my ($slot) = @_;

	return remote(qq{DO \$\$ BEGIN LOOP
		BEGIN
			PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '$slot';
			PERFORM pg_drop_replication_slot('$slot');
			EXIT;
		EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.01);
		END;
	END LOOP; END \$\$});
}

# Those that spice has made for a table.
sub drop_publication
{
	my ($table) = @_;

	return remote("DO \$\$ BEGIN EXECUTE (SELECT 'DROP PUBLICATION ' || string_agg(quote_ident(pubname), ', ')
		FROM pg_publication WHERE pubname LIKE 'spice_$table\\_%'); END \$\$");
}

value('CREATE ROLE keeper; CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice');

# ------- the first copy
Spice::wait_for($node, 'SELECT spice_ready()', 'every dataset is loaded');
wait_for_same('sales.types', 'types: every value is that of the source');
wait_for_same('sales.orders', 'orders: the rows of the filter', '*', q{region = 'eu'});
wait_for_same('sales.picked', 'picked: the columns and rows that are asked for', 'id, part, name', 'part > 0');
is(value(q{SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'sales.picked'::regclass AND attnum > 0}),
	'id part name', 'the publication has no other tables');
is(value(q{SELECT string_agg(concat(conrelid::regclass, ' ', pg_get_constraintdef(oid)), ', ' ORDER BY conrelid::regclass::text) FROM pg_constraint WHERE contype = 'p' AND connamespace = 'sales'::regnamespace}),
	'sales.orders PRIMARY KEY (id), sales.picked PRIMARY KEY (part, id), sales.types PRIMARY KEY (id)', q{keys are the source's});
is(value(q{SELECT count(*) FROM pg_indexes WHERE schemaname = 'sales' AND indexdef LIKE '%(name)'}), '1', q{indexes are the manifest's});
is(value(q{SELECT string_agg(DISTINCT concat(relpersistence, ' ', relowner::regrole), ',') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'sales'::regnamespace}),
	'p keeper', 'the tables are logged, also with mode: memory, and belong to spice.role');
like(value(q{SELECT string_agg(detail, ',') FROM spice_reload() WHERE action = 'warning'}), qr/mode memory is treated as file/, 'a warning says that mode: memory is ignored');
is(value(q{SELECT obj_description('sales.types'::regclass)}), 'one of each', 'descriptions of the source become comments');
is(slots(), '3', 'each dataset has a slot on the source');
is(remote('SELECT count(*) FROM pg_publication'), '3', 'each dataset has a publication on the source');

# ------- changes
remote(q{UPDATE sales.types SET amount = 7, list = '{{1,2},{3,4}}', doc = '{"b":null}', state = 'happy' WHERE id = 1;
	INSERT INTO sales.types VALUES (3, 0.001, gen_random_uuid(), '[]', '{}', '{a,b}', 'sad', now(), repeat('x', 100000));
	DELETE FROM sales.types WHERE id = 2;
	UPDATE sales.orders SET region = 'us' WHERE id = 2; UPDATE sales.orders SET region = 'eu' WHERE id = 1;
	UPDATE sales.orders SET total = total + 1 WHERE id > 90; DELETE FROM sales.orders WHERE id = 50;
	UPDATE sales.picked SET name = 'new' WHERE id = 1; UPDATE sales.picked SET part = 0 WHERE id = 2; UPDATE sales.picked SET part = 2 WHERE id = 3});
wait_for_same('sales.types', 'inserts, updates and deletes are followed');
wait_for_same('sales.orders', 'rows come into the filter and leave it', '*', q{region = 'eu'});
wait_for_same('sales.picked', 'the same by a key of two columns', 'id, part, name', 'part > 0');
Spice::wait_for($node, q{SELECT bool_and(lag < '1 min' AND lag_bytes = 0 AND status = 'ready') FROM spice.datasets}, 'lag is shown, and goes down');
remote(q{BEGIN; TRUNCATE sales.types; INSERT INTO sales.types (id) SELECT i FROM generate_series(1, 1000) i; COMMIT});
wait_for_same('sales.types', 'a TRUNCATE is followed');
is(value(q{SELECT count(*) FROM spice.refreshes}), '3', 'no new snapshot is taken, and checks leave no history');

# ------- passwords
my %seen;

sub look
{
	my ($where, $text) = @_;

	# whatever is escaped around it
	$seen{$where}++ if index($text, $secret) >= 0;
	return;
}

look($_, value("SELECT string_agg(x::text, '') FROM $_ x")) for qw(pg_subscription pg_foreign_server pg_user_mapping spice.slot spice_catalog.dataset spice_catalog.refresh_history);
{
	my ($out, $err) = run_command([ $node->installed_command('pg_dump'), '-d', $node->connstr('postgres') ]);

	like($out, qr/CREATE SUBSCRIPTION spice_/, 'a dump has the subscriptions');
	look('pg_dump', $out);
}
like(value('SELECT subconninfo FROM pg_subscription LIMIT 1'), qr/passfile='pg_stat_tmp/, 'a dumped subscription names a passfile');
is_deeply(\%seen, {}, 'no catalog or dump has a password');

# ------- the table's name
value('ALTER TABLE sales.picked RENAME TO chosen');
wait_for_error('sales.picked', 'is called sales.chosen.*ALTER TABLE ... RENAME', 'a renamed table is an error with its cure');
value('ALTER TABLE sales.chosen RENAME TO picked');
wait_for_status('sales.picked', 'ready', 'a table that has its name back follows again');

# ------- what refresh_sql may be
my %refused = ('SELECT * FROM sales.orders ORDER BY id' => 'ORDER BY', 'SELECT * FROM sales.orders LIMIT 1' => 'LIMIT or OFFSET',
	'SELECT DISTINCT id FROM sales.orders' => 'DISTINCT', 'SELECT id FROM sales.orders GROUP BY id' => 'GROUP BY',
	'SELECT id FROM sales.orders UNION SELECT 1' => 'a set operation', 'WITH a AS (SELECT 1) SELECT id FROM sales.orders' => 'WITH',
	'SELECT id + 1 FROM sales.orders' => 'a result column that is no column of the source', 'SELECT id AS x FROM sales.orders' => 'a column under another name',
	'SELECT *, id FROM sales.orders' => 'columns beside [*]', 'SELECT o.id FROM sales.orders o' => 'an alias of the relation',
	'SELECT * FROM sales.orders, pg_class' => 'more than one relation', 'SELECT * FROM sales.orders JOIN pg_class ON true' => 'more than one relation',
	'SELECT * FROM sales.orders WHERE id IN (SELECT 1)' => 'a sub-query');
for my $sql (sort keys %refused)
{
	my $manifest = Spice::manifest([ following('sales.orders', refresh_sql => $sql) ]);

	like(value("SELECT message FROM spice_validate(\$manifest\$$manifest\$manifest\$) WHERE severity = 'error'"),
		qr/^refresh_sql of dataset "sales.orders" has $refused{$sql}, which refresh_mode changes cannot follow/, $sql);
}

# ------- a session cannot
like(error_of(q{SELECT spice_refresh('sales.types')}), qr/cannot be refreshed in a session.*wait => false/s, 'refresh_sql as an override is refused with a hint');
like(error_of(q{SELECT spice_refresh('sales.types', refresh_mode => 'full', wait => false)}), qr/cannot be overridden/, 'the table keeps its rows');

like(error_of('DROP EXTENSION spice CASCADE'), qr/has replication slots on the sources.*spice.slot is empty/s, 'DROP EXTENSION is refused while there are slots');

# ------- readers see whole versions, whatever happens
value('CREATE TABLE stop (why text)');
my $reader = Spice::Session->new($node);
$reader->send(q{DO $$ BEGIN LOOP
	IF (SELECT count(*) FROM sales.types) < 1000 THEN INSERT INTO stop VALUES ('seen half'); END IF;
	COMMIT;
	EXIT WHEN EXISTS (SELECT FROM stop);
	PERFORM pg_sleep(0.001);
	COMMIT;
END LOOP; END $$});

# a new snapshot by hand
value(q{SELECT spice_refresh('sales.types', wait => false)});
Spice::wait_for($node, q{SELECT count(*) = 2 FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = 'sales.types'}, 'spice_refresh() takes a new snapshot');
is(notice('sales.types'), 'new snapshot: a new snapshot was requested', 'history has the reason for the snapshot');
remote('INSERT INTO sales.types (id) VALUES (1001)');
wait_for_same('sales.types', 'changes are followed after the snapshot');
is(slots(), '3', 'the number of slots stays the same');

# the slot is gone
drop_slot(slot_of('sales.types'));
remote('UPDATE sales.types SET amount = 5 WHERE id < 10; INSERT INTO sales.types (id) VALUES (1002)');
wait_for_same('sales.types', 'a missing slot is made again, with a new snapshot');
like(notice('sales.types'), qr/replication slot spice_\w+ was gone from the source/, 'history names the missing slot');

# a conflict
value(q{INSERT INTO sales.types (id, name) VALUES (5000, 'mine')});
remote('INSERT INTO sales.types (id) VALUES (5000)');
wait_for_same('sales.types', 'a row that was written locally gives way to the source\'s');
like(notice('sales.types'), qr/a change could not be applied: .*(duplicate key|insert_exists).*\(id\)=\(5000\).*sales\.types/s, 'history names the conflict');

# the source's columns
my $columns = 'id, amount, name, extra';
remote(q{ALTER TABLE sales.types ADD COLUMN extra text DEFAULT 'd'; ALTER TABLE sales.types DROP COLUMN words;
	ALTER TABLE sales.types ALTER amount TYPE numeric(12,5); INSERT INTO sales.types (id, amount) VALUES (6000, 1.23456)});
wait_for_same('sales.types', 'columns follow the source', $columns);
is(value(q{SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute WHERE attrelid = 'sales.types'::regclass AND attnum > 0 AND NOT attisdropped}),
	'amount at doc extra id key list name state', 'a column is added and another dropped on the source');
like(notice('sales.types'), qr/the source had changed what it publishes: .*numeric\(12,5\).*before: .*numeric\(10,3\)/s, 'history names the changed columns');

# the publication
drop_publication('types');
remote('INSERT INTO sales.types (id) VALUES (6001)');
wait_for_same('sales.types', 'a publication that is gone is made again', $columns);
remote(q{SET ROLE reader; BEGIN; ALTER TABLE sales.types RENAME TO old; CREATE TABLE sales.types (LIKE sales.old INCLUDING ALL);
	INSERT INTO sales.types SELECT * FROM sales.old; DROP TABLE sales.old; INSERT INTO sales.types (id) VALUES (6002); COMMIT});
wait_for_same('sales.types', 'a table that was made again is followed', $columns);
like(notice('sales.types'), qr/the publication was gone from the source, or had lost the table/, 'history names the table that the publication lost');
wait_for_status('sales.types', 'ready', 'the dataset follows again');

# ------- the source is away
my $before = snapshots('sales.types');
$remote->stop('immediate');
wait_for_error('sales.types', 'could not connect to the source.*Check that the source', 'a source that is away is an error with its cure');
is(value('SELECT count(*) FROM sales.types'), '1006', 'the table still answers');
value(q{UPDATE spice_catalog.dataset SET attempt = 20, next_refresh = now() WHERE name = 'sales.types'});
Spice::wait_for($node, q{SELECT attempt = 21 AND next_refresh BETWEEN now() + '30 s' AND now() + '1 min' FROM spice_catalog.dataset WHERE name = 'sales.types'},
	'a source that was away for long is checked within a minute');
value(q{UPDATE spice_catalog.dataset SET attempt = 0, next_refresh = now() WHERE name = 'sales.types'});
$remote->start;
remote('INSERT INTO sales.types (id) VALUES (7000)');
wait_for_same('sales.types', 'changes go on when it is back', $columns);
wait_for_status('sales.types', 'ready', 'the error is cleared when the source is back');
is(snapshots('sales.types'), $before, 'no new snapshot is taken');

value(q{INSERT INTO stop VALUES ('end')});
$reader->answer;
is(value('SELECT string_agg(why, $$,$$) FROM stop'), 'end', 'readers have seen complete versions only');
$reader->quit;

# ------- this server restarts, without its passfiles
$node->stop;
unlink glob($node->data_dir . '/pg_stat_tmp/spice_*');
remote('INSERT INTO sales.types (id) VALUES (7001)');
$node->start;
wait_for_same('sales.types', 'after a restart changes go on', $columns);

# ------- the source could not keep its log for so long
$node->stop;
$remote->append_conf('postgresql.conf', "max_slot_wal_keep_size = '1MB'");
$remote->reload;
remote("INSERT INTO sales.types (id) VALUES ($_)"), remote('SELECT pg_switch_wal()') for 7010 .. 7013;
remote('CHECKPOINT');
is(remote(q{SELECT string_agg(DISTINCT wal_status, ',') FROM pg_replication_slots}), 'lost', 'the source invalidates the slots');
$node->start;
wait_for_same('sales.types', 'which new ones mend', $columns);
like(notice('sales.types'), qr/the source no longer had the log that replication slot spice_\w+ needs \(its max_slot_wal_keep_size/, 'the error names the lost slot');
Spice::wait_for($node, q{SELECT bool_and(status = 'ready') FROM spice.datasets}, 'every dataset names its lost slot');
$remote->append_conf('postgresql.conf', 'max_slot_wal_keep_size = -1');
$remote->reload;
$before = snapshots('sales.types');

# ------- kill -9 of the process that applies changes
Spice::wait_for($node, q{SELECT count(*) = 3 FROM pg_stat_subscription WHERE pid IS NOT NULL}, 'changes of every dataset are applied again');
my $applying = value(q{SELECT min(pid) FROM pg_stat_subscription});
kill 'KILL', $applying;
Spice::wait_for($node, qq{SELECT count(*) = 3 AND bool_and(pid <> $applying) FROM pg_stat_subscription WHERE pid IS NOT NULL}, 'the sidecar follows again after a crash');
remote('INSERT INTO sales.types (id) VALUES (7002)');
wait_for_same('sales.types', 'and goes on', $columns);
is(snapshots('sales.types'), $before, 'no new snapshot is taken');

# ------- kill -9 of the worker that takes a snapshot
my $holder = Spice::Session->new($node);
$holder->query('BEGIN; SELECT count(*) FROM sales.types');
value(q{SELECT spice_refresh('sales.types', wait => false)});
Spice::wait_for($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'refresh of sales.types: copy' AND state = 'active'}, 'a snapshot is being taken');
is(slots(), '3', 'the snapshot\'s slot is on the source');
my $snapshots = snapshots('sales.types');
kill 'KILL', value(q{SELECT pid FROM pg_stat_activity WHERE query = 'refresh of sales.types: copy'});
ok($node->poll_query_until('postgres', "SELECT count(*) > $snapshots FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = 'sales.types'"), 'another snapshot is taken after the worker\'s death');
eval { $holder->quit };
is(slots(), '3', 'no slot is left over');
remote('INSERT INTO sales.types (id) VALUES (7003)');
wait_for_same('sales.types', 'changes go on', $columns);

# ------- another mode, and back
my $full = Spice::dataset('sales.types', 'postgres:sales.types', params => \%params);
change($full, $orders, $picked);
Spice::wait_for($node, q{SELECT count(*) = 1 FROM spice.refreshes WHERE mode = 'full' AND outcome = 'loaded'}, 'refresh_mode full loads the table');
Spice::wait_for($node, 'SELECT count(*) = 2 FROM spice.slot', 'the slot is given up');
is(slots(), '2', 'the slot is dropped on the source');
is(value('SELECT count(*) FROM pg_subscription'), '2', 'the subscription is dropped');
is(value(q{SELECT relpersistence FROM pg_class WHERE oid = 'sales.types'::regclass}), 'u', 'the table is unlogged');
change($types, $orders, $picked);
Spice::wait_for($node, 'SELECT count(subscription) = 3 FROM spice.slot', 'refresh_mode changes follows again');
remote('INSERT INTO sales.types (id) VALUES (7004)');
wait_for_same('sales.types', 'changes come', $columns);
is(value(q{SELECT relpersistence FROM pg_class WHERE oid = 'sales.types'::regclass}), 'p', 'the table is logged');

# ------- removal
change($types, $orders);
Spice::wait_for($node, 'SELECT count(*) = 2 FROM spice.slot', 'a dataset that leaves the manifest gives up its slot');
is(slots(), '2', 'the slot is dropped on the source');
is(value('SELECT count(*) FROM sales.picked'), remote('SELECT count(*) FROM sales.picked WHERE part > 0'), 'the table keeps its rows');
value(q{SELECT spice_drop('sales.picked')});

$remote->stop;
wait_for_error('sales.orders', 'could not connect to the source', 'a check meets the source that is away');
change($types);
wait_for_error('sales.orders', 'replication slot spice_\w+ is still on its source.*could not connect', 'a slot that cannot be dropped yet is shown');
is(value('SELECT count(*) FROM pg_subscription'), '1', 'the local subscription is dropped at once');
{
	my ($status, $out, $err) = $node->psql('postgres', q{SELECT spice_drop('sales.orders')});

	like($err, qr/WARNING:  a replication slot of dataset "sales.orders" is still on its source/, 'spice_drop() says that the slot is still there');
}
is(value(q{SELECT count(*) FROM spice.slot WHERE leaving}), '1', 'the slot stays recorded');
$remote->start;
value('UPDATE spice.slot SET next_try = now() WHERE leaving');
Spice::wait_for($node, 'SELECT count(*) = 1 FROM spice.slot', 'the slot is dropped when the source is back');
is(slots(), '1', 'the source no longer has the slot');

# ------- by names that are given
remote('CREATE PUBLICATION mine FOR TABLE sales.orders (id, region), sales.parts WITH (publish_via_partition_root = true)');
drop_publication('orders');
remote('ALTER TABLE sales.orders REPLICA IDENTITY DEFAULT');
remote(q{SELECT pg_create_logical_replication_slot('taken', 'pgoutput')});
my $parts = following('sales.parts', params => { pg_publication => 'mine', pg_replication_slot => 'taken' });
change($types, $parts, following('sales.orders', params => { pg_publication => 'mine', pg_replication_slot => 'given' }));
Spice::wait_for($node, q{SELECT count(*) = 100 - 1 FROM sales.orders}, 'a named publication is used');
is(value(q{SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'sales.orders'::regclass AND attnum > 0}), 'id region', 'a named publication decides on the columns');
is(slot_of('sales.orders'), 'given', 'a slot has the name that the manifest gives');
wait_for_error('sales.parts', 'replication slot taken.*is on the source already, and not spice', q{somebody else's is not touched});
is(remote(q{SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'taken'}), '1', 'indeed');
my $long = 'sales."' . encode_utf8("\x{5546}" x 20) . '"';
remote("SET ROLE reader; CREATE TABLE $long (id int PRIMARY KEY); INSERT INTO $long VALUES (1)");
change($types, following('sales.parts'), following($long));
Spice::wait_for($node, q{SELECT count(*) = 2 FROM sales.parts}, 'a partitioned table is loaded');
Spice::wait_for($node, "SELECT count(*) = 1 FROM $long", 'a name with three-byte characters is loaded');
remote('INSERT INTO sales.parts VALUES (2, 2), (12, 12); UPDATE sales.parts SET id = 3 WHERE id = 11');
wait_for_same('sales.parts', 'a partitioned table is followed as one table');
remote(q{SELECT pg_drop_replication_slot('taken')});

# ------- what a source cannot publish is refused before it hurts it
change(following('sales.keyless'), following('sales.seen'), following('sales.nowhere'), following('public.foreigners'),
	following('sales.orders', refresh_sql => q{SELECT * FROM orders WHERE region = 'eu'}),
	following('sales.picked', refresh_sql => 'SELECT id, name FROM picked'),
	following('sales.types', params => { pg_user => 'weak' }));
wait_for_error(@$_)
  for [ 'sales.keyless', 'it has no replica identity.*On the source, give it a primary key', 'no replica identity' ],
  [ 'sales.seen', 'it is not a logged table', 'a view' ],
  [ 'sales.nowhere', 'has no relation sales.nowhere', 'a relation that is not there' ],
  [ 'public.foreigners', 'may not make a publication.*CREATE PUBLICATION spice_foreigners_\w+ FOR TABLE ONLY public.foreigners', 'a table of somebody else' ],
  [ 'sales.orders', 'refresh_sql filters by column "region", which is not in its replica identity.*REPLICA IDENTITY FULL', 'a filter that updates would fail by' ],
  [ 'sales.picked', 'refresh_sql leaves out column "part" of its replica identity', 'a key that is not whole' ],
  [ 'sales.types', '(walsender|WAL sender).*ALTER ROLE ... REPLICATION', 'a role that may not replicate' ];
remote(q{UPDATE sales.orders SET total = 1; UPDATE sales.picked SET name = 'x'; UPDATE sales.keyless SET id = 2});
pass('the source writes on');
is(value('SELECT count(*) FROM sales.types'), remote('SELECT count(*) FROM sales.types'), 'a table that cannot follow still answers');

# ------- the end
change();
$node->stop;
$node->start;
Spice::wait_for($node, 'SELECT count(*) = 0 FROM spice.slot', 'no slot is recorded after every dataset has left');
is(slots(), '0', 'the source has no slot after every dataset has left');
is(value('SELECT count(*) FROM pg_subscription'), '0', 'no subscription is left');
is(scalar(glob($node->data_dir . '/pg_stat_tmp/spice_*')), undef, 'no passfile is left');
value('DROP EXTENSION spice CASCADE');
$node->stop;
look('log', slurp_file($node->logfile));
is_deeply(\%seen, {}, 'the log has no password');
$remote->stop;
done_testing();
