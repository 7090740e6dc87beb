# A refresh costs a slot that decodes the log no memory, and does not stop the slot, however
# large the refreshed values are.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $node = Spice::init_node('decoding', [], q{shared_preload_libraries = 'spice'}, 'wal_level = logical', 'max_wal_senders = 4',
	'max_replication_slots = 4', q{shared_buffers = '16MB'}, q{logical_decoding_work_mem = '64kB'}, q{max_wal_size = '1GB'});

sub value { return $node->safe_psql('postgres', $_[0]); }

# 1,000 values of 100 kB that do not compress; the last is told to another table
my $text = q{(SELECT string_agg(md5(id || ' ' || i), '') FROM generate_series(1, 3200) i)};
Spice::write_manifest($node, Spice::manifest([
	Spice::dataset('large', 'table:public.seed', engine => 'duckdb', mode => 'file',
		refresh_sql => "SELECT CASE id WHEN 1000 THEN public.told(id) ELSE id END AS id, $text AS text FROM large") ]));
$node->start;
value(<<'SQL');
CREATE TABLE seed AS SELECT id FROM generate_series(1, 1000) id;
CREATE TABLE small (id int);
CREATE FUNCTION told(id int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN INSERT INTO public.small VALUES (id); RETURN id; END';
CREATE PUBLICATION others FOR TABLE small;
CREATE EXTENSION spice;
SQL
Spice::wait_for($node, 'SELECT spice_ready()', 'the dataset is loaded');
value(q{SELECT pg_create_logical_replication_slot('others', 'pgoutput')});
is(value(q{SELECT spice_refresh('large')}), '1000', 'a refresh');
cmp_ok(value(q{SELECT pg_relation_size(reltoastrelid) / 1024 / 1024 FROM pg_class WHERE oid = 'large'::regclass}), '>', 100,
	'of 100 MB out of line');

my $session = Spice::Session->new($node);
my $pid = $session->query('SELECT pg_backend_pid()');

# kB of a process
sub memory
{
	my ($field) = @_;

	return (slurp_file("/proc/$pid/status") =~ /^$field:\s+(\d+) kB/m)[0];
}

my $before = memory('VmRSS');
# the most from here on
append_to_file("/proc/$pid/clear_refs", '5');
is($session->query(q{SELECT count(*) FROM pg_logical_slot_get_binary_changes('others', NULL, NULL, 'proto_version', '1', 'publication_names', 'others')
	WHERE get_byte(data, 0) = ascii('I')}), '1', 'is decoded: one row of the table that is published');
is($session->errors, '', 'without an error');
cmp_ok(memory('VmHWM') - $before, '<', 16 * 1024, 'in 16 MB of memory');

$node->stop;
done_testing();
