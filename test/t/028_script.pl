# The extension's scripts: what their words mean does not depend on the database they are
# run in, and an update from any earlier version leads to what a new installation has.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use File::Basename;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $first = '0.1.0';
my $root = dirname($FindBin::RealBin) . '/..';
my @scripts = glob "$root/sql/*.sql";
my ($default) = slurp_file("$root/spice.control") =~ /^default_version *= *'([^']*)'/m;

# ---- rules ----

sub violations
{
	my @files = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ "$root/test/script_rules", @files ], '>', \$out, '2>', \$err);
	return $out . $err;
}

is(violations(@scripts), '', 'no script depends on search_path or takes an object over');

# each is a statement that a rule is there for, and what is said of it
my @planted = (
	[ 'CREATE OR REPLACE VIEW spice.v AS SELECT 1', qr/OR REPLACE/ ],
	[ 'CREATE TABLE IF NOT EXISTS spice.t (a integer)', qr/IF NOT EXISTS/ ],
	[ 'CREATE SCHEMA IF NOT EXISTS spice', qr/IF NOT EXISTS/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id FROM spice_catalog.dataset d WHERE d.id = 1', qr/operator =/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id + 1 AS n FROM spice_catalog.dataset d', qr/operator \+/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id FROM spice_catalog.dataset d WHERE d.id IN (1, 2)', qr/IN compares/ ],
	[ "CREATE VIEW spice.v AS SELECT d.id FROM spice_catalog.dataset d WHERE d.name LIKE 'a'", qr/LIKE compares/ ],
	[ 'CREATE VIEW spice.v AS SELECT CASE d.id WHEN 1 THEN 2 END AS n FROM spice_catalog.dataset d', qr/CASE with a value/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id IS DISTINCT FROM d.rows AS n FROM spice_catalog.dataset d', qr/IS DISTINCT FROM/ ],
	[ 'CREATE VIEW spice.v AS SELECT now() AS n', qr/function now\(\)/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id FROM dataset d', qr/dataset is not qualified/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id FROM spice.manifest m JOIN dataset d ON true', qr/dataset is not qualified/ ],
	[ 'CREATE VIEW v AS SELECT 1 AS n', qr/v is not qualified/ ],
	[ 'CREATE TABLE t (a integer)', qr/t is not qualified/ ],
	[ 'CREATE TABLE spice.t (a text)', qr/type text/ ],
	[ 'CREATE TABLE spice.t (a integer DEFAULT random())', qr/function random\(\)/ ],
	[ 'CREATE VIEW spice.v AS SELECT d.id::oid AS n FROM spice_catalog.dataset d', qr/type oid/ ],
	[ 'CREATE INDEX ON t (a)', qr/t is not qualified/ ],
	[ "CREATE FUNCTION spice.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'", qr/without SET search_path/ ],
	[ "CREATE FUNCTION spice.f() RETURNS integer LANGUAGE c SECURITY DEFINER AS 'MODULE_PATHNAME'", qr/without SET search_path/ ],
	[ "CREATE FUNCTION spice.f() RETURNS integer LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1'", qr/end in pg_temp/ ],
	[ "CREATE FUNCTION f() RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME'", qr/f(\(\))? is not qualified/ ],
	[ 'COMMENT ON FUNCTION "@extschema@".f() IS \'\'', qr/quoted \@extschema\@/ ],
	[ "SELECT pg_catalog.set_config('search_path', '\@extschema\@', true)", qr/quoted \@extschema\@/ ],
	[ "SELECT pg_catalog.pg_extension_config_dump('dataset', '')", qr/not qualified/ ],
	[ 'DO $$BEGIN UPDATE dataset SET id = 1; END$$', qr/dataset is not qualified/ ],
	[ 'INSERT INTO dataset (id) VALUES (1)', qr/dataset is not qualified/ ],
	[ 'ALTER TABLE dataset ADD COLUMN a integer', qr/dataset is not qualified/ ]);
my $folder = PostgreSQL::Test::Utils::tempdir();

for my $plant (@planted)
{
	my ($statement, $said) = @$plant;

	PostgreSQL::Test::Utils::append_to_file("$folder/planted.sql", "$statement;\n");
	like(violations("$folder/planted.sql"), $said, $statement);
	unlink "$folder/planted.sql";
}

# ---- updates ----

# A copy of the server's files in which versions can be made up: a server finds its
# shared files relative to the program.
sub copy_installation
{
	my %at = map { $_ => scalar `pg_config --$_` } qw(bindir sharedir pkglibdir);
	my $copy = PostgreSQL::Test::Utils::tempdir();
	my ($prefix) = $at{bindir} =~ m{^(.*?)/lib/};

	chomp %at;
	for my $from (values %at)
	{
		my $to = $copy . substr $from, length $prefix;

		system_or_bail('mkdir', '-p', dirname($to));
		system_or_bail('cp', '-rL', $from, $to) if $from ne $at{pkglibdir};
		symlink $from, $to or die "$to: $!" if $from eq $at{pkglibdir} && !-e $to;
	}
	return ($copy . substr($at{bindir}, length $prefix), $copy . substr($at{sharedir}, length $prefix) . '/extension');
}

my ($bindir, $extensions) = copy_installation();
my $node = PostgreSQL::Test::Cluster->new('versions', install_path => dirname($bindir));

$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'spice'\n");
$node->start;

is( $node->safe_psql(
		'postgres', "SELECT source FROM pg_extension_update_paths('spice')
		WHERE target = '$default' AND source <> target AND path IS NULL"),
	'',
	'every version has an update path to the newest');
like($node->safe_psql('postgres', "SELECT string_agg(version, ' ') FROM pg_available_extension_versions WHERE name = 'spice'"),
	qr/\Q$first\E/, 'the first version can be installed');

# What an extension consists of, every object with all that defines it, as lines of text.
my $contents = <<'SQL';
WITH member AS (
	SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'spice' AND d.deptype = 'e'),
relation AS (SELECT c.* FROM pg_class c JOIN member m ON m.objid = c.oid AND m.classid = 'pg_class'::regclass)
SELECT concat_ws(' | ', 'object', i.type, i.identity, obj_description(m.objid, m.classid::regclass::name))
	FROM member m, pg_identify_object(m.classid, m.objid, 0) i
UNION ALL SELECT concat_ws(' | ', 'relation', oid::regclass, relkind, relpersistence, relowner::regrole, relrowsecurity, reloptions::text,
	(SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(relacl) a), CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END) FROM relation
UNION ALL SELECT concat_ws(' | ', 'column', attrelid::regclass, row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname,
	format_type(atttypid, atttypmod), attnotnull, attidentity::text, attgenerated::text, attstorage, attcollation::regcollation,
	pg_get_expr(d.adbin, d.adrelid), attacl::text, col_description(attrelid, attnum))
	FROM pg_attribute a JOIN relation r ON r.oid = attrelid LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
	WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT concat_ws(' | ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(c.oid)) FROM pg_constraint c JOIN relation r ON r.oid = conrelid
UNION ALL SELECT concat_ws(' | ', 'index', pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class')) FROM pg_index JOIN relation r ON r.oid = indrelid
UNION ALL SELECT concat_ws(' | ', 'trigger', pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN relation r ON r.oid = tgrelid WHERE NOT tgisinternal
UNION ALL SELECT concat_ws(' | ', 'sequence', seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
	FROM pg_sequence JOIN relation r ON r.oid = seqrelid
UNION ALL SELECT concat_ws(' | ', 'function', pg_get_functiondef(p.oid), (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(proacl) a))
	FROM pg_proc p JOIN member m ON m.objid = p.oid AND m.classid = 'pg_proc'::regclass WHERE prokind IN ('f', 'p')
UNION ALL SELECT concat_ws(' | ', 'type', t.oid::regtype, typtype, format_type(typbasetype, typtypmod), typnotnull, typdefault, typacl::text)
	FROM pg_type t JOIN member m ON m.objid = t.oid AND m.classid = 'pg_type'::regclass
UNION ALL SELECT concat_ws(' | ', 'schema', nspname, nspowner::regrole, nspacl::text) FROM pg_namespace n JOIN member m ON m.objid = n.oid AND m.classid = 'pg_namespace'::regclass
UNION ALL SELECT concat_ws(' | ', 'wrapper', fdwname, fdwhandler::regproc, fdwvalidator::regproc, fdwacl::text, fdwoptions::text)
	FROM pg_foreign_data_wrapper w JOIN member m ON m.objid = w.oid AND m.classid = 'pg_foreign_data_wrapper'::regclass
UNION ALL SELECT concat_ws(' | ', 'server', srvname, srvtype, srvversion, srvacl::text, srvoptions::text)
	FROM pg_foreign_server s JOIN member m ON m.objid = s.oid AND m.classid = 'pg_foreign_server'::regclass
UNION ALL SELECT concat_ws(' | ', 'dumped', c.oid::regclass, condition) FROM pg_extension e,
	unnest(e.extconfig, e.extcondition) AS u(relation, condition) JOIN pg_class c ON c.oid = u.relation WHERE e.extname = 'spice'
UNION ALL SELECT concat_ws(' | ', 'at creation', i.type, i.identity, p.privtype, p.initprivs::text)
	FROM pg_init_privs p, pg_identify_object(p.classoid, p.objoid, p.objsubid) i WHERE i.identity LIKE '%spice%'
ORDER BY 1
SQL

sub contents
{
	my ($database) = @_;

	return $node->safe_psql($database, $contents);
}

# Installs one version and updates it to another; what there is then.
my $databases = 0;

sub updated
{
	my ($from, $to) = @_;
	my $database = 'updated' . ++$databases;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION spice VERSION '$from'");
	$node->safe_psql($database, "ALTER EXTENSION spice UPDATE TO '$to'") if $from ne $to;
	return contents($database);
}

my $fresh = updated($default, $default);

cmp_ok(scalar(split /\n/, $fresh), '>', 100, 'an extension has contents');
for my $old (split /\n/, $node->safe_psql('postgres',
	"SELECT version FROM pg_available_extension_versions WHERE name = 'spice' ORDER BY version"))
{
	is(updated($old, $default), $fresh, "$old updated to $default equals $default");
}

# That this would be seen if it were not so: a version is made up, with an update to it
# that is complete, and others that each forget something.
my $statements = <<'SQL';
ALTER TABLE spice_catalog.dataset ADD COLUMN made_up bigint DEFAULT 1;
COMMENT ON COLUMN spice_catalog.dataset.made_up IS 'a column';
CREATE TABLE spice.made_up (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a pg_catalog.text CHECK (a IS NOT NULL));
REVOKE ALL ON TABLE spice.made_up FROM PUBLIC;
COMMENT ON TABLE spice.made_up IS 'a table';
CREATE INDEX ON spice.made_up (a);
SELECT pg_catalog.pg_extension_config_dump('spice.made_up', '');
SELECT pg_catalog.pg_extension_config_dump('spice.made_up_id_seq', '');
CREATE FUNCTION @extschema@.spice_made_up() RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'spice_ready';
REVOKE ALL ON FUNCTION @extschema@.spice_made_up() FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.spice_made_up() IS 'a function';
SQL
my @statements = split /(?<=;)\n/, $statements;

sub make_version
{
	my ($version, @statements) = @_;

	open my $file, '>', "$extensions/spice--$default--$version.sql" or die $!;
	print $file map { "$_\n" } @statements;
	close $file;
}

my $script = slurp_file("$extensions/spice--$default.sql");

open my $file, '>', "$extensions/spice--99.sql" or die $!;
print $file $script, $statements;
close $file;
make_version('99', @statements);
$fresh = updated('99', '99');
is(updated($default, '99'), $fresh, 'a complete update script gives the new version\'s objects');
is(violations("$extensions/spice--99.sql"), '', 'the update script follows the rules');
for my $forgotten (grep { !/CREATE TABLE|CREATE FUNCTION/ } @statements)
{
	# what depends on it goes, too
	my @kept = grep { $_ ne $forgotten && ($forgotten !~ /ADD COLUMN/ || !/COMMENT ON COLUMN/) } @statements;

	# PUBLIC has no rights on a new table, so that this one changes nothing but what is on record
	next if $forgotten =~ /REVOKE ALL ON TABLE/;
	make_version('98', @kept);
	isnt(updated($default, '98'), $fresh, "an update script without $forgotten is noticed");
}

# ---- library and objects of different versions ----

my $node_log = $node->logfile;

$node->safe_psql('postgres', "CREATE EXTENSION spice VERSION '$default'");
is($node->safe_psql('postgres', 'SELECT spice_ready()'), 'f', 'library and SQL objects agree');
$node->safe_psql('postgres', "ALTER EXTENSION spice UPDATE TO '99'");
my ($status, $out, $err) = $node->psql('postgres', 'SELECT spice_ready()');
like($err, qr/extension spice in database "postgres" has version 99, its library \Q$default\E/, 'SQL objects of another version are refused');
like($err, qr/ALTER EXTENSION spice UPDATE/, 'the refusal has its cure');
$node->safe_psql('postgres', 'DROP EXTENSION spice');
$node->safe_psql('postgres', "CREATE EXTENSION spice VERSION '$default'");
is($node->safe_psql('postgres', 'SELECT spice_ready()'), 'f', 'SQL objects of the library\'s version are accepted');
$node->safe_psql('postgres', "DROP EXTENSION spice; CREATE EXTENSION spice VERSION '99'");
my $before = -s $node_log;
$node->restart;
Spice::wait_for_log($node, qr/has version 99, its library/, $before, 'the launcher logs the difference');

# It looks every second, which the index shows through which it looks.
my $looks = q{(SELECT idx_scan FROM pg_stat_sys_indexes WHERE indexrelname = 'pg_extension_name_index')};
my $looked = $node->safe_psql('postgres', "SELECT $looks");
Spice::wait_for($node, "SELECT $looks > $looked + 12", 'the launcher looks again');
my @warnings = slurp_file($node_log, $before) =~ /^(.*has version 99.*)$/mg;
is(scalar(@warnings), 1, 'the launcher logs the difference once') or diag(join "\n", @warnings);
like($warnings[0], qr/WARNING/, 'the launcher logs a warning');

$before = -s $node_log;
$node->safe_psql('postgres', "UPDATE pg_extension SET extversion = '$default' WHERE extname = 'spice'");
Spice::wait_for_log($node, qr/LOG:  extension spice and its library have the same version again/, $before, 'the launcher logs that both agree again');
$node->safe_psql('postgres', "UPDATE pg_extension SET extversion = '99' WHERE extname = 'spice'");
Spice::wait_for_log($node, qr/WARNING:  extension spice in database "postgres" has version 99, its library/, $before,
	'the launcher logs a later difference');
$node->safe_psql('postgres', 'DROP EXTENSION spice');
$node->safe_psql('postgres', "CREATE EXTENSION spice VERSION '$default'");
$node->stop;
done_testing();
