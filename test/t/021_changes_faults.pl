# A table that follows another PostgreSQL, where something about the servers is amiss: their
# certificates, the number of processes, senders and slots they have, the key of the table,
# a source that is a standby.  Each time the dataset says what and how to mend it, the table
# serves on, and follows again when it is mended.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

# ------- certificates, and a source that takes nobody without TLS
my $certificates = Spice::Certificates->new;
my $folder = $certificates->{folder};

$certificates->authority($_) for qw(trusted stranger);
$certificates->certificate('right', 'trusted', '127.0.0.1', -1, 1);
$certificates->certificate('unknown', 'stranger', '127.0.0.1', -1, 1);
$certificates->certificate('another', 'trusted', '127.0.0.2', -1, 1);

my $remote = Spice::init_node('remote', [ allows_streaming => 'logical' ], "listen_addresses = '127.0.0.1'",
	'max_wal_senders = 10', 'max_replication_slots = 10', 'wal_sender_timeout = 5s', 'autovacuum = off', 'ssl = on',
	"ssl_cert_file = '$folder/served.cert'", "ssl_key_file = '$folder/served.key'");
my @access = ('local all all trust', 'local replication all trust', 'hostssl all reader 127.0.0.1/32 scram-sha-256', '');

# What the source shows of itself from now on.
sub serve
{
	my ($name) = @_;

	for my $part (qw(key cert))
	{
		Spice::write_file("$folder/served.$part", slurp_file("$folder/$name.$part"));
		chmod 0600, "$folder/served.$part" or die $!;
	}
	$remote->reload if $remote->{_pid};
	return;
}

serve('right');
Spice::write_file($remote->data_dir . '/pg_hba.conf', join("\n", @access));
$remote->start;

sub remote { return $remote->safe_psql('shop', $_[0]); }

# They are read again by those who come, so those who are there have to go.
sub disconnect { return remote(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader'}); }

$remote->safe_psql('postgres', 'CREATE DATABASE shop');
remote(q{
	CREATE ROLE reader LOGIN REPLICATION PASSWORD 'qx wv jk';
	CREATE SCHEMA sales AUTHORIZATION reader;
	GRANT CREATE ON DATABASE shop TO reader;
	SET ROLE reader;
	CREATE TABLE sales.items (id int PRIMARY KEY, code text NOT NULL UNIQUE, amount int);
	INSERT INTO sales.items SELECT i, 'c' || i, i FROM generate_series(1, 100) i;
	CREATE TABLE sales.others (id int PRIMARY KEY, name text);
	INSERT INTO sales.others SELECT i, 'n' || i FROM generate_series(1, 100) i;
	CREATE TABLE sales.late (id int PRIMARY KEY DEFERRABLE, name text);
});

# ------- a sidecar
my %params = (pg_host => '127.0.0.1', pg_port => $remote->port, pg_db => 'shop', pg_user => 'reader',
	pg_pass => '${secrets:PG_PASS}', pg_sslrootcert => 'authority');

sub following
{
	my ($name, %more) = @_;

	return Spice::dataset($name, "postgres:$name", params => { %params, %more }, refresh_mode => 'changes',
		refresh_check_interval => '300ms', refresh_retry_max_attempts => 1000);
}

my $items = following('sales.items');
my $others = following('sales.others');
my $node = Spice::start_node('main', Spice::manifest([ following('sales.items', pg_sslmode => 'disable') ]),
	'wal_level = logical', 'max_wal_senders = 10', 'wal_retrieve_retry_interval = 100ms', 'spice.max_refresh_workers = 4');
Spice::write_beside_manifest($node, '.env', "PG_PASS='qx wv jk'\n");

sub value { return $node->safe_psql('postgres', $_[0]); }
sub wait_for_error { return Spice::wait_for_error($node, @_); }
sub wait_for_same { return Spice::wait_for_same($node, \&remote, @_); }
sub snapshots { return value("SELECT count(*) FROM spice.refreshes WHERE outcome IN ('loaded', 'merged') AND dataset = '$_[0]'"); }
sub notice { return value("SELECT notice FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = '$_[0]' LIMIT 1"); }
my $key = q{SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'sales.items'::regclass};

sub change
{
	Spice::write_manifest($node, Spice::manifest([ @_ ]));
	value('SELECT * FROM spice_reload()');
	return;
}

# A change of the source comes through, and all is said to be well.
my $stamp = 1000;

sub follows
{
	my ($name, @tables) = @_;

	for my $table (@tables)
	{
		$stamp++;
		remote("INSERT INTO sales.$table (id, " . ($table eq 'items' ? 'code' : 'name') . ") VALUES ($stamp, 's$stamp')");
		wait_for_same("sales.$table", "$name: sales.$table has what its source has");
		Spice::wait_for_status($node, "sales.$table", 'ready', "$name: the dataset is ready");
	}
	return;
}

# The table has its rows, whatever its dataset complains of.
sub serves_on
{
	my ($name, $table) = @_;

	return cmp_ok(value("SELECT count(*) FROM sales.$table"), '>=', 100, "$name: sales.$table still answers");
}

value('CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice');

# ------- TLS
Spice::write_beside_manifest($node, 'authority', slurp_file("$folder/trusted/cert"));
wait_for_error('sales.items', 'could not connect to the source.*no pg_hba.conf entry.*pg_sslmode is verify-full unless', 'a source that requires TLS is an error with its cure');
change($items);
follows('verify-full, which is the default', 'items');
is(remote(q{SELECT bool_and(s.ssl), count(*) > 0 FROM pg_stat_replication r JOIN pg_stat_ssl s USING (pid)}), 't|t', 'copy and changes use TLS where the source lets in nothing else');
like(value('SELECT subconninfo FROM pg_subscription'), qr/sslmode='verify-full'.*sslrootcert='\S*authority'|sslrootcert='\S*authority'.*sslmode='verify-full'/, 'the subscription verifies the certificate');
my $before = snapshots('sales.items');

for my $case ([ 'unknown', 'certificate verify failed' ], [ 'another', 'certificate for .*127\.0\.0\.2.* does not match host name .*127\.0\.0\.1' ])
{
	my ($certificate, $problem) = @$case;

	serve($certificate);
	disconnect();
	wait_for_error('sales.items', "could not connect to the source.*$problem.*pg_sslrootcert names the file", "certificate $certificate: the error has its cure");
	serves_on("certificate $certificate", 'items');
	is(remote('SELECT count(*) FROM pg_stat_replication'), '0', "certificate $certificate: no changes are taken from the source");
	serve('right');
	follows("the right certificate after $certificate", 'items');
}
Spice::write_beside_manifest($node, 'authority', slurp_file("$folder/stranger/cert"));
disconnect();
wait_for_error('sales.items', 'certificate verify failed.*pg_sslrootcert names the file', 'a wrong certificate authority is an error');
Spice::write_beside_manifest($node, 'authority', slurp_file("$folder/trusted/cert"));
follows('the right authority', 'items');
is(snapshots('sales.items'), $before, 'no new snapshot was taken');

serve('another');
disconnect();
change(following('sales.items', pg_sslmode => 'verify-ca'));
follows('verify-ca asks for no name', 'items');
serve('right');
change($items, $others);
follows('verify-full again', 'items', 'others');
is(remote('SELECT count(*) FROM pg_replication_slots'), '2', 'each dataset has one slot');

# ------- no process that would apply changes
$node->append_conf('postgresql.conf', 'max_logical_replication_workers = 1');
$node->restart;
Spice::wait_for($node, q{SELECT count(*) = 1 FROM spice.datasets WHERE status = 'error' AND last_error ~ 'no process applies changes: all of max_logical_replication_workers are taken .raise it'},
	'a dataset without an apply worker names the setting that is too small');
serves_on('without a process', $_) for 'items', 'others';
is(value(q{SELECT count(*) FROM spice.datasets WHERE status = 'ready'}), '1', 'the other dataset follows');
$node->append_conf('postgresql.conf', 'max_logical_replication_workers = 4');
$node->restart;
follows('with more processes', 'items', 'others');

# ------- no slot on the source
change($items);
Spice::wait_for($node, 'SELECT count(*) = 1 FROM spice.slot', 'the source has one free slot');
$remote->append_conf('postgresql.conf', 'max_replication_slots = 1');
$remote->restart;
change($items, $others);
wait_for_error('sales.others', 'all replication slots are in use.*max_replication_slots', 'a source without a free slot: the error has its cure');
serves_on('without a slot', 'others');
follows('what has a slot', 'items');
is(value('SELECT count(*) FROM pg_subscription'), '1', 'no subscription is made without a slot');
$remote->append_conf('postgresql.conf', 'max_replication_slots = 10');
$remote->restart;
follows('with more slots', 'items', 'others');
is(remote('SELECT count(*) FROM pg_replication_slots'), '2', 'each dataset has one slot');

# ------- no sender on the source
$before = snapshots('sales.items');
$remote->append_conf('postgresql.conf', 'max_wal_senders = 1');
$remote->restart;
wait_for_error("sales.$_", 'could not connect to the source.*max_wal_senders.*Raise max_wal_senders on the source', "a source without a free sender: the error of sales.$_ has its cure")
  for 'items', 'others';
serves_on('without a sender', $_) for 'items', 'others';
$remote->append_conf('postgresql.conf', 'max_wal_senders = 10');
$remote->restart;
follows('with more senders', 'items', 'others');
is(snapshots('sales.items'), $before, 'no new snapshot is taken');

# ------- another key
is(value($key), 'PRIMARY KEY (id)', q{the table's key is that of the source});
remote('ALTER TABLE sales.items DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (code); INSERT INTO sales.items VALUES (1, $$twice$$, 0)');
wait_for_same('sales.items', 'rows follow by the source\'s new key');
is(value($key), 'PRIMARY KEY (code)', 'the table has the new key');
like(notice('sales.items'), qr/the source had changed what it publishes: .*key \(code\); before: .*key \(id\)/, 'history names the changed key');
remote(q{UPDATE sales.items SET amount = -1 WHERE code = 'c2'; DELETE FROM sales.items WHERE code = 'c3'; UPDATE sales.items SET code = 'new' WHERE code = 'c4'});
follows('another key', 'items');

$before = snapshots('sales.items');
remote('ALTER TABLE sales.items DROP CONSTRAINT items_pkey');
wait_for_error('sales.items', 'cannot be followed: it has no replica identity.*give it a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL', 'a key that is gone: the error has its cure');
serves_on('without a key', 'items');
remote(q{INSERT INTO sales.items VALUES (5000, 'keyless', 1)});
wait_for_same('sales.items', 'inserts into a table without a key are followed');
remote('ALTER TABLE sales.items ADD PRIMARY KEY (code)');
follows('the key is back', 'items');
is(snapshots('sales.items'), $before, 'no new snapshot is taken');
remote('ALTER TABLE sales.items DROP CONSTRAINT items_pkey; ALTER TABLE sales.items REPLICA IDENTITY FULL');
Spice::wait_for($node, qq{SELECT count(*) > $before FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = 'sales.items'}, 'REPLICA IDENTITY FULL causes a new snapshot');
remote(q{UPDATE sales.items SET amount = -2 WHERE code = 'c5'; INSERT INTO sales.items VALUES (6000, 'twin', 1), (6000, 'other twin', 1); DELETE FROM sales.items WHERE id = 7});
follows('a replica identity of all columns', 'items');
is(value($key), '', 'the table has no key any more');
remote('BEGIN; DELETE FROM sales.items WHERE id IN (1, 6000); ALTER TABLE sales.items REPLICA IDENTITY DEFAULT, ADD PRIMARY KEY (id); COMMIT');
follows('the key of the beginning', 'items');
Spice::wait_for($node, $key, 'which the table has again', 'PRIMARY KEY (id)');
is(remote('SELECT count(*) FROM pg_replication_slots'), '2', 'each dataset still has one slot');

# updates of the source would fail if it were published
change($items, $others, following('sales.late'));
wait_for_error('sales.late', 'it has no replica identity', 'a key that is deferrable is no replica identity');
remote(q{INSERT INTO sales.late VALUES (1, 'a'); UPDATE sales.late SET name = 'b'});
is(remote('SELECT name FROM sales.late'), 'b', 'the source can still be written');
change($items, $others);

# ------- on to the next: what follows is followed itself
value(q{CREATE PUBLICATION onward FOR TABLES IN SCHEMA sales; CREATE ROLE next LOGIN REPLICATION;
	GRANT USAGE ON SCHEMA sales TO next; GRANT SELECT ON ALL TABLES IN SCHEMA sales TO next});
my $far = Spice::start_node('far', Spice::manifest([ Spice::dataset('sales.items', 'postgres:sales.items', refresh_mode => 'changes',
	refresh_check_interval => '300ms', params => { pg_host => $node->host, pg_port => $node->port, pg_db => 'postgres',
		pg_user => 'next', pg_sslmode => 'disable', pg_publication => 'onward' }) ]), 'wal_retrieve_retry_interval = 100ms');
$far->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice');

sub far_snapshots { return $far->safe_psql('postgres', q{SELECT count(*) FROM spice.refreshes WHERE outcome = 'loaded'}); }

# Until both have what the source has.
sub reaches_far
{
	my ($name) = @_;

	follows($name, 'items');
	Spice::wait_for_same($far, \&remote, 'sales.items', "$name: the second sidecar has the same rows");
	return;
}

Spice::wait_for($far, 'SELECT spice_ready()', 'a second sidecar follows the first');
reaches_far('a chain');
is(far_snapshots(), '1', 'the second sidecar follows by changes');
# something that only a new snapshot puts right
value(q{UPDATE sales.items SET amount = 0 WHERE id = 10; DELETE FROM sales.items WHERE id = 11; INSERT INTO sales.items VALUES (12345, 'mine', 0)});
Spice::wait_for($far, q{SELECT count(*) = 1 FROM sales.items WHERE id = 12345}, 'a row written in the middle reaches the second sidecar');
$before = Spice::storage_of($node, 'sales.items');
value(q{SELECT spice_refresh('sales.items', wait => false)});
# before anything else happens at the source, which would be in the snapshot or not
Spice::wait_for($node, q{SELECT outcome = 'merged' FROM spice.refreshes WHERE dataset = 'sales.items' LIMIT 1}, 'a new snapshot is taken in the middle');
reaches_far('a new snapshot in the middle');
is(value(q{SELECT concat_ws(' ', outcome, trigger, inserted, updated, deleted) FROM spice.refreshes WHERE dataset = 'sales.items' LIMIT 1}),
	'merged request 1 1 1', 'a published table\'s snapshot is merged, and writes only differences');
is(Spice::storage_of($node, 'sales.items'), $before, 'the merge keeps the table\'s storage');
is(far_snapshots(), '1', 'the second sidecar takes no new snapshot');
# another key, which comes by way of two snapshots
remote('ALTER TABLE sales.items DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (code)');
Spice::wait_for($_, $key, 'another key reaches ' . $_->name, 'PRIMARY KEY (code)') for $node, $far;
reaches_far('another key');
is(value('SELECT count(*) FROM pg_replication_slots'), '1', 'there is one slot in the middle');
$far->stop;
value('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots; DROP PUBLICATION onward');

# ------- a source that is a standby
$remote->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($remote, 'copy', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->start;
my $from_standby = following('sales.others', pg_port => $standby->port);

sub standby_slots { return $standby->safe_psql('shop', 'SELECT count(*) FROM pg_replication_slots'); }

# A slot of a standby begins where its primary has noted which transactions there are, as a
# busy one does every few seconds.
sub until_noted
{
	my ($query, $name) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	until (value($query) eq 't' or time > $deadline)
	{
		remote('SELECT pg_log_standby_snapshot()');
		select undef, undef, undef, 0.1;
	}
	return is(value($query), 't', $name);
}

if ($remote->pg_version < 16)
{
	change($items, $from_standby);
	wait_for_error('sales.others', 'cannot be followed: .*is a standby, which has changes to give from PostgreSQL 16 on.*Name the primary in pg_host', 'a standby that cannot decode: the error has its cure');
	serves_on('a standby that cannot decode', 'others');
	is(standby_slots(), '0', 'no slot is left on the standby');
}
else
{
	$before = snapshots('sales.others');
	change($items, $from_standby);
	until_noted("SELECT count(*) > $before FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = 'sales.others'", 'a standby\'s table is copied');
	follows('a standby', 'others');
	is(standby_slots() . remote('SELECT count(*) FROM pg_replication_slots'), '11', 'the slot is on the standby, and the primary\'s is dropped');

	# what is vacuumed on the primary is gone on the standby, whoever needs it
	$before = snapshots('sales.others');
	change($from_standby);
	Spice::wait_for($node, 'SELECT count(*) = 1 FROM spice.slot', 'the primary has no slot')
		or diag(value('SELECT json_agg(s) FROM spice.slot s'));
	$node->stop;
	$standby->append_conf('postgresql.conf', 'hot_standby_feedback = off');
	$standby->reload;
	$remote->poll_query_until('shop', q{SELECT bool_and(backend_xmin IS NULL) FROM pg_stat_replication WHERE application_name = 'standby'});
	remote($_) for 'CREATE TABLE public.passing ()', 'DROP TABLE public.passing', 'VACUUM pg_catalog.pg_class';
	$standby->poll_query_until('shop', q{SELECT count(*) = 1 FROM pg_replication_slots WHERE wal_status = 'lost'});
	$node->start;
	until_noted("SELECT count(*) > $before FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = 'sales.others'", 'a slot that lost catalog rows is made again');
	like(notice('sales.others'), qr/the source, a standby, no longer had the rows .*hot_standby_feedback = on/, 'history has the reason and how to avoid it');
	$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
	$standby->reload;
	follows('a standby again', 'others');
	is(standby_slots(), '1', 'the standby has one slot');

	# nothing can be made there
	remote('SET ROLE reader; CREATE TABLE sales.fresh (id int PRIMARY KEY, name text)');
	change($items, $from_standby, following('sales.fresh', pg_port => $standby->port));
	wait_for_error('sales.fresh', 'is a standby, where no publication can be made.*on the primary: CREATE PUBLICATION', 'a publication that is missing on a standby: the error has its cure');
	my ($statement) = value(q{SELECT last_error FROM spice.datasets WHERE dataset = 'sales.fresh'}) =~ /(CREATE PUBLICATION \S+ FOR TABLE ONLY [\w.]+)/;
	remote($statement);
	until_noted(q{SELECT count(*) = 1 FROM spice.refreshes WHERE outcome = 'loaded' AND dataset = 'sales.fresh'}, 'the dataset follows once the publication is made');
	follows('a new table of a standby', 'fresh');
}
change($items, $others);
follows('the primary', 'items', 'others');
Spice::wait_for($node, 'SELECT count(*) = 2 AND bool_and(NOT leaving AND subscription IS NOT NULL) FROM spice.slot', 'former slots are released');
# those may be the ones of before, of which one is yet to be given up
my $slots = q{SELECT count(*) FROM pg_replication_slots};
my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
select undef, undef, undef, 0.1 until standby_slots() . remote($slots) eq '02' or time > $deadline;
is(standby_slots() . remote($slots), '02', 'the standby has no former slots');
$standby->stop;

# ------- catalogs of the source that somebody holds
my $locking = Spice::Session->new($remote, 'shop');
$locking->query('BEGIN; LOCK TABLE pg_publication IN ACCESS EXCLUSIVE MODE');
change(following('sales.items', client_timeout => '2s'), $others);
wait_for_error('sales.items', 'canceling statement due to statement timeout', 'client_timeout ends a wait for them');
$locking->query('COMMIT');
$locking->quit;
follows('when they are free again', 'items', 'others');

$node->stop;
$remote->stop;
done_testing();
