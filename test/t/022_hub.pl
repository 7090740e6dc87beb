# One hub asks an API, two sidecars follow the hub: three servers, which have the same
# rows in the end, whatever happens to each of them on the way.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $rows = 300;
my $total = 100 * $rows;
my $source = Spice::Source->new;
my $version = 0;

# A version of all rows: one in ten changes, some leave, others come, and the amounts have
# the same sum in each.
sub publish
{
	my (%more) = @_;
	my $left = $total;
	my @items;

	$version++;
	for my $i (1 .. $rows - 1)
	{
		next if ($i + $version) % 50 == 0;
		my $amount = ($i + $version) % 10 == 0 ? 50 + $version % 40 : 90 + $i % 7;
		push @items, { id => $i, code => "c$i", amount => $amount, %more };
		$left -= $amount;
	}
	# two rows exchange what is unique
	@items[0, 1] = map { { %{ $items[$_] }, code => "c" . ($version % 2 ? $_ : 1 - $_) } } 0, 1;
	push @items, { id => $rows, code => "rest of version $version", amount => $left, %more };
	$source->set('/items', body => \@items);
	return;
}

publish();

# ------- the hub
my $hub = Spice::init_node('hub', [], "shared_preload_libraries = 'spice'", 'wal_level = logical',
	"listen_addresses = '127.0.0.1'", 'max_slot_wal_keep_size = 64MB', 'wal_sender_timeout = 5s',
	'max_wal_senders = 10', 'max_replication_slots = 10');
Spice::write_file($hub->data_dir . '/pg_hba.conf', join("\n",
	'local all all trust', 'host all all 127.0.0.1/32 scram-sha-256', ''));
my %pulling = (engine => 'duckdb', mode => 'file', primary_key => 'id', indexes => { code => 'unique' },
	refresh_check_interval => '200ms');
Spice::write_manifest($hub, Spice::manifest([ Spice::dataset('products', $source->url('/items'), %pulling) ]));
$hub->start;

sub hub { return $hub->safe_psql('postgres', $_[0]); }

# the publication is there before its tables
hub(q{CREATE PUBLICATION hub FOR TABLES IN SCHEMA public;
	CREATE ROLE sidecar LOGIN REPLICATION PASSWORD 'by the sea';
	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO sidecar;
	CREATE EXTENSION spice});

# ------- the sidecars
my @sidecars = map {
	my $node = Spice::start_node("sidecar$_", Spice::manifest([ Spice::dataset('products', 'postgres:public.products',
		refresh_mode => 'changes', refresh_check_interval => '500ms',
		params => { pg_host => '127.0.0.1', pg_port => $hub->port, pg_db => 'postgres', pg_user => 'sidecar',
			pg_pass => '${secrets:HUB}', pg_sslmode => 'disable', pg_publication => 'hub' }) ]),
		'wal_retrieve_retry_interval = 200ms');
	Spice::write_beside_manifest($node, '.env', "HUB='by the sea'\n");
	$node->safe_psql('postgres', q{CREATE EXTENSION postgres_fdw; CREATE EXTENSION spice;
		CREATE TABLE seen (whole boolean PRIMARY KEY, times int)});
	$node
} 1, 2;

# Readers of the sidecars look all the time, and write down whether what they see is a
# whole version.
my %readers;

sub start_reader
{
	my ($node) = @_;

	$readers{ $node->name } = Spice::Session->new($node);
	$readers{ $node->name }->send(qq{DO \$\$ DECLARE whole boolean; BEGIN LOOP
		SELECT sum(amount) = $total AND count(DISTINCT code) = count(*)
			AND count(*) FILTER (WHERE code LIKE 'rest of%') = 1 INTO whole FROM products;
		COMMIT;
		INSERT INTO seen VALUES (whole, 1) ON CONFLICT ON CONSTRAINT seen_pkey DO UPDATE SET times = seen.times + 1;
		COMMIT;
		PERFORM pg_sleep(0.002);
	END LOOP; END \$\$});
	return;
}

sub end_reader
{
	my ($node) = @_;

	local $SIG{PIPE} = 'IGNORE';
	eval { $readers{ $node->name }->quit };
	return;
}

# Until the hub has the present version, and every sidecar that is given what the hub has.
sub converge
{
	my ($name, @nodes) = @_;
	my $sum = q{SELECT md5(string_agg(concat_ws(' ', id, code, amount), ',' ORDER BY id)) FROM products};

	Spice::wait_for($hub, "SELECT count(*) = 1 FROM products WHERE code = 'rest of version $version'", "$name: the hub has the rows");
	my $expected = hub($sum);
	for my $node (@nodes)
	{
		Spice::wait_for($node, $sum, "$name: so has " . $node->name, $expected)
		  or BAIL_OUT($node->safe_psql('postgres', q{SELECT concat_ws(' ', dataset, status, last_error) FROM spice.datasets}));
	}
	return;
}

sub snapshots
{
	return join ' ', map { $_->safe_psql('postgres', q{SELECT count(*) FROM spice.refreshes WHERE outcome = 'loaded'}) } @sidecars;
}

converge('the first version', @sidecars);
start_reader($_) for @sidecars;
is(hub(q{SELECT string_agg(DISTINCT outcome, ' ') FROM spice.refreshes WHERE outcome <> 'unchanged'}), 'merged', 'a published table is merged from the first load on');
is(hub(q{SELECT count(*) FROM pg_replication_slots}), '2', 'each sidecar has a slot');
my $storage = Spice::storage_of($hub, 'products');
publish(), converge("version $version", @sidecars) for 1 .. 3;
is(hub(q{SELECT bool_and(unchanged BETWEEN 200 AND 290 AND inserted + updated BETWEEN 10 AND 100) FROM spice.refreshes WHERE outcome = 'merged' AND deleted > 0}),
	't', 'the hub writes only rows that changed');
is(Spice::storage_of($hub, 'products'), $storage, 'the merge keeps the table\'s storage');

# ------- restarts and kill -9 of each, while the API goes on
my @dying = ([ 'a restart', sub { $_[0]->stop('fast') } ], [ 'kill -9', \&Spice::kill_postmaster ]);

for my $way (@dying)
{
	my ($name, $end) = @$way;

	for my $node (@sidecars)
	{
		$end->($node);
		end_reader($node);
		publish();
		converge("$name of " . $node->name, grep { $_ != $node } @sidecars);
		$node->start;
		start_reader($node);
		converge("$name of " . $node->name . ', over', @sidecars);
	}
}
$hub->restart;
publish();
converge('a restart of the hub', @sidecars);
# in the middle of writing a version: it is held by a row that somebody has locked
my $holder = Spice::Session->new($hub);
$holder->query("BEGIN; SELECT id FROM products WHERE id = $rows FOR UPDATE");
publish();
Spice::wait_for($hub, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type LIKE 'spice refresh%' AND wait_event_type = 'Lock'}, 'the hub is merging a version');
Spice::kill_postmaster($hub);
{
	local $SIG{PIPE} = 'IGNORE';
	eval { $holder->quit };
}
$hub->start;
converge('kill -9 of the hub', @sidecars);

# ------- the hub is away: what the sidecars have serves on
$hub->stop('immediate');
publish();
Spice::wait_for($_, q{SELECT last_error LIKE '%could not connect%' FROM spice.datasets}, $_->name . ' says that the hub is away') for @sidecars;
is($_->safe_psql('postgres', 'SELECT sum(amount) FROM products'), $total, $_->name . ' serves on') for @sidecars;
$hub->start;
converge('the hub is back', @sidecars);
Spice::wait_for($_, q{SELECT status = 'ready' FROM spice.datasets}, $_->name . ' has recovered') for @sidecars;
is(snapshots(), '1 1', 'no sidecar has copied the table again');
is(hub(q{SELECT count(*) FROM pg_replication_slots}), '2', 'each sidecar has one slot');

# ------- a pod that dies for ever: the hub keeps no more of its log than it may
my ($stays, $gone) = @sidecars;
$gone->stop('immediate');
end_reader($gone);
for (1 .. 6)
{
	my $end = hub(q{SELECT pg_logical_emit_message(false, 'fill', repeat('x', 10000)); SELECT pg_switch_wal(); SELECT pg_current_wal_lsn()}) =~ s/.*\n//sr;

	# the other keeps up, but what it no longer needs is known after a checkpoint or two
	for (1 .. 200)
	{
		hub('CHECKPOINT');
		last if hub("SELECT bool_or(restart_lsn >= '$end') FROM pg_replication_slots") eq 't';
	}
}
Spice::wait_for($hub, q{SELECT count(*) FILTER (WHERE wal_status = 'lost') = 1 FROM pg_replication_slots}, 'the lost slot is given up');
publish();
converge('without it', $stays);
$gone->start;
start_reader($gone);
converge('back from the dead', @sidecars);
like($gone->safe_psql('postgres', q{SELECT notice FROM spice.refreshes WHERE outcome = 'loaded' LIMIT 1}), qr/new snapshot/, 'the sidecar with the lost slot copies the table again');
is(snapshots(), '1 2', 'the other sidecar copies nothing');
Spice::wait_for($hub, q{SELECT count(*) = 2 AND bool_and(wal_status IN ('reserved', 'extended')) FROM pg_replication_slots}, 'the lost slot is dropped');

# ------- the hub's columns change
$pulling{refresh_sql} = 'SELECT *, amount * 2 AS double FROM products';
Spice::write_manifest($hub, Spice::manifest([ Spice::dataset('products', $source->url('/items'), %pulling) ]));
hub('SELECT spice_reload()');
Spice::wait_for($_, 'SELECT sum(double) = 2 * sum(amount) FROM products', $_->name . ' has the new column') for $hub, @sidecars;
publish();
converge('with another column', @sidecars);

# ------- what readers have seen
for my $node (@sidecars)
{
	is($node->safe_psql('postgres', q{SELECT string_agg(coalesce(whole::text, 'none'), ' ') FROM seen}), 'true',
		'readers of ' . $node->name . ' have seen nothing but whole versions');
}
for my $node (@sidecars, $hub)
{
	$node->stop('fast');
	end_reader($node) if $readers{ $node->name };
}
done_testing();
